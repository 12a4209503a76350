// SPDX-License-Identifier: Apache-2.0
#include "api/waker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::internal {
namespace {

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

Waker::~Waker() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Waker::open() {
  fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);
  if (fd_ < 0) return absl::ErrnoToStatus(errno, "no eventfd could be made: raise RLIMIT_NOFILE");
  return absl::OkStatus();
}

void Waker::wake() {
  uint64_t tokens = sleepers_.exchange(0, std::memory_order_relaxed);
  if (armed_.exchange(false, std::memory_order_relaxed)) ++tokens;
  if (tokens == 0) return;
  // A full counter means that the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = write(fd_, &tokens, sizeof(tokens));
}

// Takes an announcement back. When there is none left, its token is on the way: it wakes somebody
// for nothing later.
void Waker::withdraw() {
  uint32_t sleepers = sleepers_.load(std::memory_order_relaxed);
  while (sleepers != 0 &&
         !sleepers_.compare_exchange_weak(sleepers, sleepers - 1, std::memory_order_relaxed)) {
  }
}

bool Waker::take_token() {
  uint64_t token = 0;
  return read(fd_, &token, sizeof(token)) == sizeof(token);
}

uint64_t Waker::end_of(uint64_t timeout_ns) {
  const uint64_t now = monotonic_ns();
  return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

bool Waker::sleep_until(uint64_t end) {
  const uint64_t now = monotonic_ns();
  if (now >= end) return false;
  // An hour at a time: the kernel takes no timeout of centuries.
  constexpr uint64_t kLongestSleep = 3'600'000'000'000;
  const uint64_t left = end - now < kLongestSleep ? end - now : kLongestSleep;
  const timespec span{static_cast<time_t>(left / 1'000'000'000),
                      static_cast<long>(left % 1'000'000'000)};
  pollfd entry{fd_, POLLIN, 0};
  if (ppoll(&entry, 1, &span, nullptr) > 0) {
    take_token();
    return true;
  }
  return monotonic_ns() < end;
}

}  // namespace sluice::internal
