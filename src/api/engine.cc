// SPDX-License-Identifier: Apache-2.0
#include "sluice/engine.h"

#include <utility>

#include "api/engine_core.h"
#include "engine/eal.h"

namespace sluice {

absl::StatusOr<std::unique_ptr<Engine>> Engine::create(const EngineOptions& options) {
  absl::StatusOr<std::unique_ptr<internal::EngineCore>> core =
      internal::EngineCore::create(options);
  if (!core.ok()) return core.status();
  return internal::EngineCore::wrap(*std::move(core));
}

Engine::Engine(std::unique_ptr<internal::EngineCore> core) : core_(std::move(core)) {}

Engine::~Engine() {
  if (engine::in_forked_child()) static_cast<void>(core_.release());
}

absl::Status Engine::start() { return core_->start(); }

absl::StatusOr<Session> Engine::connect(uint32_t node, const std::string& peer, uint64_t timeout_ns,
                                        const std::string& peer_name) {
  return core_->connect(
      node, peer, {.timeout_ns = timeout_ns, .peer_name = peer_name, .resume = true, .calls = {}});
}

absl::StatusOr<Session> Engine::connect(uint32_t node, const std::string& peer,
                                        const ConnectOptions& options) {
  return core_->connect(node, peer, options);
}

absl::Status Engine::disconnect(Session session) { return core_->disconnect(session); }

absl::Status Engine::drain(uint64_t timeout_ns) { return core_->drain(timeout_ns); }

absl::Status Engine::close() { return core_->close(); }

std::vector<ReportLine> Engine::report() const { return core_->report(); }

uint32_t Engine::nodes() const { return core_->nodes(); }

uint32_t Engine::lcores(uint32_t node) const { return core_->lcores(node); }

Endpoint* Engine::endpoint(uint32_t node, uint32_t lcore) {
  internal::EndpointCore* core = core_->endpoint(node, lcore);
  return core == nullptr ? nullptr : &core->endpoint();
}

absl::Status Engine::run_on(uint32_t node, uint32_t lcore,
                            void (*function)(void* context, Endpoint& endpoint), void* context) {
  return core_->run_on(node, lcore, [function, context](internal::EndpointCore& core) {
    function(context, core.endpoint());
  });
}

absl::Status Engine::reload() { return core_->reload(); }

std::vector<std::string> Engine::policy() const { return core_->policy(); }

StatsSnapshot Engine::stats(uint32_t node) const { return core_->node_stats(node); }

StatsSnapshot Engine::stats() const { return core_->stats(); }

LatencySnapshot Engine::latency(uint32_t node) const { return core_->latency(node); }

std::vector<PortInfo> Engine::ports() const { return core_->ports(); }

void Engine::clear_stats() { core_->clear_stats(); }

std::vector<SessionInfo> Engine::sessions() const { return core_->sessions(); }

absl::StatusOr<SessionInfo> Engine::session_info(Session session) const {
  return core_->session_info(session);
}

absl::Status Engine::update_keys(Session session) { return core_->update_keys(session); }

absl::Status Engine::set_faults(uint32_t node, const FaultOptions& faults) {
  return core_->set_faults(node, faults);
}

uint64_t Engine::now_ns() const { return core_->now_ns(); }

}  // namespace sluice
