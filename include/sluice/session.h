// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SESSION_H_
#define SLUICE_SESSION_H_

#include <cstdint>
#include <string>

namespace sluice {

// Names a session: one handshake between a node of this engine and a peer. A copyable value of 8
// bytes that owns nothing; it may be used from every thread and outlive the session. Whatever is
// asked of a session that is gone ends with kNotFound.
struct Session {
  uint32_t id = 0;    // Chosen by this side; it is in every packet that the peer sends. Never 0.
  uint32_t node = 0;  // Index of the node in EngineOptions::nodes.

  bool valid() const { return id != 0; }
  friend bool operator==(const Session&, const Session&) = default;
};

// A snapshot of a session, from Engine::sessions() and Engine::session_info().
struct SessionInfo {
  Session session;
  bool initiator = false;    // This side began the handshake.
  std::string peer_address;  // "10.0.0.2" or "fd00::2".
  uint16_t peer_port = 0;    // The UDP port of the peer's first lcore.
  std::string peer_name;     // The DNS name that the peer proved; empty with pre-shared keys.
  // Who answers for the peer: the name of the CA that its certificates lead to; empty likewise.
  std::string responsible;
  // When the session ends because a certificate of either side does: nanoseconds since 1970, UTC;
  // 0 without certificates.
  uint64_t expires_unix_ns = 0;
  std::string algorithm;      // "aes-128-gcm", ...
  bool padded = false;        // Both sides conceal the lengths of messages.
  std::string records;        // "record mode", "packet mode", "ESP", or that and ": " and why.
  uint32_t lanes = 0;         // One per pair of lcores.
  uint32_t inline_lanes = 0;  // Of them those for which the port seals now, and not the CPU.
  uint64_t rtt_ns = 0;        // Smoothed round trip, best lane; 0 before the first sample.
  uint32_t packet_bytes = 0;  // Largest Sluice packet that the path is known to carry.
  uint64_t send_epoch = 0;    // Highest key epoch in use over the lanes.
  uint64_t receive_epoch = 0;
  uint32_t exchanges = 0;      // Calls and one-way messages in any state, both directions.
  uint64_t last_heard_ns = 0;  // Age of the last verified packet.
};

}  // namespace sluice

#endif  // SLUICE_SESSION_H_
