// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_CONFIG_H_
#define SLUICE_TRANSPORT_CONFIG_H_

#include <algorithm>
#include <cstdint>

#include "base/limits.h"
#include "base/types.h"

namespace sluice::transport {

class CreditBoard;

// Which grant policy an endpoint runs; a new policy is one file and one enumerator.
enum class GrantPolicyKind : uint8_t { kHoma, kSird, kHybrid, kFair };

// When missing bytes count as lost: kGap where a message keeps to one path, kRack where its packets
// take several, sprayed by the network or, where that goes by UDP source ports, by the endpoint.
enum class RecoveryKind : uint8_t { kGap, kRack };

// An endpoint that is driven later than it asked for, by more than this share of the peer timeout,
// has been the silent one itself: the delay does not count as its peers' silence.
inline constexpr uint32_t kOwnStallShare = 4;

// Everything an endpoint is told at construction. All memory is taken then, from these figures;
// nothing is allocated afterwards. Each limit, when reached, is a counted event (Stats).
struct EndpointConfig {
  uint32_t max_exchanges = 16384;      // RPCs and one-way messages in any state, both roles.
  uint32_t max_lanes = 256;            // One per session with this lcore in it, per lane pair.
  uint32_t max_busy_lanes = 1024;      // Of them, on which something may be under way at a time.
  uint32_t max_reassemblies = 4096;    // Multi-packet messages being received at a time.
  uint64_t arena_bytes = 64ull << 20;  // Landing and response memory; a power of two.
  uint32_t max_buffered_message = 1u << 20;  // Larger messages need named memory or streaming.
  uint32_t max_message = 1u << 30;           // Refused above: kTooLarge.
  uint32_t max_packet = 1452;                // Sluice packet bytes that the local port can carry.
  uint32_t base_packet = 1200;         // Sluice packet bytes assumed to pass any path (RFC 8899).
  uint32_t unscheduled_bytes = 65536;  // Sent per message before any grant.
  uint32_t max_incoming_bytes = 1u << 20;  // Granted and not yet received, over all messages.
  uint32_t grant_increment = 16384;        // Grants are coalesced to steps of at least this.
  uint8_t overcommit = 8;                  // Messages granted at a time.
  // Of kSird, kHybrid and kFair: what all senders together may have under way (SIRD's B, 1.5
  // bandwidth-delay products), and of the first two, what one may have at most (one product).
  uint32_t credit_bytes = 1u << 20;
  uint32_t most_credit_bytes = 0;  // With congested senders; 0: the same.
  uint32_t sender_credit_bytes = 640u << 10;
  // Shared by the endpoints of one host, which it outlives: those figures are for all of them then,
  // and this one is its member of that number. Null: it is alone. (kSird and kHybrid)
  CreditBoard* credit_board = nullptr;
  uint32_t credit_member = 0;
  uint32_t credit_spread = 3;  // Where so many senders wait, one has its share of that at most.
  uint32_t fifo_share = 16;    // One of so many granted bytes goes to the oldest; 0: none.
  uint32_t blind_bytes = UINT32_MAX;  // Longer messages ask for credit before they send.
  uint32_t turn_share = 8;            // One of so many granted packets goes in turn; 0: none.
  // A sender with more granted and not sent bytes than this says so in its packets (SIRD's SThr).
  uint32_t congested_sender_bytes = 256u << 10;
  // And of a message with more of them, that it waits for others.
  uint32_t outranked_bytes = 64u << 10;
  // Take records of several packets (PROTOCOL.md §18), and send them to peers that do as well.
  bool record_mode = false;
  // Send and take packets in the form of ESP (§18.4), where InstallLane::esp says so.
  bool esp = false;
  // Ask peers for padded messages (§19). The endpoint pads where InstallLane::padded says so.
  bool padding = false;
  uint64_t unverified_bytes = base::limits::kDefaultUnverifiedBytes;  // Of such, then; see there.
  bool bundling = true;                           // Small messages and control share a packet.
  uint32_t bundle_message_max = 512;              // Larger messages travel in packets of their own.
  base::Nanos rto_min = base::micros(200);        // Floor of every retransmission timer.
  base::Nanos rto_initial = base::millis(1);      // Before the first round-trip sample.
  base::Nanos rto_max = base::millis(50);         // Ceiling of the back-off.
  base::Nanos peer_timeout = base::millis(1000);  // Silence, with work pending, that ends a peer.
  base::Nanos idle_timeout = base::seconds(600);  // Silence without work that forgets a peer.
  base::Nanos release_delay = base::micros(50);   // Longest wait of a FLOOR for company.
  base::Nanos probe_interval = base::seconds(60);  // Between path MTU searches.
  GrantPolicyKind grant_policy = GrantPolicyKind::kHybrid;
  RecoveryKind recovery = RecoveryKind::kGap;
  bool shuffle_deliveries = false;  // Debug: deliver ready messages in random order.
  uint64_t seed = 1;                // For hash seeds, entropy and shuffling; never for keys.

  uint32_t busy_lanes() const { return std::min(max_lanes, max_busy_lanes); }
  bool several_paths() const { return recovery == RecoveryKind::kRack; }
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CONFIG_H_
