// SPDX-License-Identifier: Apache-2.0
//
// The engine: DPDK's environment, ports, lcores and control threads of one process, and the
// sessions on them. Its functions are for control threads: each may be called from any thread
// (not from an lcore), may block as it says, lock and allocate, and refuses in a forked child.
#ifndef SLUICE_ENGINE_ENGINE_H_
#define SLUICE_ENGINE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"
#include "engine/config.h"
#include "engine/report.h"
#include "engine/stats.h"
#include "transport/connector_types.h"
#include "transport/stats.h"

namespace sluice::engine {

class EngineImpl;

// A copy of all counters of one lcore.
struct LcoreSnapshot {
  size_t node = 0;
  uint8_t lcore = 0;                                 // Within the node.
  uint32_t eal_lcore = 0;                            // DPDK's number.
  std::string cpus;                                  // That it may run on, as "2" or "0-3".
  const LcoreStats* lcore_stats = nullptr;           // Live; valid until the engine is destroyed.
  const transport::Stats* endpoint_stats = nullptr;  // Likewise.
};

struct NodeSnapshot {
  std::string name;
  const ControlStats* control_stats = nullptr;  // Live; likewise.
  const transport::ConnectorStats* connector_stats = nullptr;
  uint64_t captured = 0;         // Frames recorded on all ports,
  uint64_t capture_dropped = 0;  // and not recorded: the disk was too slow.
};

struct PortSnapshot {
  size_t node = 0;
  size_t port = 0;  // Within the node.
  std::string name;
  PortStats stats;
};

enum class FaultDirection : uint8_t { kReceive, kTransmit };

struct FaultSnapshot {
  size_t node = 0;
  size_t port = 0;
  FaultDirection direction = FaultDirection::kReceive;
  FaultConfig config;
  // Sums over the queues, in the order of SLUICE_FAULT_COUNTERS.
  std::vector<std::pair<std::string, uint64_t>> counters;
};

class Engine {
 public:
  // Brings DPDK up (first engine of the process), opens the ports and takes all memory. Nothing is
  // polled yet. Every error is one line that says what to change.
  static absl::StatusOr<std::unique_ptr<Engine>> create(EngineConfig config);
  // Stops without draining if stop() has not been called.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Starts ports, lcores and control threads.
  absl::Status start();

  // Takes no more sessions, waits up to `drain` until nothing is in flight, tells the peers, stops
  // polling, closes the ports. DeadlineExceeded when calls were still in flight; everything is
  // stopped all the same. Later calls do nothing.
  absl::Status stop(base::Nanos drain);

  // Nanoseconds on the engine's clock: that of LcoreContext::now and of deadlines. Any thread.
  base::Nanos now() const;

  using ConnectCallback = std::function<void(absl::StatusOr<SessionInfo>)>;
  // Begins a session; `done` is called once, on the control thread of the node, at the latest
  // `timeout` from now (or from stop()). Its errors: Unavailable (no answer), PermissionDenied
  // (refused), ResourceExhausted, InvalidArgument, Cancelled (stopped).
  // `peer_name` is the DNS name that the peer has to prove: given with certificates, empty with
  // pre-shared keys, else InvalidArgument.
  // `request.calls` are begun when the session is there, if it ever is, before `done` is called.
  void connect(size_t node, const ConnectRequest& request, ConnectCallback done);
  // The same, waiting for it.
  absl::StatusOr<SessionInfo> connect_and_wait(size_t node, const ConnectRequest& request);
  absl::StatusOr<SessionInfo> connect_and_wait(size_t node, const transport::PeerAddress& peer,
                                               base::Nanos timeout,
                                               const std::string& peer_name = {});
  // Ends a session: its calls complete with kClosed and the peer is told. Returns at once;
  // NotFound when there is no such session.
  absl::Status close_session(size_t node, base::SessionId session);
  // Starts a new sending epoch on every lane of a session.
  absl::Status update_keys(size_t node, base::SessionId session);
  // Takes a policy and an identity anew, on every node, after all of it was found good; what fails
  // changes nothing. Sessions stay, but for those that the policy does not let connect any more,
  // and prove the identity that they began with. `read` may be the error that reading the files
  // ended with, which is then recorded and returned. Errors as of create(); FailedPrecondition when
  // the engine does not run, or had no policy and is given one.
  absl::Status reload(const absl::StatusOr<ReloadConfig>& read);
  // The rules of the policy in force, for people: "FILE:LINE: allow ..."; empty without one.
  std::vector<std::string> policy() const;
  std::vector<SessionInfo> sessions(size_t node) const;
  // Asks every lcore of a node for its lanes; waits for the answers (microseconds as a rule).
  absl::StatusOr<std::vector<transport::LaneSnapshot>> lanes(size_t node) const;

  // Runs `task` on an lcore between two turns of its loop and waits for its end. It must obey the
  // rules of LcoreApplication. Unavailable when the lcore is not running.
  absl::Status run_on_lcore(size_t node, uint8_t lcore,
                            const std::function<void(LcoreContext&)>& task) const;

  // Changes the faults of one direction of a port on all its queues.
  absl::Status set_faults(size_t node, size_t port, FaultDirection direction,
                          const FaultConfig& faults);
  absl::StatusOr<std::vector<FaultSnapshot>> faults() const;

  const EngineReport& report() const;
  std::vector<LcoreSnapshot> lcores() const;
  std::vector<NodeSnapshot> nodes() const;
  std::vector<PortSnapshot> ports() const;
  absl::Status clear_port_stats();
  // False before the peer's cable is plugged in (memif, virtio_user) or while a link is down.
  bool link_up(size_t node, size_t port) const;

 private:
  explicit Engine(std::unique_ptr<EngineImpl> impl);
  std::unique_ptr<EngineImpl> impl_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_ENGINE_H_
