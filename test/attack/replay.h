// SPDX-License-Identifier: Apache-2.0
//
// Replaying what was recorded, within a session, into another one or into another life of a
// server; and reflecting it to who has sent it.
#ifndef SLUICE_TEST_ATTACK_REPLAY_H_
#define SLUICE_TEST_ATTACK_REPLAY_H_

#include <vector>

#include "base/prng.h"
#include "packet.h"

namespace sluice::attack {

// All of it once more: as it went, backwards, and shuffled.
std::vector<Forgery> replay(const std::vector<Packet>& recorded, base::Prng* prng);

// Sealed packets of one session made to look like those of another, whose session id, lane and
// epoch are taken from a packet `into` of the same way.
std::vector<Forgery> transplant(const std::vector<Packet>& recorded, const Packet& into);

// Back to the sender: as they are, with the session id that the sender listens to (taken from
// packets the other way), and with the roles of caller and callee exchanged as well.
std::vector<Forgery> reflect(const std::vector<Packet>& recorded);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_REPLAY_H_
