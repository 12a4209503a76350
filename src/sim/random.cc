// SPDX-License-Identifier: Apache-2.0
#include "sim/random.h"

#include <bit>

namespace sluice::sim {
namespace {

constexpr int kRounds = 10;
constexpr double kLn2 = 0.693147180559945309417232121458176568;
// Of artanh(s) / s in the powers of s^2, the highest first.
constexpr double kArtanh[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                              1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
        static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

double exact_log(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s), s = (m - 1) / (m + 1), whose
  // series is cut where its next term, below 2 s^21 / 21 with |s| < 0.1716, is under 2^-55.
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  if (m >= 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double sum = 0;
  for (const double coefficient : kArtanh) sum = sum * square + coefficient;
  return exponent * kLn2 + 2.0 * s * sum;
}

uint64_t Random::refill() {
  const uint64_t block = index_ / 2;
  const auto words =
      philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), entity_, stream_},
             {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
  spare_ = uint64_t{words[3]} << 32 | words[2];
  return uint64_t{words[1]} << 32 | words[0];
}

uint64_t Random::below(uint64_t bound) {
  if (bound == 0) return 0;
  // Lemire's method: the few draws that would favour small results are rejected.
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t unfair = (0 - bound) % bound;
    while (static_cast<uint64_t>(product) < unfair) product = static_cast<Wide>(next()) * bound;
  }
  return static_cast<uint64_t>(product >> 64);
}

Picos Random::exponential(Picos mean) {
  // 1 - unit() lies in (0, 1], whose logarithm is finite.
  const double scaled = -exact_log(1.0 - unit()) * static_cast<double>(mean.value());
  return Picos(static_cast<uint64_t>(scaled));
}

}  // namespace sluice::sim
