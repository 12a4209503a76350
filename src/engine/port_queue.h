// SPDX-License-Identifier: Apache-2.0
//
// One lcore's part of a port: its queue pair, with what lies between the two: capture and faults.
#ifndef SLUICE_ENGINE_PORT_QUEUE_H_
#define SLUICE_ENGINE_PORT_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"
#include "engine/capture.h"
#include "engine/fault.h"
#include "engine/interrupt_thread.h"
#include "engine/limits.h"
#include "engine/model_nic.h"
#include "engine/stats.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::engine {

class PortQueue {
 public:
  // Slots that receive() needs: injected duplicates come on top of a burst.
  static constexpr size_t kReceiveSlots = 2 * limits::kBurst;
  // Frames that send() takes at a time.
  static constexpr size_t kMaxSend = 2 * limits::kBurst;

  struct Setup {
    uint16_t port_id = 0;  // DPDK's.
    std::vector<uint16_t> rx_queues;
    int32_t tx_queue = -1;        // None: another lcore sends for this one.
    bool driven_by_peer = false;  // See Port.
    CaptureRing* capture = nullptr;
    uint64_t wall_base = 0;  // Nanoseconds since 1970 at the engine's zero.
    rte_mempool* pool = nullptr;
    LcoreStats* stats = nullptr;
    ModelNic* model = nullptr;  // Stands before the device; null: none.
  };

  explicit PortQueue(const Setup& setup);
  ~PortQueue();
  PortQueue(const PortQueue&) = delete;
  PortQueue& operator=(const PortQueue&) = delete;

  // Up to kReceiveSlots frames, now the caller's.
  size_t receive(std::span<rte_mbuf*> out, base::Nanos now);

  // Takes up to kMaxSend frames over; a model cuts them into at most kMaxSend packets more. What
  // the device does not take is kept and tried again by flush(); nothing is to be sent while
  // blocked().
  void send(std::span<rte_mbuf*> frames, base::Nanos now);
  bool blocked() const { return pending_count_ > 0; }
  // Tries again, and sends what faults had held back. Once per turn. True when something went.
  bool flush(base::Nanos now);
  // Whether it waits for nothing but packets: what is held here has to be looked at in each turn.
  bool at_rest() const;
  bool can_send() const { return setup_.tx_queue >= 0; }

  // Puts an injector in; the lcore, or any thread before the lcore runs. Once per direction: it
  // stays, and is configured anew.
  void install_faults(bool transmit, std::unique_ptr<FaultInjector> injector);
  FaultInjector* faults(bool transmit) { return (transmit ? tx_faults_ : rx_faults_).get(); }
  rte_mempool* pool() const { return setup_.pool; }

 private:
  static constexpr size_t kPendingSlots = 4 * kMaxSend;

  void record(std::span<rte_mbuf*> frames, base::Nanos now);
  void push_out(base::Nanos now);
  // Whether the device may be touched in this turn.
  bool plugged() {
    return !setup_.driven_by_peer || seen_unmaps_ == unmap_count() || look_at_link();
  }
  bool look_at_link();

  Setup setup_;
  uint64_t seen_unmaps_ = UINT64_MAX;  // unmap_count() when the link was last found to be up.
  std::unique_ptr<FaultInjector> rx_faults_;
  std::unique_ptr<FaultInjector> tx_faults_;
  size_t next_rx_ = 0;  // Of the rx queues, which takes turns.
  std::array<rte_mbuf*, kPendingSlots> pending_{};
  size_t pending_head_ = 0;
  size_t pending_count_ = 0;
  base::Nanos blocked_since_;
};

// An injector over mbufs of a pool; allocates, so not on an lcore.
std::unique_ptr<FaultInjector> make_fault_injector(rte_mempool* pool, const FaultConfig& config);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_PORT_QUEUE_H_
