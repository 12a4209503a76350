// SPDX-License-Identifier: Apache-2.0
//
// What a Connector is told and what it tells: configuration, packets, events, counters.
#ifndef SLUICE_TRANSPORT_CONNECTOR_TYPES_H_
#define SLUICE_TRANSPORT_CONNECTOR_TYPES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "base/types.h"
#include "crypto/handshake.h"
#include "transport/peer_address.h"
#include "transport/stats.h"

namespace sluice::transport {

struct ConnectIdTag;
// Names one call of Connector::connect(); 0 is never given out.
using ConnectId = base::StrongInt<ConnectIdTag, uint64_t>;

// Each limit, when reached, is counted in ConnectorStats.
struct ConnectorConfig {
  // What this endpoint says of itself; `session_id` and `instance` are filled in per handshake.
  crypto::SessionParameters parameters;
  bool esp = false;     // Take packets of ESP; the base of their SPIs is filled in likewise.
  bool accept = false;  // Take the server's part too; without, hellos are refused.

  uint32_t max_sessions = base::limits::kDefaultMaxSessions;    // Ids out at a time; up to 65536.
  uint32_t max_attempts = base::limits::kMaxPendingHandshakes;  // connect() calls under way.
  uint32_t max_pending = base::limits::kMaxPendingHandshakes;   // Unfinished as server.
  uint32_t max_pending_per_address = 256;                       // The same, from one IP address.
  uint32_t unproved_rate = 20000;      // Answers a second to hellos without a valid token.
  uint32_t proved_rate = 20000;        // Hellos a second, with a valid token, that are looked into.
  uint32_t max_queued_packets = 4096;  // Waiting for poll_tx(); more are dropped.
  uint32_t max_refusal_events = 64;    // kRefusedPeer events waiting; more are counted only.

