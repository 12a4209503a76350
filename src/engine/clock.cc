// SPDX-License-Identifier: Apache-2.0
#include "engine/clock.h"

#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sluice::engine {
namespace {

uint64_t read_kernel(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

TickScale TickScale::from_hz(uint64_t hz) {
  TickScale scale;
  scale.shift = 32;
  __extension__ using Wide = unsigned __int128;
  const Wide nanos = static_cast<Wide>(1'000'000'000u) << scale.shift;
  scale.multiplier = static_cast<uint64_t>((nanos + hz / 2) / hz);
  return scale;
}

bool tsc_is_invariant() {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (edx & (1u << 8)) != 0;
#else
  return false;
#endif
}

base::Nanos Clock::kernel_now() { return base::Nanos(read_kernel(CLOCK_MONOTONIC)); }

Clock::Clock(uint64_t tsc_hz) : uses_tsc_(tsc_hz != 0) {
  if (uses_tsc_) scale_ = TickScale::from_hz(tsc_hz);
  tsc_base_ = read_tsc();
  kernel_base_ = kernel_now();
  wall_base_ = read_kernel(CLOCK_REALTIME);
}

}  // namespace sluice::engine
