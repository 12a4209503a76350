// SPDX-License-Identifier: Apache-2.0
//
// Truncating and lengthening, and single bits of what is sealed.
#ifndef SLUICE_TEST_ATTACK_CUT_H_
#define SLUICE_TEST_ATTACK_CUT_H_

#include <vector>

#include "base/prng.h"
#include "packet.h"

namespace sluice::attack {

// Every length from 0 up around the headers and the tag, and some between; and a few bytes more.
std::vector<Forgery> cut_and_lengthen(const Packet& packet);

// One bit of what is not in a header: `count` of them anywhere in the sealed part, the tag
// included, and one in each byte of a bundle's frames.
std::vector<Forgery> flip_bits(const Packet& packet, size_t count, base::Prng* prng);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_CUT_H_
