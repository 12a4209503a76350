// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENGINE_H_
#define SLUICE_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/connect.h"
#include "sluice/endpoint.h"
#include "sluice/export.h"
#include "sluice/options.h"
#include "sluice/session.h"
#include "sluice/stats.h"

namespace sluice {

namespace internal {
class EngineCore;
}  // namespace internal

// One line of the start-up report: what was chosen, and why.
struct ReportLine {
  std::string subject;  // "port node0/0", "huge pages", "crypto", "lcores", ...
  std::string value;
  std::string reason;
};

// DPDK with its ports, the lcores and the control threads of one process. The first engine of a
// process brings up DPDK's environment, which stays until the process ends; later ones share it.
//
// Thread rule: every function may be called from any ordinary thread; they are serialised. They may
// block and allocate, and refuse (FailedPrecondition) to run on an lcore, where they would wait for
// themselves, and in a child made by fork(), where the lcores do not exist.
class SLUICE_EXPORT Engine {
 public:
  // Brings up the EAL, the ports and the endpoints; nothing runs yet. Handlers, tasks and landings
  // are set between create() and start(). Each error is one sentence that says what to change:
  // InvalidArgument (options), NotFound (device), ResourceExhausted (memory, CPUs),
  // FailedPrecondition (a forked child), Unavailable (no crypto backend), Unimplemented
  // (CryptoBackend::kInline, and a port without). The thread's CPU affinity is afterwards what it
  // was before.
  static absl::StatusOr<std::unique_ptr<Engine>> create(const EngineOptions& options);

  // Closes. In a forked child it does nothing at all.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Starts the lcores. Once. Unimplemented when they are to sleep until a packet comes
  // (IdleMode::kInterrupts) and a port cannot tell them.
  absl::Status start();

  // Begins a session from a node to a peer, "10.0.0.2" or "10.0.0.2:7470" or "[fd00::2]:7470", and
  // waits until it is up: Unavailable (no answer within `timeout_ns`), DeadlineExceeded (it is 0),
  // PermissionDenied (the key, a certificate or the parameters do not match; the message says which
  // side refused what), InvalidArgument (an address that cannot be reached). With certificates,
  // `peer_name` is the DNS name that the peer has to prove, and must be given.
  absl::StatusOr<Session> connect(uint32_t node, const std::string& peer,
                                  uint64_t timeout_ns = 1'000'000'000,
                                  const std::string& peer_name = {});

  // The same, with calls that begin with the session: each of them is taken over, and its `done` is
  // called once on lcore 0 of the node, also when this returns an error (then with kUnavailable, or
  // the code that the session ended with). InvalidArgument for a call that cannot be begun at all,
  // and FailedPrecondition while the engine does not run: then nothing was taken over.
  absl::StatusOr<Session> connect(uint32_t node, const std::string& peer,
                                  const ConnectOptions& options);

  // Ends a session: its calls complete with kClosed and the peer is told. Returns at once;
  // NotFound when it is gone.
  absl::Status disconnect(Session session);

  // Refuses new work (calls of this side end with kClosed, requests of peers with kUnavailable)
  // and waits until what is in flight has finished.
  // DeadlineExceeded when that takes longer than `timeout_ns`; close() then ends the rest.
  absl::Status drain(uint64_t timeout_ns);

  // Ends every session (the peers are told), completes every call with kClosed, stops the lcores
  // and gives ports and memory back. Handlers and completion functions do not run afterwards.
  // Calling it again does nothing.
  absl::Status close();

  // What was found and chosen at start, and why. After create().
  std::vector<ReportLine> report() const;

  uint32_t nodes() const;
  // Lcores of a node; 0 for a node that does not exist.
  uint32_t lcores(uint32_t node) const;
  // The endpoint of a node on one of its lcores, nullptr outside the ranges. It lives as long as
  // the engine. Mind its thread rule.
  Endpoint* endpoint(uint32_t node, uint32_t lcore = 0);

  // Runs `function(context, endpoint)` once on the lcore and returns when it has run.
  // FailedPrecondition when the engine does not run.
  absl::Status run_on(uint32_t node, uint32_t lcore,
                      void (*function)(void* context, Endpoint& endpoint), void* context);

  // Reads the policy, the certificate, its key and the trust anchors again, from the files that the
  // options named. All of it is checked before any of it is used: an error, one sentence that names
  // the file and the line, has changed nothing. Then new sessions are begun with the new identity,
  // those that are up go on with theirs until it ends, and every session is held to the new policy:
  // one that it no longer lets connect ends with kPermissionDenied on both sides.
  // FailedPrecondition when there is nothing to reload, or the engine does not run.
  absl::Status reload();

  // The rules of the policy in force, as they were understood: "FILE:LINE: allow .dc.example call
  // 1-5", in the file's order. Empty without a policy; what no rule allows is denied.
  std::vector<std::string> policy() const;

  // Counters of one node over all its lcores, and of the whole engine.
  StatsSnapshot stats(uint32_t node) const;
  StatsSnapshot stats() const;
  // Round-trip times of a node's calls; empty unless EngineOptions::record_latency.
  LatencySnapshot latency(uint32_t node) const;
  std::vector<PortInfo> ports() const;
  // From now on counters, latencies and port counters start from zero.
  void clear_stats();

  // Every session, on all nodes; or one of them (NotFound when it is gone; the message then says
  // why it ended, of the last few hundred).
  std::vector<SessionInfo> sessions() const;
  absl::StatusOr<SessionInfo> session_info(Session session) const;

  // Begins a new epoch of sending keys on every lane of a session, as the library does by itself
  // before a key is worn out.
  absl::Status update_keys(Session session);

  // Replaces the faults of what a node receives, while it runs.
  absl::Status set_faults(uint32_t node, const FaultOptions& faults);

  // The engine's monotonic clock, in nanoseconds: the one of Endpoint::now_ns(). Any thread.
  uint64_t now_ns() const;

 private:
  friend class internal::EngineCore;
  explicit Engine(std::unique_ptr<internal::EngineCore> core);

  std::unique_ptr<internal::EngineCore> core_;
};

}  // namespace sluice

#endif  // SLUICE_ENGINE_H_
