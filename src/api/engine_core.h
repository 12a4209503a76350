// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_ENGINE_CORE_H_
#define SLUICE_API_ENGINE_CORE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/endpoint_core.h"
#include "api/log.h"
#include "engine/engine.h"
#include "sluice/engine.h"

namespace sluice::internal {

// What stands behind Engine: the engine of DPDK floor, and an EndpointCore for each lcore.
class EngineCore final : public engine::SessionListener {
 public:
  static absl::StatusOr<std::unique_ptr<EngineCore>> create(const EngineOptions& options);
  ~EngineCore() override;
  static EngineCore& of(Engine& engine) { return *engine.core_; }
  static std::unique_ptr<Engine> wrap(std::unique_ptr<EngineCore> core);

  absl::Status start();
  absl::StatusOr<Session> connect(uint32_t node, const std::string& peer,
                                  const ConnectOptions& options);
  absl::Status disconnect(Session session);
  absl::Status drain(uint64_t timeout_ns);
  absl::Status close();
  absl::Status update_keys(Session session);
  absl::Status reload();
  std::vector<std::string> policy() const { return engine_->policy(); }
  absl::Status set_faults(uint32_t node, const FaultOptions& faults);

  uint32_t nodes() const { return static_cast<uint32_t>(nodes_.size()); }
  uint32_t lcores(uint32_t node) const;
  // nullptr outside the ranges.
  EndpointCore* endpoint(uint32_t node, uint32_t lcore);

  // Runs `work` on the lcore, or here while the lcores do not run.
  absl::Status on_lcore(const EndpointCore& core, const std::function<void(EndpointCore&)>& work);
  absl::Status run_on(uint32_t node, uint32_t lcore,
                      const std::function<void(EndpointCore&)>& work);

  std::vector<ReportLine> report() const;
  // Of one node (nothing for one that does not exist), and of all.
  StatsSnapshot node_stats(uint32_t node);
  StatsSnapshot stats();
  LatencySnapshot latency(uint32_t node);
  std::vector<PortInfo> ports();
  void clear_stats();
  std::vector<SessionInfo> sessions();
  absl::StatusOr<SessionInfo> session_info(Session session);
  uint64_t now_ns() const { return engine_->now().value(); }

  // SessionListener, on the control threads.
  void on_session_up(size_t node, const engine::SessionInfo& session) override;
  void on_session_ending(size_t node, const engine::SessionInfo& session, base::Code code,
                         const std::string& reason) override;
  void on_session_down(size_t node, const engine::SessionInfo& session, base::Code code,
                       const std::string& reason) override;
  void on_peer_refused(size_t node, const transport::PeerAddress& peer,
                       const std::string& reason) override;

 private:
  struct Node {
    std::string name;
    uint32_t ports = 0;
    std::vector<std::unique_ptr<EndpointCore>> lcores;
  };
  enum class State : uint8_t { kCreated, kRunning, kStopped };

  explicit EngineCore(const EngineOptions& options);

  // Refuses what would wait for itself or cannot work: an lcore, a forked child.
  absl::Status admit() const;
  absl::Status admit_session(Session session) const;
  std::vector<SessionInfo> sessions_of(uint32_t node);
  bool lcores_idle();
  StatsSnapshot raw_stats(uint32_t node);

  std::shared_ptr<spdlog::logger> log_;
  CryptoOptions credentials_;  // The files to read again; never a key.
  AccessOptions access_;
  std::vector<Node> nodes_;
  std::unique_ptr<engine::Engine> engine_;
  std::mutex state_mutex_;  // Control threads only: start, close and what runs in between.
  std::atomic<State> state_{State::kCreated};
  std::mutex refusal_mutex_;
  uint64_t refusal_logged_ns_ = 0;
  uint64_t refusals_unlogged_ = 0;
  std::mutex ended_mutex_;
  std::deque<std::pair<Session, std::string>> ended_;  // The last ones, with why; oldest first.
  std::mutex baseline_mutex_;
  std::vector<StatsSnapshot> baselines_;  // By node, from clear_stats().
};

}  // namespace sluice::internal

#endif  // SLUICE_API_ENGINE_CORE_H_
