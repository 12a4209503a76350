// SPDX-License-Identifier: Apache-2.0
//
// Forging: packets of every type and control frames of every type, by somebody who has read the
// headers of a session and holds none of its keys.
#ifndef SLUICE_TEST_ATTACK_FORGE_H_
#define SLUICE_TEST_ATTACK_FORGE_H_

#include <vector>

#include "base/prng.h"
#include "packet.h"
#include "wire/control_frames.h"

namespace sluice::attack {

// A well-formed frame of this type that would do harm if it were believed: it ends, grants,
// releases or asks for as much as can be. `id` names the exchange it is about.
Bytes harmful_frame(wire::FrameType type, uint64_t id);

// Every type, in order.
std::vector<wire::FrameType> frame_types();

// For each bundle that was seen, a bundle of its session with each harmful frame, about ids near
// those in use, with a number ahead of it, and a tag that is random, zero, or the one that was
// seen.
std::vector<Forgery> forge_control(const std::vector<Packet>& seen, base::Prng* prng);

// For each DATA or RECORD packet that was seen, one of its session with other content: of a new
// message, of the same message, with numbers ahead. And whole garbage after its header.
std::vector<Forgery> forge_data(const std::vector<Packet>& seen, base::Prng* prng);

// RESETs of every session that was seen, with a token that is random, zero or cut out of traffic;
// and packets of every type byte there is.
std::vector<Forgery> forge_types(const std::vector<Packet>& seen, base::Prng* prng);

// HANDSHAKE packets of every message type, known or not, of attempts that were seen and of others.
std::vector<Forgery> forge_handshakes(const std::vector<Packet>& seen, base::Prng* prng);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_FORGE_H_
