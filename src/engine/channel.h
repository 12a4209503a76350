// SPDX-License-Identifier: Apache-2.0
//
// The ways between threads: rings of buffers, and what the lcores of a node tell its control
// thread.
#ifndef SLUICE_ENGINE_CHANNEL_H_
#define SLUICE_ENGINE_CHANNEL_H_

#include <poll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "base/aligned_array.h"
#include "base/types.h"
#include "transport/commands.h"

struct rte_mbuf;
struct rte_ring;

namespace sluice::engine {

class LcoreTask;

// A bounded ring of pointers: many producers, one consumer. Neither blocks.
class PointerRing {
 public:
  // `capacity` is rounded up to a power of two. `name` is for DPDK's lists and made unique.
  static absl::StatusOr<std::unique_ptr<PointerRing>> create(const std::string& name,
                                                             uint32_t capacity);
  ~PointerRing();
  PointerRing(const PointerRing&) = delete;
  PointerRing& operator=(const PointerRing&) = delete;

  bool push(void* pointer);
  size_t pop(std::span<void*> out);
  bool empty() const;

 private:
  explicit PointerRing(rte_ring* ring) : ring_(ring) {}
  rte_ring* ring_;
};

// Lets one thread sleep and others wake it, without a system call while it is awake.
class Doorbell {
 public:
  Doorbell();
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // Any thread, after making visible what there is to do.
  void ring();
  // The sleeper: announces that it will sleep. It must look once more for work before wait().
  void prepare();
  // Sleeps until rung, or for `longest`. Returns at once if rung since prepare().
  void wait(base::Nanos longest);
  // The same, until one of `files` has something too, of which the first is file(); poll() says in
  // them what came. Whether it was rung.
  bool wait(std::span<pollfd> files, base::Nanos longest);
  pollfd file() const { return {event_, POLLIN, 0}; }
  // Instead of wait(), when there was work after all.
  void cancel() { sleeping_.store(false, std::memory_order_relaxed); }

 private:
  int event_;
  std::atomic<bool> sleeping_{false};
};

struct Notice {
  enum class Kind : uint32_t { kTaskDone, kLaneDown };
  Kind kind = Kind::kTaskDone;
  uint8_t lcore = 0;
  base::Code code = base::Code::kOk;
  uint8_t padding[2] = {};
  transport::LaneRef lane;
  LcoreTask* task = nullptr;
  uint64_t reserved = 0;
};
static_assert(sizeof(Notice) == 32);

// From the lcores of a node to its control thread.
class ControlChannel {
 public:
  // `notices` bounds what the control thread has not read yet: twice the lanes of the node and its
  // outstanding tasks, so that no notice is ever lost.
  static absl::StatusOr<std::unique_ptr<ControlChannel>> create(const std::string& name,
                                                                uint32_t notices);
  ~ControlChannel();
  ControlChannel(const ControlChannel&) = delete;
  ControlChannel& operator=(const ControlChannel&) = delete;

  // Lcores. False when full; the caller keeps the frame.
  bool push_packet(rte_mbuf* frame);
  void push_notice(const Notice& notice);

  // The control thread.
  size_t pop_packets(std::span<rte_mbuf*> out);
  size_t pop_notices(std::span<Notice> out);
  bool empty() const;
  Doorbell& doorbell() { return doorbell_; }

 private:
  ControlChannel() = default;
  std::unique_ptr<PointerRing> packets_;
  rte_ring* notices_ = nullptr;
  Doorbell doorbell_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CHANNEL_H_
