// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_LCORE_CLIENT_H_
#define SLUICE_API_LCORE_CLIENT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "api/mpmc_ring.h"
#include "base/check.h"
#include "engine/channel.h"

namespace sluice::internal {

// The way from ordinary threads to one lcore: a bounded ring of numbers that the lcore takes once a
// loop. Whoever posts sees to it that there is room (by owning a slot for each entry), so post()
// cannot fail. After close() there is no lcore any more and each entry is handled by the thread
// that posts it: nothing is ever left in the ring.
class LcoreClient {
 public:
  explicit LcoreClient(size_t capacity) : ring_(capacity) {}
  virtual ~LcoreClient() = default;
  LcoreClient(const LcoreClient&) = delete;
  LcoreClient& operator=(const LcoreClient&) = delete;

  // Any ordinary thread.
  void post(uint32_t entry) {
    SLUICE_CHECK(ring_.push(entry));
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (closed_.load(std::memory_order_acquire)) return drain();
    if (auto* doorbell = doorbell_.load(std::memory_order_relaxed)) doorbell->ring();
  }

  // Lcore: rung from now on after each post(); null: the lcore never sleeps.
  void set_doorbell(engine::Doorbell* doorbell) {
    doorbell_.store(doorbell, std::memory_order_relaxed);
  }
  // Lcore: whether poll() would find something.
  bool waiting() const { return ring_.ready(); }

  // Lcore: handles what has arrived, a burst at most. True when there was anything.
  bool poll() {
    uint32_t entry = 0;
    size_t count = 0;
    while (count < kBurst && ring_.pop(&entry)) {
      handle(entry);
      ++count;
    }
    if (count > 0) flush();
    return count > 0;
  }

  // Lcore, at its end: what has been posted and what will be is handled without an lcore.
  void close() {
    closed_.store(true, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    drain();
  }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  // Lcore, once a loop: tells sleeping threads about what was published since the last time.
  virtual void flush() {}

 protected:
  // One entry: on the lcore, or after close() on any thread.
  virtual void handle(uint32_t entry) = 0;

 private:
  static constexpr size_t kBurst = 32;

  void drain() {
    uint32_t entry = 0;
    while (ring_.pop(&entry)) handle(entry);
    flush();
  }

  MpmcRing ring_;
  std::atomic<engine::Doorbell*> doorbell_{nullptr};
  std::atomic<bool> closed_{false};
};

}  // namespace sluice::internal

#endif  // SLUICE_API_LCORE_CLIENT_H_
