// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENGINE_CLOCK_H_
#define SLUICE_ENGINE_CLOCK_H_

#include <cstdint>

#include "base/types.h"

namespace sluice::engine {

// Ticks to nanoseconds by one multiplication and one shift.
struct TickScale {
  uint64_t multiplier = 1;
  uint32_t shift = 0;

  // Exact to 2^-31 relative; `hz` is 1 MHz to 100 GHz.
  static TickScale from_hz(uint64_t hz);

  uint64_t to_nanos(uint64_t ticks) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Wide>(ticks) * multiplier) >> shift);
  }
};

// Nanoseconds since the clock was made: the processor's time-stamp counter where it runs at one
// rate on all CPUs, else the kernel's monotonic clock. Any thread; a thread that moves between
// CPUs may see it go back by some nanoseconds.
class Clock {
 public:
  // `tsc_hz` 0 takes the kernel's clock.
  explicit Clock(uint64_t tsc_hz);

  base::Nanos now() const {
    if (!uses_tsc_) return kernel_now() - kernel_base_;
    return base::Nanos(scale_.to_nanos(read_tsc() - tsc_base_));
  }
  bool uses_tsc() const { return uses_tsc_; }

  // Nanoseconds of the wall clock (since 1970) at this clock's zero.
  uint64_t wall_base() const { return wall_base_; }

 private:
  static uint64_t read_tsc() {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }
  static base::Nanos kernel_now();

  bool uses_tsc_ = false;
  TickScale scale_;
  uint64_t tsc_base_ = 0;
  base::Nanos kernel_base_;
  uint64_t wall_base_ = 0;
};

// Whether the time-stamp counter runs at one rate whatever the processor does.
bool tsc_is_invariant();

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CLOCK_H_
