// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_THREAD_CLIENT_CORE_H_
#define SLUICE_API_THREAD_CLIENT_CORE_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "api/endpoint_core.h"
#include "api/lcore_client.h"
#include "api/mpmc_ring.h"
#include "api/waker.h"
#include "base/aligned_array.h"
#include "sluice/thread_client.h"

namespace sluice::internal {

// What stands behind a ThreadClient. A slot lives through: free -> filled by a thread -> on the
// lcore -> completed -> taken by a thread -> (response released, back over the lcore) -> free.
// At every moment it is in one place, so that each ring needs as many cells as there are slots.
class ThreadClientCore final : public LcoreClient {
 public:
  ThreadClientCore(EndpointCore* core, uint32_t capacity);
  ~ThreadClientCore() override;

  absl::Status open() { return waker_.open(); }

  // Ordinary threads.
  StatusCode start(Session session, const CallOptions& options, Buffer&& data, uint64_t user,
                   bool one_way);
  size_t take(std::span<Completion> completions);
  bool wait(uint64_t timeout_ns);
  bool arm();
  int event_fd() const { return waker_.fd(); }
  CallResult start_and_wait(Session session, const CallOptions& options, Buffer&& request);

  // Lcore, or while it does not run: cancels every call in flight.
  void cancel_all();
  // True when every slot is free: nothing in flight, nothing untaken, nothing unreleased.
  bool quiet() const { return free_.size() == capacity_; }
  // Lets go of completions that nobody will take.
  void discard_completions();

  EndpointCore* core() const { return core_; }

  void flush() override;

 private:
  static constexpr uint32_t kRelease = 1u << 31;  // In entries: release the slot's response.

  enum class Wait : uint32_t { kNone, kWaiting, kDone };

  struct Slot {
    ThreadClientCore* owner = nullptr;
    Session session;
    CallOptions options;
    Buffer data;
    uint64_t user = 0;
    bool one_way = false;
    std::atomic<bool> on_lcore{false};
    std::atomic<uint32_t> wait{0};
    CallId id;
    StatusCode code = StatusCode::kOk;
    bool may_have_executed = false;
    Message response;  // As the lcore knows it; released there.
  };

  void handle(uint32_t entry) override;
  void begin(Slot* slot);
  void finish(Slot* slot);
  static void on_done(void* slot, CallResult& result);
  static void on_released(void* owner, uint64_t slot);
  uint32_t index_of(const Slot* slot) const { return static_cast<uint32_t>(slot - slots_.data()); }
  // Fills what the thread gets and frees the slot, or leaves it to the response's release.
  void hand_over(uint32_t index, CallResult* result);
  Slot* claim(Session session, const CallOptions& options, uint64_t user, bool one_way);

  EndpointCore* core_;
  uint32_t capacity_;
  base::AlignedArray<Slot> slots_;
  MpmcRing free_;
  MpmcRing done_;
  Waker waker_;
  std::atomic<bool> dirty_{false};
};

}  // namespace sluice::internal

#endif  // SLUICE_API_THREAD_CLIENT_CORE_H_
