// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_RANDOM_H_
#define SLUICE_SIM_RANDOM_H_

#include <array>
#include <cstdint>

#include "sim/time.h"

namespace sluice::sim {

// One block of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011): a keyed bijection whose outputs over a counter pass every known test of randomness.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The natural logarithm, for 0 < x < infinity and x not subnormal; within 2^-50 of the true value
// where that is below 1, and within 2^-50 of its size elsewhere. It is made of additions,
// multiplications and one division in a fixed order, so that every build computes the same bits,
// which the C library's logarithm does not promise.
double exact_log(double x);

// What numbers are for. Each purpose has its own, so that one more draw for one of them, or one
// more host, shifts no other's.
enum class Stream : uint32_t {
  kSpray = 0,       // Entity: the switch.
  kEcmp = 1,        // Entity: the switch.
  kLoss = 2,        // Entity: twice the link, plus 1 for the direction towards its end `a`.
  kStall = 3,       // Entity: the host.
  kFirstFree = 64,  // From here on for whoever drives the network.
};

// A sequence of random numbers that depends on (seed, stream, entity) alone. Number i of it is half
// a Philox block: key the seed, counter (i / 2, entity, stream).
class Random {
 public:
  Random(uint64_t seed, Stream stream, uint32_t entity)
      : seed_(seed), stream_(static_cast<uint32_t>(stream)), entity_(entity) {}

  uint64_t next() {
    if ((index_++ & 1) != 0) return spare_;
    return refill();
  }

  // A number in [0, bound), each as likely as another; 0 when the bound is 0.
  uint64_t below(uint64_t bound);

  // In [0, 1), a multiple of 2^-53.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // True with a probability of `chance` out of 2^32.
  bool happens(uint32_t chance) { return static_cast<uint32_t>(next() >> 32) < chance; }

  // Exponentially distributed with this mean, rounded down; at most 36.8 times the mean.
  Picos exponential(Picos mean);

 private:
  uint64_t refill();

  uint64_t seed_;
  uint64_t index_ = 0;
  uint64_t spare_ = 0;
  uint32_t stream_;
  uint32_t entity_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_RANDOM_H_
