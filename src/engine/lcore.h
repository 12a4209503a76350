// SPDX-License-Identifier: Apache-2.0
//
// The loop of one lcore: ports, frames, the endpoint, the application, and what other threads ask.
#ifndef SLUICE_ENGINE_LCORE_H_
#define SLUICE_ENGINE_LCORE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"
#include "engine/application.h"
#include "engine/channel.h"
#include "engine/clock.h"
#include "engine/config.h"
#include "engine/gate.h"
#include "engine/inline_contexts.h"
#include "engine/lcore_task.h"
#include "engine/limits.h"
#include "engine/port_queue.h"
#include "engine/record_chain.h"
#include "engine/route.h"
#include "engine/sleeper.h"
#include "engine/spi_lcores.h"
#include "engine/stats.h"
#include "transport/endpoint.h"
#include "transport/token_bucket.h"
#include "wire/frame.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::engine {

// What all lcores of a node have in common; read-only once they run.
struct NodeLayout {
  struct PortFacts {
    std::vector<wire::IpAddress> addresses;
    uint8_t senders = 1;  // Lcores below this number have a transmit queue.
  };

  std::string name;
  uint16_t base_port = 0;
  uint8_t lcores = 1;
  wire::Encapsulation encapsulation = wire::Encapsulation::kUdp;
  uint8_t native_protocol = wire::kProtocolNative;
  std::vector<PortFacts> ports;
};

class Lcore {
 public:
  struct Setup {
    uint8_t index = 0;
    uint32_t eal_lcore = 0;
    bool yields = false;  // Other lcores share the CPU.
    IdleConfig idle;      // The same for all lcores of a node.
    const NodeLayout* layout = nullptr;
    const Clock* clock = nullptr;
    ControlChannel* control = nullptr;
    rte_mempool* pool = nullptr;
    transport::EndpointConfig endpoint;
    crypto::AeadBackend* backend = nullptr;
    const crypto::Primitives* primitives = nullptr;
    LcoreApplication* application = nullptr;  // Never null.
    bool gated = false;                       // Peers are held to a policy, or recorded.
    // Ports that seal records, by their number; null where one does not, or this lcore has no
    // transmit queue of it. Empty: none does.
    std::vector<InlineEngine*> sealing_ports;
    const SpiLcores* spi_lcores = nullptr;  // Where EndpointConfig::esp is set.
  };

  static absl::StatusOr<std::unique_ptr<Lcore>> create(const Setup& setup);
  ~Lcore();
  Lcore(const Lcore&) = delete;
  Lcore& operator=(const Lcore&) = delete;

  // Before start(): the queues in the order of the node's ports, and all lcores of the node in
  // order, this one included.
  void connect(std::vector<std::unique_ptr<PortQueue>> queues, std::vector<Lcore*> siblings);
  // Before start(), with IdleMode::kInterrupts: what tells of packets in those queues.
  void set_interrupts(std::vector<RxInterrupt> interrupts);

  // Control threads.
  absl::Status start();
  // Asks the loop to end and waits for it; tasks that wait are run first.
  void stop();
  bool running() const { return running_.load(std::memory_order_acquire); }
  // False when the lcore has been stopped or its ring is full; the caller keeps the task.
  bool post(LcoreTask* task);
  // Runs `work` between two turns and waits. False when the lcore does not run.
  bool run_and_wait(const std::function<void(Lcore&, LcoreContext&)>& work);

  // Any thread: a whole frame with `port` set to the number within the node. False when full; the
  // caller keeps the frame. The lcore is to be woken afterwards; lcores do so once a turn.
  bool inject(rte_mbuf* frame) { return inject_ring_->push(frame); }
  bool hand_over(rte_mbuf* frame) { return handover_ring_->push(frame); }
  void wake() {
    if (sleeper_ != nullptr) sleeper_->wake();
  }

  // The lcore, from tasks.
  void set_route(uint32_t handle, const Route& route) { routes_[handle] = route; }
  PortQueue& queue(size_t port) { return *queues_[port]; }
  ControlChannel& control() { return *setup_.control; }
  LcoreApplication& application() { return *setup_.application; }
  Gate* gate() { return gate_.get(); }  // Null without Setup::gated.
  void notice_lane_down(transport::LaneRef lane, base::Code code);

