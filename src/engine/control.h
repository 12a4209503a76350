// SPDX-License-Identifier: Apache-2.0
//
// The control thread of one node: handshakes, neighbours, routes, sessions. It sleeps while there
// is nothing to do.
#ifndef SLUICE_ENGINE_CONTROL_H_
#define SLUICE_ENGINE_CONTROL_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"
#include "crypto/handshake.h"
#include "crypto/policy.h"
#include "crypto/tls_handshake.h"
#include "engine/access.h"
#include "engine/application.h"
#include "engine/channel.h"
#include "engine/clock.h"
#include "engine/held_packets.h"
#include "engine/lcore.h"
#include "engine/paths.h"
#include "engine/port.h"
#include "engine/sessions.h"
#include "engine/stats.h"
#include "transport/connector.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::engine {

// An absl status of the same meaning; `reason` is for the user.
absl::Status status_of(base::Code code, const std::string& reason);

class Control {
 public:
  using ConnectCallback = std::function<void(absl::StatusOr<SessionInfo>)>;

  struct Setup {
    size_t node = 0;
    const NodeConfig* config = nullptr;
    const NodeLayout* layout = nullptr;
    const Clock* clock = nullptr;
    ControlChannel* channel = nullptr;
    rte_mempool* pool = nullptr;
    std::vector<Port*> ports;
    std::vector<Lcore*> lcores;
    const crypto::Primitives* primitives = nullptr;
    const crypto::AeadBackend* backend = nullptr;  // That of the lcores.
    std::vector<crypto::AeadAlgorithm> algorithms;
    crypto::RandomSource random;
    crypto::HandshakeMechanism* mechanism = nullptr;  // Outlives the control thread.
    crypto::TlsMechanism* tls = nullptr;              // The same where it is TLS, else null.
    std::shared_ptr<const crypto::Policy> policy;     // Null: everything is allowed.
    AuditLog* audit = nullptr;  // Null: nothing is recorded. Outlives the control thread.
    uint32_t max_packet = 0;
    SpiLcores* spi_lcores = nullptr;  // Null where no session has ESP.
  };

  // InvalidArgument when the configuration cannot work.
  static absl::StatusOr<std::unique_ptr<Control>> create(const Setup& setup);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  void start();
  // After the lcores have stopped: ends the thread. Connects under way end with Cancelled.
  void stop();

  // Any thread but the control thread, which calls the callbacks.
  void connect(const ConnectRequest& request, ConnectCallback done);
  absl::Status close_session(base::SessionId session);
  absl::Status update_keys(base::SessionId session);
  // Handshakes that begin from now on prove this identity (null: as before); the policy holds for
  // every session, also those that are up.
  absl::Status reload(std::shared_ptr<crypto::TlsIdentityOwner> identity,
                      std::shared_ptr<const crypto::Policy> policy);
  // Refuses new sessions and ends connects under way.
  void refuse_new();
  // Closes every session, telling the peers.
  void close_all();
  std::vector<SessionInfo> sessions() const { return sessions_.snapshot(); }
  size_t session_count() const { return sessions_.size(); }
  const ControlStats& stats() const { return stats_; }
  const transport::ConnectorStats& connector_stats() const { return connector_.stats(); }

 private:
  Control(const Setup& setup, const transport::ConnectorConfig& config);
  static transport::ConnectorConfig connector_config(const Setup& setup);
  Paths::Setup paths_setup();
  Sessions::Setup sessions_setup();

  void run();
  bool work(base::Nanos now);
  base::Nanos next_deadline() const;
  bool take_packets(base::Nanos now);
  void on_packet(rte_mbuf* frame, base::Nanos now);
  void on_unknown_session(const wire::ParsedFrame& parsed, std::span<const uint8_t> packet,
                          base::Nanos now);
  bool take_notices(base::Nanos now);
  bool run_posted();
  bool run_orphans(base::Nanos now);
  bool take_events(base::Nanos now);
  bool take_uses();
  void end_uses(const SessionInfo& session);
  bool send_handshakes(base::Nanos now);
  void watch_links(base::Nanos now);
  void sync_audit(base::Nanos now);
  void begin_connect(const ConnectRequest& request, base::Nanos deadline, ConnectCallback done);
  void establish(const transport::ConnectorEvent& event, base::Nanos now);
  void release_held(const SessionInfo& session);
  void end_connect(transport::ConnectId id, absl::StatusOr<SessionInfo> result);
  // Queues work for the control thread; false when it has ended.
  bool post(std::function<void()> function);
  // The same, waiting for its end; runs it here when called on the control thread.
  bool post_and_wait(const std::function<void()>& function);
  void post_task(uint8_t lcore, ControlTask* task);
  bool send_frame(uint8_t port, std::span<const uint8_t> frame);

  Setup setup_;
  ControlStats stats_;
  uint64_t given_up_ = 0;  // Queues of the backend, as counted so far.
  Access access_;
  transport::Connector connector_;
  Paths paths_;
  Sessions sessions_;
  HeldPackets held_;
  struct Connect {
    ConnectCallback done;
    std::shared_ptr<FirstCalls> calls;
  };
  std::map<transport::ConnectId, Connect> connects_;
  std::vector<ControlTask*> orphans_;  // Whose lcore has stopped.
  std::vector<bool> link_up_;          // By port, as last seen.
  base::Nanos next_link_check_;
  base::Nanos next_audit_sync_;

  std::mutex mutex_;
  std::deque<std::function<void()>> posted_;
  bool accepting_posts_ = false;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CONTROL_H_
