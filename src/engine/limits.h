// SPDX-License-Identifier: Apache-2.0
//
// Every named limit of the engine. Reaching one is counted (engine/stats.h) or refused with a
// status.
#ifndef SLUICE_ENGINE_LIMITS_H_
#define SLUICE_ENGINE_LIMITS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "base/types.h"

namespace sluice::engine::limits {

// Frames of one receive or transmit burst; memif of DPDK 22.11 wants 64 at most.
inline constexpr size_t kBurst = 32;
// Hellos a second that a node with certificates looks into: each costs a signature and a key
// exchange, some 0.3 ms, before the client has proved more than its address.
inline constexpr uint32_t kTlsHelloRate = 1000;
// A burst is answered in parts, so that the peer works on the first while the rest is read: two
// full bundles, or as many packets of other kinds as make the calls into the AEAD worth while.
inline constexpr size_t kPartWeight = 16;
inline constexpr size_t kBundleWeight = 8;
// Transmit bursts of one turn of the loop, so that receiving is not starved.
inline constexpr size_t kMaxTransmitRounds = 4;
// Packets waiting for another lcore, in its ring.
inline constexpr uint32_t kHandoverRing = 1024;
// Frames waiting to be sent for the control thread or another lcore, in the lcore's ring.
inline constexpr uint32_t kInjectRing = 512;
// An lcore that may sleep does so for no shorter time than this: falling asleep and waking take
// half of it. Nor does it sleep in longer steps, or poll longer after its last work, than these.
inline constexpr base::Nanos kShortestSleep = base::micros(50);
inline constexpr base::Nanos kLongestStep = base::seconds(1);
inline constexpr base::Nanos kLongestSpin = base::seconds(1);
// Commands waiting for an lcore.
inline constexpr uint32_t kTaskRing = 4096;
// Frames waiting for the control thread of a node.
inline constexpr uint32_t kControlRing = 512;
// Buffers that the control thread of a node has for its own frames.
inline constexpr uint32_t kControlBuffers = 511;
// Buffers of an lcore's pool beside those in its ports' queues: bursts under way, caches, rings
// between lcores; and more of them for each port.
inline constexpr uint32_t kSpareBuffers = 1024;
inline constexpr uint32_t kSpareBuffersOfPort = 1024;
// Paths (peer address and port) of one node.
inline constexpr uint32_t kMaxRoutes = 4096;
// Neighbours known or asked for on one port.
inline constexpr size_t kMaxNeighbours = 1024;
// Handshake packets of one node that wait for a neighbour's answer.
inline constexpr size_t kMaxWaitingFrames = 256;
// Ports of one node, and nodes of one engine.
inline constexpr size_t kMaxPorts = 8;
inline constexpr size_t kMaxNodes = 8;
// A frame that a port has not taken for so long is dropped: its cable is not plugged in.
inline constexpr base::Nanos kPortPatience = base::millis(5);
// Sessions with peers of one address that chose one id, of which a RESET is held to the tokens.
inline constexpr size_t kMaxResetLook = 4;
// Packets of unknown sessions that one lcore passes on per second.
inline constexpr uint32_t kResetsPerSecond = base::limits::kMaxResetsPerSecond;
// Packets of one node that wait for their session's lanes: answers to early requests.
inline constexpr size_t kMaxHeldPackets = 64;
// How long a record of the audit log may be lost to a loss of power, but for acceptances of
// sessions, which are durable before the peer hears of them.
inline constexpr base::Nanos kAuditSyncInterval = base::seconds(1);
// Records that wait for an audit log that cannot be written; more are lost, and counted.
inline constexpr size_t kMaxAuditBacklog = 4096;
// Refusals a second of peers that have proved no name, each of which the audit log gets a record
// of; the rest are counted in the next one. Strangers could fill a disk otherwise.
inline constexpr uint32_t kAuditStrangersPerSecond = 10;
// What peers use that is counted one by one on an lcore (a session, a service, a way, allowed or
// not), and how much of that a lane may take, so that no peer takes all of it. Beyond that messages
// are judged all the same, and counted together: those of the lane, then those of the lcore.
inline constexpr size_t kMaxUses = 4096;
inline constexpr uint16_t kMaxUsesOfLane = 32;
// Contexts of inline crypto that one lcore holds in its ports. A lane has two, one of its epoch and
// one of that before; further ones are sealed by the CPU, and counted.
inline constexpr size_t kMaxInlineContexts = 255;

// Contexts that are closed stay with a real device for so long: longer than a frame can lie in a
// transmit ring (4096 frames of 9000 bytes, at 1 Gb/s, take 0.3 s).
inline constexpr std::chrono::milliseconds kContextDrain{1000};
// Keys that sessions of a crypto device are kept for (lookaside), for each queue pair. Among more
// of them, those that meet in one place make their sessions anew each time.
inline constexpr size_t kLookasideKeys = 128;
// So often a crypto device is looked at in vain, about a second, before it is given up.
inline constexpr uint64_t kCryptoLooks = 20'000'000;
// Contexts of the model NIC of one port.
inline constexpr uint32_t kMaxModelContexts = 4096;
// The largest MTU of a port, in bytes of an IP packet.
inline constexpr uint32_t kMaxMtu = base::limits::kMaxPathMtu;
inline constexpr uint32_t kMinMtu = base::limits::kMinPathMtu;

}  // namespace sluice::engine::limits

#endif  // SLUICE_ENGINE_LIMITS_H_