  uint8_t index() const { return setup_.index; }
  uint32_t eal_lcore() const { return setup_.eal_lcore; }
  const LcoreStats& stats() const { return stats_; }
  LcoreStats* mutable_stats() { return &stats_; }
  const transport::Endpoint& endpoint() const { return endpoint_; }
  size_t ports() const { return queues_.size(); }

 private:
  static constexpr size_t kEvents = 64;
  // Of the next packet's buffer, loaded ahead from the line of its headers on.
  static constexpr size_t kPrefetchSlotBytes = 576;

  // A burst on its way to the endpoint, with the frames that hold the packets.
  struct Batch {
    std::array<transport::RxPacket, PortQueue::kReceiveSlots> packets;
    std::array<rte_mbuf*, PortQueue::kReceiveSlots> frames;
    size_t count = 0;
    size_t weight = 0;  // See limits::kPartWeight.
  };
  struct Outbox {
    std::array<rte_mbuf*, limits::kBurst> frames;
    size_t count = 0;
  };

  explicit Lcore(const Setup& setup);
  static int entry(void* self);
  void run();
  void poll_and_rest(PollingTurns* turns);
  void rest(PollingTurns* turns);
  base::Nanos time_to_rest() const;
  void note_sleep(Sleeper::Woken woken, base::Nanos length);
  void wake_siblings();
  bool turn();
  void note_turn(base::Nanos now, bool busy);
  bool run_tasks();
  bool flush_ports();
  bool send_injected();
  bool receive();
  void sort_frame(rte_mbuf* frame, uint8_t port);
  void sort_esp(rte_mbuf* frame, const wire::ParsedFrame& parsed);
  void pass_to_control(rte_mbuf* frame);
  void steer(rte_mbuf* frame, uint32_t to);
  void deliver_batch();
  void answer_part();
  bool deliver_events();
  void hold_back(size_t events);
  void transmit();
  size_t refill_slots();
  void prefetch_slot() const;
  void prepare_frame(rte_mbuf* frame, const transport::TxPacket& packet, Outbox* outboxes);
  void prepare_pieces(size_t first, size_t count);
  void prepare_piece(rte_mbuf* frame, const transport::TxPacket& piece);
  void prepare_esp(rte_mbuf* frame, const transport::TxPacket& packet);
  void send_on(size_t port, std::span<rte_mbuf*> frames);
  void drain_rings();

  Setup setup_;
  LcoreStats stats_;
  std::vector<Route> routes_;
  std::unique_ptr<InlineContexts> inline_contexts_;  // Null where no port seals.
  const bool unlike_;  // Some packets are not to be sent as prepare_frame() has it.
  RecordChain chain_;
  transport::Endpoint endpoint_;
  LcoreContext context_;
  wire::FrameFilter filter_;
  std::vector<std::unique_ptr<PortQueue>> queues_;
  std::vector<Lcore*> siblings_;
  std::unique_ptr<PointerRing> inject_ring_;
  std::unique_ptr<PointerRing> handover_ring_;
  std::unique_ptr<PointerRing> task_ring_;
  transport::TokenBucket reset_bucket_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<Sleeper> sleeper_;  // Null with IdleMode::kPoll.

  Batch batch_;
  std::array<transport::Event, kEvents> events_;
  std::array<transport::TxPacket, limits::kBurst> slots_;
  std::array<rte_mbuf*, limits::kBurst> slot_frames_{};
  size_t first_slot_ = limits::kBurst;  // Slots before it are used up.
  std::array<Outbox, limits::kMaxPorts> outboxes_;
  base::Nanos now_;
  base::Nanos loop_start_;
  bool more_to_send_ = false;
  bool skip_turn_time_ = true;

  std::atomic<bool> stop_{false};
  std::atomic<bool> running_{false};  // Written under mutex_.
  std::mutex mutex_;                  // Keeps post() and stop() apart.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_LCORE_H_
