// SPDX-License-Identifier: Apache-2.0
//
// The bare round trip of a cache line between two CPUs, in nanoseconds: the floor under everything
// that crosses from one lcore to another. usage: core_probe CPU CPU
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr int kSamples = 400;
constexpr int kTripsPerSample = 500;

struct alignas(128) Line {
  std::atomic<uint32_t> value{0};
};

bool pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof(set), &set) == 0;
}

// Answers every step until the last one.
void answer(unsigned cpu, Line* there, Line* back, uint32_t steps) {
  pin(cpu);
  for (uint32_t step = 1; step <= steps; ++step) {
    while (there->value.load(std::memory_order_acquire) != step) {
    }
    back->value.store(step, std::memory_order_release);
  }
}

std::vector<double> measure(Line* there, Line* back) {
  std::vector<double> samples;
  uint32_t step = 0;
  for (int i = 0; i < kSamples; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    for (int trip = 0; trip < kTripsPerSample; ++trip) {
      there->value.store(++step, std::memory_order_release);
      while (back->value.load(std::memory_order_acquire) != step) {
      }
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begun;
    samples.push_back(taken.count() / kTripsPerSample);
  }
  return samples;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: core_probe CPU CPU\n");
    return 2;
  }
  const auto here = static_cast<unsigned>(std::atoi(argv[1]));
  const auto other = static_cast<unsigned>(std::atoi(argv[2]));
  if (here == other || !pin(here)) {
    std::fprintf(stderr, "core_probe: needs two CPUs that it may run on\n");
    return 1;
  }
  static Line there;
  static Line back;
  std::thread thread(answer, other, &there, &back, uint32_t{kSamples} * kTripsPerSample);
  std::vector<double> samples = measure(&there, &back);
  thread.join();
  std::sort(samples.begin(), samples.end());
  std::printf("probe.round_trip %.1f ns\n", samples[samples.size() / 2]);
  return 0;
}
