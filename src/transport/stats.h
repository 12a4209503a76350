// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_STATS_H_
#define SLUICE_TRANSPORT_STATS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/types.h"
#include "transport/commands.h"

namespace sluice::transport {

// A counter with one writing thread and any number of readers: a plain add for the writer, a
// relaxed load for the others (telemetry), so that it costs no more than an integer.
class Counter {
 public:
  void add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Name and meaning of every counter of an endpoint; the names are stable (README.md lists them).
#define SLUICE_TRANSPORT_COUNTERS(X)                                                           \
  X(rx_packets, "packets.received", "packets given to on_rx")                                  \
  X(rx_bytes, "bytes.received", "Sluice bytes given to on_rx")                                 \
  X(tx_packets, "packets.sent", "packets filled by poll_tx")                                   \
  X(tx_bytes, "bytes.sent", "Sluice bytes filled by poll_tx")                                  \
  X(tx_data_packets, "packets.data", "packets carrying message bytes")                         \
  X(tx_control_packets, "packets.control", "packets carrying control frames only")             \
  X(tx_control_bytes, "control.bytes", "bytes of control frames and control-only packets")     \
  X(tx_retransmitted, "packets.retransmitted", "packets that repeat message bytes")            \
  X(tx_records, "records.sent", "records of several packets sealed (record mode)")             \
  X(tx_inline_records, "records.inline", "of those, left to the port to seal")                 \
  X(rx_records, "records.received", "such records whose tag and header verified")              \
  X(tx_esp, "esp.sent", "packets sent in the form of ESP")                                     \
  X(tx_inline_esp, "esp.inline", "of those, left to the port to seal")                         \
  X(rx_esp, "esp.received", "such packets whose tag and contents verified")                    \
  X(tx_bundles, "bundles.sent", "packets with more than one message in them")                  \
  X(rpc_started, "rpc.started", "calls accepted by submit")                                    \
  X(rpc_completed, "rpc.completed", "calls completed with kOk")                                \
  X(rpc_failed, "rpc.failed", "calls completed with any other code")                           \
  X(requests_delivered, "requests.delivered", "requests given to the application")             \
  X(oneways_sent, "oneway.completed", "one-way messages that the peer holds")                  \
  X(oneways_delivered, "oneway.delivered", "one-way messages given to the application")        \
  X(acks_held, "acks.held", "one-way messages whose ACK waited for company")                   \
  X(message_bytes_sent, "goodput.sent_bytes", "message bytes of completed sends, padded")      \
  X(message_bytes_delivered, "goodput.delivered_bytes", "message bytes delivered")             \
  X(grants_sent, "grants.sent", "GRANT frames sent")                                           \
  X(resends_sent, "resends.sent", "RESEND frames sent")                                        \
  X(resends_received, "resends.received", "RESEND frames obeyed")                              \
  X(paths_refused, "paths.refused", "paths of peers that were asked to leave them")            \
  X(paths_left, "paths.left", "paths left as the peer asked, or as time-outs told")            \
  X(timeouts, "timeouts", "retransmission timers that fired")                                  \
  X(key_updates, "keys.updated", "sending epochs begun")                                       \
  X(probes_sent, "probes.sent", "path MTU probes sent")                                        \
  X(drop_short, "dropped.short", "packets too short for their header")                         \
  X(drop_version, "dropped.version", "packets of another version")                             \
  X(drop_type, "dropped.unknown_type", "packets or frames of an unknown type")                 \
  X(drop_session, "dropped.unknown_session", "packets for a session not known here")           \
  X(drop_epoch, "dropped.epoch", "packets of an epoch without a key")                          \
  X(drop_tag, "dropped.tag", "packets, or records, whose tag did not verify")                  \
  X(drop_record_header, "dropped.record_header", "such with another header than was sealed")   \
  X(drop_record_piece, "dropped.record_piece", "their packets that overlap, or are too many")  \
  X(drop_spi, "dropped.spi", "ESP packets for an SPI that no lane has")                        \
  X(drop_esp_length, "dropped.esp_length", "ESP packets of a length that ESP cannot have")     \
  X(drop_esp_trailer, "dropped.esp_trailer", "those with another trailer than ours sealed in") \
  X(drop_esp_header, "dropped.esp_header", "those with another header in them than outside")   \
  X(drop_replay, "dropped.replay", "packets whose counter was seen or is too old")             \
  X(drop_duplicate, "dropped.duplicate", "data already received, or of a finished exchange")   \
  X(drop_late, "dropped.late", "data for a cancelled or expired exchange")                     \
  X(drop_malformed, "dropped.malformed", "verified packets that break a rule")                 \
  X(drop_padding, "dropped.padding", "messages of padded sessions that are padded otherwise")  \
  X(drop_ungranted, "dropped.ungranted", "data beyond what was granted")                       \
  X(drop_no_memory, "dropped.no_memory", "data without landing memory")                        \
  X(drop_no_exchange, "dropped.no_exchange", "messages refused as the table was full")         \
  X(drop_holes, "dropped.too_many_holes", "data that would open one hole too many")            \
  X(drop_window, "dropped.id_window", "messages too far ahead of the lowest unreleased id")    \
  X(limit_exchanges, "limit.exchanges", "submits refused: exchange table full")                \
  X(limit_window, "limit.id_window", "submits refused: too many unreleased ids")               \
  X(limit_arena, "limit.arena", "allocations refused: arena full")                             \
  X(limit_unverified, "limit.unverified", "records given up unfinished to make room")          \
  X(limit_lanes, "limit.lanes", "lanes refused: table full")                                   \
  X(limit_busy_lanes, "limit.busy_lanes", "calls, packets, frames refused: all lanes busy")    \
  X(lanes_rested, "lanes.rested", "lanes at rest that gave their memory to a busy one")        \
  X(limit_resend_budget, "limit.resend_budget", "RESEND bytes refused by the budget")          \
  X(lanes_up, "lanes.installed", "lanes installed")                                            \
  X(lanes_down, "lanes.ended", "lanes ended for any reason")                                   \
  X(peers_lost, "peers.lost", "lanes ended as the peer fell silent")                           \
  X(stalls, "stalls", "times the endpoint was driven too late to judge its peers")

struct Stats {
#define SLUICE_DECLARE(field, name, help) Counter field;
  SLUICE_TRANSPORT_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

// Calls f(name, help, value) for each counter, in declaration order.
template <typename F>
void for_each_counter(const Stats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_TRANSPORT_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

// One line of `show sessions`.
struct LaneSnapshot {
  LaneRef ref;
  base::SessionId local_session;
  base::SessionId remote_session;
  uint8_t lane = 0;
  bool initiator = false;
  uint64_t send_epoch = 0;
  uint64_t receive_epoch = 0;
  uint32_t exchanges = 0;
  uint32_t packet_bytes = 0;  // Current path limit of a Sluice packet.
  base::Nanos smoothed_rtt;
  base::Nanos last_heard;
  bool sealed_inline = false;  // The port has the key of this epoch and seals its records.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_STATS_H_
