// SPDX-License-Identifier: Apache-2.0
//
// Dropping, delaying, repeating, replaying, reflecting and altering what passes, all from one seed.
#ifndef SLUICE_TEST_ATTACK_MEDDLER_H_
#define SLUICE_TEST_ATTACK_MEDDLER_H_

#include <cstdint>
#include <vector>

#include "base/prng.h"
#include "base/types.h"
#include "packet.h"
#include "recording.h"

namespace sluice::attack {

// In parts per million of the packets that pass.
struct MeddlerRates {
  uint32_t drop = 0;
  uint32_t delay = 0;    // By up to `delay_most`, so that it is reordered as well.
  uint32_t repeat = 0;   // Twice.
  uint32_t replay = 0;   // Beside it, any packet of before.
  uint32_t reflect = 0;  // Back to its sender, beside going on.
  uint32_t alter = 0;    // A field of its header, or a bit anywhere, or its length: in its place.
  base::Nanos delay_most = base::micros(200);
};

// A packet to send on, so much later.
struct Passed {
  Packet packet;
  base::Nanos delay;
};

class Meddler {
 public:
  Meddler(const MeddlerRates& rates, uint64_t seed) : rates_(rates), prng_(seed) {}

  void set_rates(const MeddlerRates& rates) { rates_ = rates; }
  // What becomes of a packet.
  std::vector<Passed> pass(const Packet& packet);
  // Packets to which something was done.
  uint64_t meddled() const { return meddled_; }
  const Recording& seen() const { return seen_; }

 private:
  bool fires(uint32_t ppm);
  Packet altered(const Packet& packet);

  MeddlerRates rates_;
  base::Prng prng_;
  Recording seen_{256};
  uint64_t meddled_ = 0;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_MEDDLER_H_
