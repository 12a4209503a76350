// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/engine_impl.h"
#include "engine/telemetry.h"

namespace sluice::engine {
namespace {

absl::Status no_node(size_t node) {
  return absl::NotFoundError(absl::StrCat("the engine has no node ", node));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::create(EngineConfig config) {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  auto impl = std::make_unique<EngineImpl>(std::move(config));
  if (auto status = impl->open(); !status.ok()) return status;
  std::unique_ptr<Engine> engine(new Engine(std::move(impl)));
  telemetry_add(engine.get());
  return engine;
}

Engine::Engine(std::unique_ptr<EngineImpl> impl) : impl_(std::move(impl)) {}

Engine::~Engine() {
  telemetry_remove(this);
  if (in_forked_child()) {
    // Nothing of it works here; the parent's threads and rings are not ours to take down.
    (void)impl_.release();
  }
}

absl::Status Engine::start() {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  return impl_->start();
}

absl::Status Engine::stop(base::Nanos drain) {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  return impl_->stop(drain);
}

base::Nanos Engine::now() const { return impl_->eal->clock().now(); }

void Engine::connect(size_t node, const ConnectRequest& request, ConnectCallback done) {
  if (auto status = refuse_forked_child(); !status.ok()) return done(status);
  if (node >= impl_->nodes.size()) return done(no_node(node));
  impl_->nodes[node]->control().connect(request, std::move(done));
}

absl::StatusOr<SessionInfo> Engine::connect_and_wait(size_t node,
                                                     const transport::PeerAddress& peer,
                                                     base::Nanos timeout,
                                                     const std::string& peer_name) {
  return connect_and_wait(
      node, {.peer = peer, .peer_name = peer_name, .timeout = timeout, .calls = nullptr});
}

absl::StatusOr<SessionInfo> Engine::connect_and_wait(size_t node, const ConnectRequest& request) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<SessionInfo>>>();
  auto result = promise->get_future();
  connect(node, request, [promise](absl::StatusOr<SessionInfo> session) {
    promise->set_value(std::move(session));
  });
  return result.get();
}

absl::Status Engine::close_session(size_t node, base::SessionId session) {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  if (node >= impl_->nodes.size()) return no_node(node);
  return impl_->nodes[node]->control().close_session(session);
}

absl::Status Engine::update_keys(size_t node, base::SessionId session) {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  if (node >= impl_->nodes.size()) return no_node(node);
  return impl_->nodes[node]->control().update_keys(session);
}

std::vector<std::string> Engine::policy() const { return impl_->policy_lines(); }

absl::Status Engine::reload(const absl::StatusOr<ReloadConfig>& read) {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  return impl_->reload(read);
}

std::vector<SessionInfo> Engine::sessions(size_t node) const {
  if (node >= impl_->nodes.size()) return {};
  return impl_->nodes[node]->control().sessions();
}

absl::StatusOr<std::vector<transport::LaneSnapshot>> Engine::lanes(size_t node) const {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  if (node >= impl_->nodes.size()) return no_node(node);
  std::vector<transport::LaneSnapshot> out;
  std::vector<transport::LaneSnapshot> part(impl_->config.nodes[node].endpoint.max_lanes);
  for (const auto& lcore : impl_->nodes[node]->lcores()) {
    size_t count = 0;
    const bool ran = lcore->run_and_wait(
        [&](Lcore&, LcoreContext& context) { count = context.endpoint.snapshot_lanes(part); });
    if (!ran) return absl::UnavailableError("the engine is not running");
    out.insert(out.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(count));
  }
  return out;
}

absl::Status Engine::run_on_lcore(size_t node, uint8_t lcore,
                                  const std::function<void(LcoreContext&)>& task) const {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  if (node >= impl_->nodes.size()) return no_node(node);
  auto& lcores = impl_->nodes[node]->lcores();
  if (lcore >= lcores.size()) {
    return absl::NotFoundError(absl::StrCat("the node has no lcore ", unsigned{lcore}));
  }
  const bool ran =
      lcores[lcore]->run_and_wait([&](Lcore&, LcoreContext& context) { task(context); });
  return ran ? absl::OkStatus() : absl::UnavailableError("the engine is not running");
}

absl::Status Engine::set_faults(size_t node, size_t port, FaultDirection direction,
                                const FaultConfig& faults) {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  if (node >= impl_->nodes.size()) return no_node(node);
  return impl_->nodes[node]->set_faults(port, direction, faults);
}

absl::StatusOr<std::vector<FaultSnapshot>> Engine::faults() const {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  std::vector<FaultSnapshot> out;
  for (const auto& node : impl_->nodes) {
    for (FaultSnapshot& each : node->faults()) out.push_back(std::move(each));
  }
  return out;
}

const EngineReport& Engine::report() const { return impl_->report; }

std::vector<LcoreSnapshot> Engine::lcores() const {
  std::vector<LcoreSnapshot> out;
  for (size_t node = 0; node < impl_->nodes.size(); ++node) {
    for (const auto& lcore : impl_->nodes[node]->lcores()) {
      out.push_back({.node = node,
                     .lcore = lcore->index(),
                     .eal_lcore = lcore->eal_lcore(),
                     .cpus = format_cpu_list(cpus_of_lcore(lcore->eal_lcore())),
                     .lcore_stats = &lcore->stats(),
                     .endpoint_stats = &lcore->endpoint().stats()});
    }
  }
  return out;
}

std::vector<NodeSnapshot> Engine::nodes() const {
  std::vector<NodeSnapshot> out;
  for (const auto& node : impl_->nodes) {
    out.push_back({.name = node->config().name,
                   .control_stats = &node->control().stats(),
                   .connector_stats = &node->control().connector_stats(),
                   .captured = node->captured(),
                   .capture_dropped = node->capture_dropped()});
  }
  return out;
}

std::vector<PortSnapshot> Engine::ports() const {
  std::vector<PortSnapshot> out;
  for (size_t node = 0; node < impl_->nodes.size(); ++node) {
    const auto& ports = impl_->nodes[node]->ports();
    for (size_t port = 0; port < ports.size(); ++port) {
      out.push_back({node, port, ports[port]->report().name, ports[port]->stats()});
    }
  }
  return out;
}

absl::Status Engine::clear_port_stats() {
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  for (const auto& node : impl_->nodes) {
    for (const auto& port : node->ports()) port->clear_stats();
  }
  return absl::OkStatus();
}

bool Engine::link_up(size_t node, size_t port) const {
  if (in_forked_child() || node >= impl_->nodes.size()) return false;
  const auto& ports = impl_->nodes[node]->ports();
  return port < ports.size() && ports[port]->link_up();
}

}  // namespace sluice::engine
