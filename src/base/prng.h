// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_PRNG_H_
#define SLUICE_BASE_PRNG_H_

#include <bit>
#include <cstdint>

#include "base/hash.h"

namespace sluice::base {

// One step of the splitmix64 generator; it turns any seeds, even similar ones, into unlike streams.
constexpr uint64_t splitmix64(uint64_t* state) {
  *state += 0x9E3779B97F4A7C15u;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// xoshiro256**, seeded by splitmix64: the same numbers on every machine and in every build. Never
// for keys, cookies or anything a peer must not guess.
class Prng {
 public:
  explicit constexpr Prng(uint64_t seed) {
    for (uint64_t& word : state_) word = splitmix64(&seed);
  }

  constexpr uint64_t next_u64() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // A number in [0, bound), each as likely as another; 0 when the bound is 0. It rejects the few
  // draws that would favour small results (Lemire's method).
  constexpr uint64_t uniform(uint64_t bound) {
    if (bound == 0) return 0;
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(next_u64()) * bound;
    if (static_cast<uint64_t>(product) < bound) {
      const uint64_t unfair = (0 - bound) % bound;
      while (static_cast<uint64_t>(product) < unfair) {
        product = static_cast<Wide>(next_u64()) * bound;
      }
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // True `ppm` times in a million.
  constexpr bool chance_ppm(uint32_t ppm) { return uniform(1'000'000) < ppm; }

  // An independent generator named by `stream_id`. It depends on this one's state and leaves that
  // unchanged, so that a further stream does not disturb the others.
  constexpr Prng split(uint64_t stream_id) const {
    return Prng(mix64(stream_id, state_[0] ^ std::rotl(state_[2], 29)) ^ state_[3]);
  }

 private:
  uint64_t state_[4] = {};
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_PRNG_H_
