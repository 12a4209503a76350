// SPDX-License-Identifier: Apache-2.0
//
// Counters of lcores, ports and the control thread. The names are stable.
#ifndef SLUICE_ENGINE_STATS_H_
#define SLUICE_ENGINE_STATS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "transport/stats.h"

namespace sluice::engine {

// One lcore: written by it alone, read by any thread.
#define SLUICE_LCORE_COUNTERS(X)                                                             \
  X(loops, "lcore.loops", "turns of the loop")                                               \
  X(busy_loops, "lcore.busy_loops", "turns that found something to do")                      \
  X(yields, "lcore.yields", "idle turns that gave a shared CPU away")                        \
  X(sleeps, "lcore.sleeps", "times the lcore slept, since nothing came")                     \
  X(slept, "lcore.slept_ns", "time it slept, in ns")                                         \
  X(woken_by_port, "lcore.woken_by_port", "sleeps that a packet ended")                      \
  X(woken_by_thread, "lcore.woken_by_thread", "sleeps that another thread ended")            \
  X(longest_loop, "lcore.longest_loop_ns", "longest turn, in ns")                            \
  X(rx_frames, "frames.received", "frames taken from ports")                                 \
  X(tx_frames, "frames.sent", "frames given to ports")                                       \
  X(rx_bytes, "frames.received_bytes", "bytes of those frames")                              \
  X(tx_bytes, "frames.sent_bytes", "bytes of those frames")                                  \
  X(steered_out, "frames.steered_out", "packets handed to the lcore of their lane")          \
  X(steered_in, "frames.steered_in", "packets that another lcore handed over")               \
  X(to_control, "frames.to_control", "handshake, reset and neighbour frames passed on")      \
  X(resets_asked, "resets.asked", "packets of unknown sessions that were passed on")         \
  X(tx_blocked, "ports.blocked", "bursts that a port did not take whole")                    \
  X(tasks, "lcore.tasks", "commands of the control thread that were run")                    \
  X(drop_malformed, "dropped.frame_malformed", "frames that break a format below Sluice")    \
  X(drop_other, "dropped.frame_other", "well-formed frames that are not for Sluice")         \
  X(drop_address, "dropped.frame_address", "Sluice packets for an address not of this port") \
  X(drop_segments, "dropped.frame_segments", "frames in pieces that do not fit one buffer")  \
  X(drop_steering, "dropped.steering_full", "packets for another lcore whose ring is full")  \
  X(drop_control, "dropped.control_full", "frames for the control thread beyond its ring")   \
  X(limit_reset_rate, "limit.reset_rate", "unknown-session packets over the reset rate")     \
  X(drop_route, "dropped.no_route", "packets of a route that no longer exists")              \
  X(drop_stuck, "dropped.port_stuck", "frames that a port did not take in time")             \
  X(denied, "refused.policy", "messages that the policy does not let their peer send")       \
  X(limit_uses, "limit.uses", "messages counted in no use of their own: kMaxUses")           \
  X(inline_resyncs, "inline.resyncs", "records that the port had to be told the place of")   \
  X(limit_inline_contexts, "limit.inline_contexts", "keys left to the CPU: no context free") \
  X(drop_inline, "dropped.inline", "what a port was to seal and could not be given")         \
  X(no_mbuf, "limit.mbufs", "transmit buffers not had: the pool is empty")

struct LcoreStats {
#define SLUICE_DECLARE(field, name, help) transport::Counter field;
  SLUICE_LCORE_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

template <typename F>
void for_each_counter(const LcoreStats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_LCORE_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

// The control thread of a node.
#define SLUICE_CONTROL_COUNTERS(X)                                                            \
  X(wakeups, "control.wakeups", "times the control thread woke")                              \
  X(rx_packets, "control.received", "frames from the lcores")                                 \
  X(tx_frames, "control.sent", "frames given to an lcore to send")                            \
  X(drop_tx, "dropped.control_tx", "frames not given: no buffer, or the lcore's ring full")   \
  X(drop_garbage, "dropped.control_garbage", "frames that turned out malformed")              \
  X(sessions_up, "sessions.up", "sessions whose lanes are all installed")                     \
  X(sessions_down, "sessions.down", "sessions ended")                                         \
  X(sessions_expired, "sessions.expired", "sessions ended with a side's certificate")         \
  X(sessions_denied, "sessions.denied", "sessions ended by a policy that came later")         \
  X(sessions_untrusted, "sessions.untrusted", "sessions ended: an anchor was taken back")     \
  X(peers_denied, "policy.denied", "peers refused by the policy")                             \
  X(audit_refused, "audit.refused", "peers refused: the audit log cannot be written")         \
  X(audit_unrecorded, "audit.unrecorded", "refusals of strangers beyond the audit's rate")    \
  X(reloads, "reload.done", "policies and identities taken at run time")                      \
  X(packets_held, "control.held", "packets that waited for their session's lanes")            \
  X(limit_held, "limit.held", "packets dropped: kMaxHeldPackets wait")                        \
  X(install_failed, "sessions.install_failed", "sessions given up: an lcore took no lane")    \
  X(resets_sent, "resets.sent", "RESETs sent for unknown sessions")                           \
  X(resets_obeyed, "resets.obeyed", "RESETs with the right token: the session is probed")     \
  X(resets_ignored, "resets.ignored", "RESETs for no session, or with a wrong token")         \
  X(limit_reset_look, "limit.reset_look", "of those, not held to the tokens of all sessions") \
  X(limit_crypto, "limit.crypto_device", "queues of a crypto device given up: the CPU seals") \
  X(limit_routes, "limit.routes", "routes refused: table full")

struct ControlStats {
#define SLUICE_DECLARE(field, name, help) transport::Counter field;
  SLUICE_CONTROL_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

template <typename F>
void for_each_counter(const ControlStats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_CONTROL_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

// What the device itself counts, and its extended counters by the device's own names.
struct PortStats {
  uint64_t rx_packets = 0;
  uint64_t tx_packets = 0;
  uint64_t rx_bytes = 0;
  uint64_t tx_bytes = 0;
  uint64_t rx_missed = 0;
  uint64_t rx_errors = 0;
  uint64_t tx_errors = 0;
  uint64_t rx_no_mbuf = 0;
  std::vector<std::pair<std::string, uint64_t>> extended;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_STATS_H_
