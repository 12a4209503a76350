// SPDX-License-Identifier: Apache-2.0
//
// Flooding: packets that cost their receiver as much as a stranger can make them, by class; first
// packets of clients that do not exist; and handshakes that are opened and left.
#ifndef SLUICE_TEST_ATTACK_FLOOD_H_
#define SLUICE_TEST_ATTACK_FLOOD_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "base/prng.h"
#include "packet.h"

namespace sluice::attack {

// What a receiver has to find out about a packet before it may drop it.
enum class Garbage : uint8_t {
  kMalformed,       // Of another version: the first look tells.
  kUnknownSession,  // Well-formed, of a session that is not there.
  kReplayed,        // Sent before, word for word.
  kWrongTag,        // Of a session that is there, with a number of its own: it has to be opened.
  kBadCookie,       // A hello whose token this server has not made.
  kFirstPacket,     // A hello without a token: the answer is a cookie.
};
inline constexpr Garbage kAllGarbage[] = {Garbage::kMalformed, Garbage::kUnknownSession,
                                          Garbage::kReplayed,  Garbage::kWrongTag,
                                          Garbage::kBadCookie, Garbage::kFirstPacket};
const char* garbage_name(Garbage kind);

// The `number`-th piece of garbage of this kind, by somebody who has seen `true_packet`, a sealed
// packet of the session under attack (which is also what kReplayed repeats).
Bytes garbage(Garbage kind, const Packet& true_packet, uint64_t number, base::Prng* prng);

// A full first CLIENT_HELLO packet of an attempt, of mechanism 1 (a pre-shared key) or 2 (TLS),
// with this token and all after it made up; fragment 0 of `fragments`.
Bytes hello_packet(uint64_t attempt, uint8_t mechanism, const Bytes& token, uint8_t fragments,
                   base::Prng* prng);

// A client that proves its address and then stops in the middle of its hello.
class HalfOpen {
 public:
  HalfOpen(uint64_t attempt, uint8_t mechanism) : attempt_(attempt), mechanism_(mechanism) {}

  Bytes first(base::Prng* prng) const { return hello_packet(attempt_, mechanism_, {}, 1, prng); }
  // What to say to an answer: half a hello with the cookie in it, once; nothing to anything else.
  std::optional<Bytes> answer(const Bytes& packet, base::Prng* prng);
  bool opened() const { return opened_; }

 private:
  uint64_t attempt_;
  uint8_t mechanism_;
  bool opened_ = false;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_FLOOD_H_
