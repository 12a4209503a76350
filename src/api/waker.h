// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_WAKER_H_
#define SLUICE_API_WAKER_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

namespace sluice::internal {

// Wakes ordinary threads that wait for an lcore. The lcore pays a system call only when somebody
// sleeps: sleepers announce themselves, look once more for work, and then wait on an eventfd that
// counts one token for each sleeper that was announced when work came. A token too many wakes
// somebody for nothing, once.
class Waker {
 public:
  Waker() = default;
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // Makes the eventfd. Ordinary thread, once.
  absl::Status open();
  int fd() const { return fd_; }

  // Lcore, after new work was published: wakes everybody who sleeps.
  void notify() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const bool asleep =
        sleepers_.load(std::memory_order_relaxed) != 0 || armed_.load(std::memory_order_relaxed);
    if (asleep) wake();
  }

  // Ordinary thread with a loop of its own: announces that it is about to wait for fd(). `ready()`
  // must look for work; when it finds some the result is false.
  template <class Ready>
  bool arm(Ready&& ready) {
    take_token();
    armed_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return !ready();
  }

  // Ordinary thread: sleeps until ready() (true) or for `timeout_ns` (false).
  template <class Ready>
  bool wait(uint64_t timeout_ns, Ready&& ready) {
    const uint64_t end = end_of(timeout_ns);
    while (!ready()) {
      sleepers_.fetch_add(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (ready()) {
        withdraw();
        return true;
      }
      if (!sleep_until(end)) {
        withdraw();
        return ready();
      }
    }
    return true;
  }

 private:
  void wake();
  void withdraw();
  bool take_token();
  static uint64_t end_of(uint64_t timeout_ns);
  // False when the time is over.
  bool sleep_until(uint64_t end);

  int fd_ = -1;
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<bool> armed_{false};
};

}  // namespace sluice::internal

#endif  // SLUICE_API_WAKER_H_
