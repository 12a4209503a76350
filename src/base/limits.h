// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_LIMITS_H_
#define SLUICE_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "base/types.h"

// Every named limit of floors 0 to 3. Where an endpoint's configuration carries a field of the
// same meaning, the value here is the most it may ask for, or its default when named so.
namespace sluice::base::limits {

// Packets.

// The longest message, and the largest offset a header can carry beyond its first byte.
inline constexpr uint32_t kMaxMessageBytes = 1u << 30;
// The smallest path MTU (IP packet, bytes) a session starts from; every IPv6 path carries it.
inline constexpr uint32_t kMinPathMtu = 1280;
// The largest path MTU (IP packet, bytes) a probe asks for: a jumbo frame.
inline constexpr uint32_t kMaxPathMtu = 9000;
// Bytes free in front of a packet's Sluice header for everything a frame template prepends:
// Ethernet 14, VLAN 4, IPv6 40, UDP 8, rounded up to keep the header aligned.
inline constexpr uint32_t kFrameHeadroom = 128;
// Packets handed over in one receive or transmit burst.
inline constexpr size_t kMaxBurst = 64;
// The longest clear part (frames) of one bundle, in bytes.
inline constexpr uint32_t kMaxBundleClearBytes = 1024;
// A message of at most this many bytes may travel inside a bundle; a longer one gets DATA packets.
inline constexpr uint32_t kMaxBundledMessageBytes = 1024;
// Fragments one handshake message may be cut into.
inline constexpr uint8_t kMaxHandshakeFragments = 16;
// The longest handshake message, in bytes, that is reassembled.
inline constexpr uint32_t kMaxHandshakeBytes = 16384;

// Sessions and lanes.

// Lanes of one session; the lane number 0xFF is taken by handshakes.
inline constexpr uint32_t kMaxLanesPerSession = 128;
// Lanes of all sessions on one lcore.
inline constexpr uint32_t kMaxLanes = 1u << 20;
// Sessions one endpoint holds by default; a further handshake is refused and counted.
inline constexpr uint32_t kDefaultMaxSessions = 4096;
// Handshakes one endpoint has under way at once; a further one is dropped and counted.
inline constexpr uint32_t kMaxPendingHandshakes = 1024;
// Services (handlers) one endpoint can register.
inline constexpr uint32_t kMaxServices = 256;
// Stateless resets an endpoint sends per second at most.
inline constexpr uint32_t kMaxResetsPerSecond = 1000;

// Exchanges.

// Exchanges (calls and one-ways, either direction) one endpoint holds by default.
inline constexpr uint32_t kDefaultMaxExchanges = 16384;
// Exchanges one caller may have open on one lane: how far its ids may run ahead of the floor. The
// callee remembers this many ids, so that a duplicate is known as one.
inline constexpr uint32_t kMaxIdsAboveFloor = 8192;
// Separate received ranges remembered for one incoming message; a packet that would make one more
// is dropped, counted and asked for again.
inline constexpr size_t kMaxReceivedRanges = 32;
// Separate ranges to resend remembered for one outgoing message.
inline constexpr size_t kMaxResendRanges = 16;
// Control frames that wait for one lane's next bundle; further ones are dropped and counted, since
// each is repeated by its own timer.
inline constexpr size_t kMaxPendingFrames = 256;

// Budgets.

// Bytes of record mode's packets that an endpoint holds unverified, by default: 255 records whose
// other packets have not come yet. The oldest makes room and is asked for again in packet mode.
inline constexpr uint64_t kDefaultUnverifiedBytes = 4ull << 20;
// Such records of one lane, so that who can forge packets of a session disturbs that one alone.
inline constexpr uint32_t kMaxUnverifiedRecordsPerLane = 16;
// Separate pieces remembered of one such record, of which a path's smallest packets make 15; a
// packet that would make one more is dropped and counted.
inline constexpr size_t kMaxRecordPieces = 8;
// Bytes a sender puts on the wire for one message before any grant, by default.
inline constexpr uint32_t kDefaultUnscheduledBytes = 60'000;
// Bytes of landing memory an endpoint holds by default (a power of two).
inline constexpr uint64_t kDefaultLandingBytes = 256ull << 20;
// Bytes that peers may make this endpoint resend, per message: its length times this factor.
inline constexpr uint32_t kMaxResendFactor = 8;
// Messages a receiver grants to at once.
inline constexpr uint32_t kMaxOvercommit = 16;
// Events that wait for the application; when the queue is full no further message is delivered.
inline constexpr uint32_t kDefaultMaxEvents = 65536;

// Crypto.

// Width, in record numbers, of the replay window over the counter space.
inline constexpr uint32_t kReplayWindowBits = 4096;
// Cipher blocks (16 bytes) that may be sealed under one key: RFC 9001 appendix B.1.1 allows AES-GCM
// 2^28 packets of 2^7 blocks each.
inline constexpr uint64_t kMaxSealedBlocksPerKey = 1ull << 35;
// Tickets that have brought early data, of one generation, which a server remembers; with more,
// early data is refused until the next generation begins, and sessions are not.
inline constexpr size_t kMaxStruckTickets = 65536;
// How long a generation lasts: a ticket of an earlier one brings no early data.
inline constexpr Nanos kStrikeGeneration = seconds(600);
// Requests that one hello brings early, and the bytes of one of them. What is more, or longer, is
// sent when the session is there.
inline constexpr size_t kMaxEarlyRequests = 16;
inline constexpr size_t kMaxEarlyRequestBytes = kMaxBundledMessageBytes;
// All bytes of early requests together, so that the hello fits its fragments.
inline constexpr size_t kMaxEarlyBytes = 8192;
// Servers whose address tokens a client remembers; a further one takes another's place.
inline constexpr size_t kMaxAddressTokens = 1024;
// X25519 key pairs made ahead of the handshakes that use them.
inline constexpr size_t kMaxKeyShares = 64;
// Bytes a pre-shared key must have at least.
inline constexpr size_t kMinPskBytes = 32;
// The longest pre-shared key, in bytes.
inline constexpr size_t kMaxPskBytes = 1024;
// The longest pre-shared-key identity, in bytes.
inline constexpr size_t kMaxPskIdentityBytes = 128;

// Times.

// The shortest and the longest retransmission timeout.
inline constexpr Nanos kMinRetransmitTimeout = micros(100);
inline constexpr Nanos kMaxRetransmitTimeout = millis(500);
// Silence after which a peer counts as lost, by default.
inline constexpr Nanos kDefaultPeerTimeout = seconds(3);
// How long the receive keys of the previous epoch stay usable.
inline constexpr Nanos kPreviousEpochGrace = seconds(1);
// How long a cookie is accepted after it was made.
inline constexpr Nanos kCookieLifetime = seconds(10);
// How long an address token is accepted after it was given.
inline constexpr Nanos kAddressTokenLifetime = seconds(3600);
// The whole of a handshake, retries included, by default.
inline constexpr Nanos kDefaultHandshakeTimeout = seconds(5);

}  // namespace sluice::base::limits

#endif  // SLUICE_BASE_LIMITS_H_