  base::Nanos retry_initial = base::millis(5);  // First repetition of a flight; doubles each time.
  base::Nanos retry_max = base::millis(250);
  // A client that was hinted a refusal goes on trying for this long and then reports it, or until
  // its own deadline if that is sooner. Nanos::max(): always until the deadline. Half a second is
  // some seven repetitions of the hello, so that a forged hint does not win over lost packets, and
  // leaves a busy machine as much again to end a refused program within a second.
  base::Nanos refused_patience = base::millis(500);
  // After this long an unfinished handshake is forgotten by the server.
  base::Nanos pending_timeout = base::limits::kDefaultHandshakeTimeout;
  // For this long after its end the server repeats the last message to a client that asks.
  base::Nanos linger = base::limits::kDefaultHandshakeTimeout;
};

// nullptr when `config` is usable, else a sentence that says what to change.
const char* connector_config_error(const ConnectorConfig& config);

// A HANDSHAKE packet to send, from the common header on. The engine sends it from the local base
// UDP port, since answers go to the port that a packet came from.
struct HandshakePacket {
  PeerAddress to;
  std::vector<uint8_t> bytes;
};

enum class ConnectorEventKind : uint8_t {
  kEstablished,  // A session: `result` holds everything to install it.
  // As server, of a session whose kEstablished said `early`: the client has finished. `result` is
  // as before but for the peer's reset token; `replaced` is told now.
  kConfirmed,
  kWithdrawn,    // The handshake of an `early` session has failed: its session ends, for `reason`.
  kFailed,       // A connect() ended without a session: `code` and `reason`. Said once.
  kRefusedPeer,  // As server: a hello from a proved address was refused; for the operator's log.
};

struct ConnectorEvent {
  ConnectorEventKind kind = ConnectorEventKind::kFailed;
  ConnectId connect;       // 0 when the peer began.
  bool initiator = false;  // True on the side that began.
  PeerAddress peer;
  base::Code code = base::Code::kOk;
  std::string reason;  // A sentence for the user, without secrets; empty on success.
  crypto::RefuseReason refuse = crypto::RefuseReason::kNone;
  bool refused_here = false;  // That was this side's decision; else the peer said so, or hinted it.
  // kEstablished: the local session id is result.local.session_id, the peer's is
  // result.peer.session_id. The local id stays taken until Connector::release_session().
  crypto::HandshakeResult result;
  // kEstablished: requests have come, or were taken, early (result.early, result.early_taken), and
  // the handshake is not over. As server the client's presence is proved by no more than a ticket's
  // first use: kConfirmed or kWithdrawn follows.
  bool early = false;
  // kEstablished, kConfirmed: sessions with an earlier life of the same peer. It has proved to be
  // gone, so the engine closes them (and releases their ids).
  std::vector<base::SessionId> replaced;
};

// Name and meaning of every counter; the names are stable.
#define SLUICE_CONNECTOR_COUNTERS(X)                                                              \
  X(rx_packets, "handshake.received", "HANDSHAKE packets given to on_packet")                     \
  X(tx_packets, "handshake.sent", "HANDSHAKE packets given out by poll_tx")                       \
  X(retransmitted, "handshake.retransmitted", "flights repeated by a client's timer")             \
  X(started, "handshake.started", "connects begun")                                               \
  X(established_client, "handshake.connected", "sessions established as client")                  \
  X(established_server, "handshake.accepted", "sessions established as server")                   \
  X(resumed, "handshake.resumed", "sessions established by a ticket of an earlier handshake")     \
  X(tickets_refused, "handshake.tickets_refused", "tickets not kept: too long for a hello")       \
  X(refusals_repeated, "handshake.refusals_repeated", "own refusals said once more")              \
  X(prepared, "handshake.prepared", "key pairs made ahead, while there was nothing to do")        \
  X(early_taken, "handshake.early.taken", "handshakes with early requests that were taken")       \
  X(early_refused, "handshake.early.refused", "early requests refused by ticket, age or policy")  \
  X(early_replayed, "handshake.early.replayed", "early requests refused: ticket used before")     \
  X(limit_strikes, "handshake.limit.strikes", "early requests refused: kMaxStruckTickets")        \
  X(early_withdrawn, "handshake.early.withdrawn", "sessions with early requests never finished")  \
  X(tokens_used, "handshake.tokens_used", "hellos whose address an earlier session had proved")   \
  X(limit_tokens, "handshake.limit.tokens", "address tokens forgotten: kMaxAddressTokens")        \
  X(failed, "handshake.failed", "connects that ended without a session")                          \
  X(replaced, "handshake.replaced", "sessions that yielded to a peer's new life")                 \
  X(retries_sent, "handshake.retries_sent", "HELLO_RETRY sent to prove an address")               \
  X(retries_received, "handshake.retries_received", "HELLO_RETRY obeyed")                         \
  X(refuses_sent, "handshake.refuses_sent", "REFUSE sent")                                        \
  X(refuses_received, "handshake.refuses_received", "REFUSE taken as a hint")                     \
  X(duplicates, "handshake.duplicates", "repeated messages answered by the same bytes")           \
  X(pending_expired, "handshake.pending_expired", "server's handshakes never finished in time")   \
  X(wrong_key, "handshake.wrong_key", "hellos whose proof of the key is wrong")                   \
  X(incompatible, "handshake.incompatible", "authentic hellos refused for their parameters")      \
  X(unauthorized, "handshake.unauthorized", "peers refused, or refusing, by certificate")         \
  X(drop_malformed, "handshake.dropped.malformed", "packets or messages that break the format")   \
  X(drop_type, "handshake.dropped.unknown_type", "messages of an unknown type")                   \
  X(drop_short_hello, "handshake.dropped.short_hello", "unproved hellos too short to answer")     \
  X(drop_unknown, "handshake.dropped.unknown_attempt", "messages of no handshake known here")     \
  X(drop_unexpected, "handshake.dropped.unexpected", "messages out of turn")                      \
  X(drop_not_authentic, "handshake.dropped.not_authentic", "messages whose MAC is wrong")         \
  X(drop_cookie_forged, "handshake.dropped.cookie_forged", "hellos with a token not made here")   \
  X(drop_cookie_expired, "handshake.dropped.cookie_expired", "hellos with a token too old")       \
  X(limit_unproved_rate, "handshake.limit.unproved_rate", "hellos over unproved_rate")            \
  X(limit_proved_rate, "handshake.limit.proved_rate", "hellos over proved_rate")                  \
  X(limit_attempts, "handshake.limit.attempts", "connects refused: max_attempts")                 \
  X(limit_pending, "handshake.limit.pending", "hellos refused: max_pending")                      \
  X(limit_address, "handshake.limit.address", "hellos refused: max_pending_per_address")          \
  X(limit_sessions, "handshake.limit.sessions", "handshakes refused: max_sessions")               \
  X(limit_linger, "handshake.limit.linger", "ended handshakes forgotten early: max_pending")      \
  X(limit_joins, "handshake.limit.joins", "fragments dropped: kMaxJoinedTypes")                   \
  X(limit_queue, "handshake.limit.queue", "packets dropped: max_queued_packets")                  \
  X(limit_refusal_events, "handshake.limit.refusal_events", "events dropped: max_refusal_events") \
  X(limit_retries, "handshake.limit.retries", "HELLO_RETRY not answered at once: kMaxRetries")    \
  X(stalls, "handshake.stalls", "times the connector was driven too late to judge its peers")

struct ConnectorStats {
#define SLUICE_DECLARE(field, name, help) Counter field;
  SLUICE_CONNECTOR_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

// Calls f(name, help, value) for each counter, in declaration order.
template <typename F>
void for_each_counter(const ConnectorStats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_CONNECTOR_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CONNECTOR_TYPES_H_
