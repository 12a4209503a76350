// SPDX-License-Identifier: Apache-2.0
//
// What it costs this machine to wake a thread: the least that an lcore which sleeps pays for the
// first packet. One thread sleeps in ppoll() on an eventfd, as an lcore does; another writes it
// after some silence.
//
//     wake_probe [WAKES] [SILENCE_US]
//
// prints medians: from the write to the sleeper's return, and its CPU time for falling asleep and
// waking.
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

uint64_t read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t median(std::vector<uint64_t>* values) {
  const auto middle = values->begin() + static_cast<std::ptrdiff_t>(values->size() / 2);
  std::nth_element(values->begin(), middle, values->end());
  return *middle;
}

}  // namespace

int main(int argc, char** argv) {
  const int wakes = argc > 1 ? std::atoi(argv[1]) : 300;
  const int silence_us = argc > 2 ? std::atoi(argv[2]) : 5000;
  const int event = eventfd(0, EFD_NONBLOCK);
  if (event < 0 || wakes < 1 || silence_us < 1) {
    std::fprintf(stderr, "usage: wake_probe [WAKES] [SILENCE_US], both 1 at least\n");
    return 2;
  }
  std::atomic<uint64_t> written{0};
  std::atomic<int> woken_times{0};
  std::vector<uint64_t> latency;
  std::vector<uint64_t> cpu;
  std::thread sleeper([&] {
    for (int i = 0; i < wakes; ++i) {
      const uint64_t before = read_clock(CLOCK_THREAD_CPUTIME_ID);
      pollfd file{event, POLLIN, 0};
      ppoll(&file, 1, nullptr, nullptr);
      const uint64_t woken = read_clock(CLOCK_MONOTONIC);
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(event, &count, sizeof(count));
      cpu.push_back(read_clock(CLOCK_THREAD_CPUTIME_ID) - before);
      latency.push_back(woken - written.load(std::memory_order_acquire));
      woken_times.store(i + 1, std::memory_order_release);
    }
  });
  for (int i = 0; i < wakes; ++i) {
    // Two writes would be one wake.
    do {
      std::this_thread::sleep_for(std::chrono::microseconds(silence_us));
    } while (woken_times.load(std::memory_order_acquire) < i);
    const uint64_t one = 1;
    written.store(read_clock(CLOCK_MONOTONIC), std::memory_order_release);
    [[maybe_unused]] const ssize_t put = ::write(event, &one, sizeof(one));
  }
  sleeper.join();
  std::printf("wake.latency.p50 %lu ns\n", static_cast<unsigned long>(median(&latency)));
  std::printf("wake.cpu.p50 %lu ns\n", static_cast<unsigned long>(median(&cpu)));
  ::close(event);
  return 0;
}
