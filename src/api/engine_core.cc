// SPDX-License-Identifier: Apache-2.0
#include "api/engine_core.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/codes.h"
#include "api/engine_options.h"
#include "api/first_calls.h"
#include "api/stats_collector.h"
#include "engine/eal.h"

namespace sluice::internal {
namespace {

// Refusals are logged once in so many nanoseconds: a peer with a wrong key repeats itself.
constexpr uint64_t kRefusalLogPeriod = 1'000'000'000;
// Of so many sessions that have ended it is remembered why.
constexpr size_t kEndedSessions = 256;

absl::Status no_such_node(uint32_t node) {
  return absl::InvalidArgumentError(absl::StrCat("the engine has no node ", node));
}

PortInfo port_info(const engine::PortSnapshot& port, const engine::EngineReport& report) {
  PortInfo info;
  info.port = static_cast<uint32_t>(port.port);
  info.node = static_cast<uint32_t>(port.node);
  info.name = port.name;
  info.rx_packets = port.stats.rx_packets;
  info.rx_bytes = port.stats.rx_bytes;
  info.rx_missed = port.stats.rx_missed;
  info.rx_errors = port.stats.rx_errors;
  info.rx_no_buffer = port.stats.rx_no_mbuf;
  info.tx_packets = port.stats.tx_packets;
  info.tx_bytes = port.stats.tx_bytes;
  info.tx_errors = port.stats.tx_errors;
  for (const auto& [name, value] : port.stats.extended) info.extended.push_back({name, "", value});
  for (const engine::PortReport& line : report.ports) {
    if (line.name != port.name) continue;
    info.driver = line.driver;
    info.mac = line.mac;
    info.mtu = line.mtu;
    info.queues = std::max(line.rx_queues, line.tx_queues);
  }
  return info;
}

// The name that a peer proved comes first; the address says where it is.
std::string peer_text(const engine::SessionInfo& session) {
  const std::string ip = format_peer_ip(session.peer);
  return session.peer_name.empty() ? ip : absl::StrCat(session.peer_name, " at ", ip);
}

void add_lane(const transport::LaneSnapshot& lane, base::Nanos now, SessionInfo* info) {
  const uint64_t rtt = lane.smoothed_rtt.value();
  if (rtt != 0 && (info->rtt_ns == 0 || rtt < info->rtt_ns)) info->rtt_ns = rtt;
  info->packet_bytes = std::max(info->packet_bytes, lane.packet_bytes);
  info->send_epoch = std::max(info->send_epoch, lane.send_epoch);
  info->receive_epoch = std::max(info->receive_epoch, lane.receive_epoch);
  info->exchanges += lane.exchanges;
  info->inline_lanes += lane.sealed_inline ? 1 : 0;
  const uint64_t age = base::elapsed(lane.last_heard, now).value();
  info->last_heard_ns = std::min(info->last_heard_ns, age);
}

}  // namespace

EngineCore::EngineCore(const EngineOptions& options)
    : log_(make_logger(options.log_level)), access_(options.access) {
  credentials_.certificate_file = options.crypto.certificate_file;
  credentials_.key_file = options.crypto.key_file;
  credentials_.trust = options.crypto.trust;
  credentials_.allowed_names = options.crypto.allowed_names;
}

// In a forked child the lcores do not exist: nothing may be waited for or given back.
EngineCore::~EngineCore() {
  if (engine::in_forked_child()) {
    static_cast<void>(engine_.release());
    for (Node& node : nodes_) {
      for (auto& lcore : node.lcores) static_cast<void>(lcore.release());
    }
    return;
  }
  close().IgnoreError();
  engine_.reset();
}

absl::StatusOr<std::unique_ptr<EngineCore>> EngineCore::create(const EngineOptions& options) {
  if (absl::Status status = engine::refuse_forked_child(); !status.ok()) return status;
  if (EndpointCore::on_lcore_thread()) {
    return absl::FailedPreconditionError("an engine cannot be made on an lcore");
  }
  absl::StatusOr<engine::EngineConfig> config = make_engine_config(options);
  if (!config.ok()) return config.status();
  install_check_handler();
  std::unique_ptr<EngineCore> core(new EngineCore(options));
  for (size_t i = 0; i < options.nodes.size(); ++i) {
    engine::NodeConfig& node_config = config->nodes[i];
    Node node;
    node.name = node_config.name;
    node.ports = static_cast<uint32_t>(node_config.ports.size());
    for (uint32_t lcore = 0; lcore < node_config.lcores; ++lcore) {
      EndpointCoreConfig endpoint;
      endpoint.node = static_cast<uint32_t>(i);
      endpoint.lcore = lcore;
      endpoint.limits = options.limits;
      endpoint.handler = options.nodes[i].handler;
      endpoint.record_latency = options.record_latency;
      endpoint.seed = node_config.endpoint.seed;
      node.lcores.push_back(std::make_unique<EndpointCore>(endpoint));
      node_config.applications.push_back(node.lcores.back().get());
    }
    node_config.listener = core.get();
    core->nodes_.push_back(std::move(node));
  }
  core->baselines_.resize(core->nodes_.size());
  absl::StatusOr<std::unique_ptr<engine::Engine>> made = engine::Engine::create(*std::move(config));
  if (!made.ok()) return made.status();
  core->engine_ = *std::move(made);
  return core;
}

std::unique_ptr<Engine> EngineCore::wrap(std::unique_ptr<EngineCore> core) {
  return std::unique_ptr<Engine>(new Engine(std::move(core)));
}

absl::Status EngineCore::admit() const {
  if (absl::Status status = engine::refuse_forked_child(); !status.ok()) return status;
  if (EndpointCore::on_lcore_thread()) {
    return absl::FailedPreconditionError(
        "an lcore would wait for itself here: call the engine from an ordinary thread");
  }
  return absl::OkStatus();
}

absl::Status EngineCore::admit_session(Session session) const {
  if (absl::Status status = admit(); !status.ok()) return status;
  if (session.node >= nodes_.size()) return no_such_node(session.node);
  return absl::OkStatus();
}

absl::Status EngineCore::start() {
  if (absl::Status status = admit(); !status.ok()) return status;
  const std::lock_guard lock(state_mutex_);
  if (state_ != State::kCreated) {
    return absl::FailedPreconditionError("the engine has been started before");
  }
  absl::Status status = engine_->start();
  if (status.ok()) state_ = State::kRunning;
  return status;
}

absl::StatusOr<Session> EngineCore::connect(uint32_t node, const std::string& peer,
                                            const ConnectOptions& options) {
  if (absl::Status status = admit(); !status.ok()) return status;
  if (node >= nodes_.size()) return no_such_node(node);
  if (state_ != State::kRunning) {
    return absl::FailedPreconditionError("the engine does not run: call start() first");
  }
  absl::StatusOr<transport::PeerAddress> address = parse_peer(peer);
  if (!address.ok()) return address.status();
  engine::ConnectRequest request{.peer = *address,
                                 .peer_name = options.peer_name,
                                 .timeout = base::nanos(options.timeout_ns),
                                 .resume = options.resume,
                                 .calls = nullptr};
  std::shared_ptr<FirstCallsCore> calls;
  if (!options.calls.empty()) {
    if (FirstCallsCore::check(options.calls) != StatusCode::kOk) {
      return absl::InvalidArgumentError(
          "a call that cannot be begun with a session: it needs borrowed bytes, a completion "
          "function and options as for Endpoint::call()");
    }
    calls = std::make_shared<FirstCallsCore>(nodes_[node].lcores.front().get(), options.calls);
    request.calls = calls;
  }
  absl::StatusOr<engine::SessionInfo> session = engine_->connect_and_wait(node, request);
  if (!session.ok()) {
    if (calls != nullptr) {
      run_on(node, 0, [&calls](EndpointCore&) {
        calls->fail(StatusCode::kUnavailable);
      }).IgnoreError();
    }
    return session.status();
  }
  return Session{session->session.value(), node};
}

absl::Status EngineCore::disconnect(Session session) {
  if (absl::Status status = admit_session(session); !status.ok()) return status;
  return engine_->close_session(session.node, base::SessionId(session.id));
}

absl::Status EngineCore::update_keys(Session session) {
  if (absl::Status status = admit_session(session); !status.ok()) return status;
  return engine_->update_keys(session.node, base::SessionId(session.id));
}

absl::Status EngineCore::reload() {
  if (absl::Status status = admit(); !status.ok()) return status;
  absl::Status status = engine_->reload(read_again(credentials_, access_));
  if (status.ok()) {
    log_->info("policy and certificates were read again");
  } else {
    log_->warn("the reload changed nothing: {}", std::string(status.message()));
  }
  return status;
}

absl::Status EngineCore::set_faults(uint32_t node, const FaultOptions& faults) {
  if (absl::Status status = admit(); !status.ok()) return status;
  if (node >= nodes_.size()) return no_such_node(node);
  const engine::FaultConfig config = make_fault_config(faults);
  if (const char* error = engine::fault_config_error(config)) {
    return absl::InvalidArgumentError(error);
  }
  for (uint32_t port = 0; port < nodes_[node].ports; ++port) {
    absl::Status status = engine_->set_faults(node, port, engine::FaultDirection::kReceive, config);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool EngineCore::lcores_idle() {
  for (const Node& node : nodes_) {
    for (const auto& lcore : node.lcores) {
      bool idle = true;
      const absl::Status status =
          on_lcore(*lcore, [&idle](EndpointCore& core) { idle = core.idle(); });
      if (status.ok() && !idle) return false;
    }
  }
  return true;
}

absl::Status EngineCore::drain(uint64_t timeout_ns) {
  if (absl::Status status = admit(); !status.ok()) return status;
  if (state_ != State::kRunning) return absl::OkStatus();
  const uint64_t begin = now_ns();
  for (const Node& node : nodes_) {
    for (const auto& lcore : node.lcores) {
      on_lcore(*lcore, [](EndpointCore& core) { core.begin_draining(); }).IgnoreError();
    }
  }
  while (!lcores_idle()) {
    if (now_ns() - begin >= timeout_ns) {
      return absl::DeadlineExceededError("work was still in flight when the drain's time was over");
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return absl::OkStatus();
}

absl::Status EngineCore::close() {
  if (absl::Status status = admit(); !status.ok()) return status;
  const std::lock_guard lock(state_mutex_);
  if (engine_ == nullptr || state_.exchange(State::kStopped) == State::kStopped) {
    return absl::OkStatus();
  }
  absl::Status status = engine_->stop(base::Nanos::zero());
  // That calls were in flight is no fault of close(): drain() is there to wait for them.
  return absl::IsDeadlineExceeded(status) ? absl::OkStatus() : status;
}

uint32_t EngineCore::lcores(uint32_t node) const {
  return node < nodes_.size() ? static_cast<uint32_t>(nodes_[node].lcores.size()) : 0;
}

EndpointCore* EngineCore::endpoint(uint32_t node, uint32_t lcore) {
  return lcore < lcores(node) ? nodes_[node].lcores[lcore].get() : nullptr;
}

absl::Status EngineCore::on_lcore(const EndpointCore& core,
                                  const std::function<void(EndpointCore&)>& work) {
  EndpointCore* target = endpoint(core.config().node, core.config().lcore);
  if (state_ == State::kRunning) {
    absl::Status status = run_on(core.config().node, core.config().lcore, work);
    if (!absl::IsUnavailable(status)) return status;
  }
  const std::lock_guard lock(state_mutex_);
  if (state_ == State::kRunning) {
    return run_on(core.config().node, core.config().lcore, work);
  }
  work(*target);
  return absl::OkStatus();
}

absl::Status EngineCore::run_on(uint32_t node, uint32_t lcore,
                                const std::function<void(EndpointCore&)>& work) {
  if (absl::Status status = admit(); !status.ok()) return status;
  EndpointCore* target = endpoint(node, lcore);
  if (target == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the engine has no lcore ", lcore, " of node ", node));
  }
  if (state_ != State::kRunning) {
    return absl::FailedPreconditionError("the engine does not run");
  }
  return engine_->run_on_lcore(node, static_cast<uint8_t>(lcore),
                               [target, &work](engine::LcoreContext& context) {
                                 target->set_now(context.now);
                                 work(*target);
                               });
}

std::vector<ReportLine> EngineCore::report() const {
  std::vector<ReportLine> lines;
  const engine::EngineReport& from = engine_->report();
  lines.push_back({"DPDK", from.dpdk_version, ""});
  for (const engine::ReportLine& line : from.lines) {
    lines.push_back({line.what, line.choice, line.why});
  }
  for (const engine::PortReport& port : from.ports) {
    const std::string subject = absl::StrCat("port ", port.node, "/", port.name);
    lines.push_back({subject, absl::StrCat(port.driver, ", ", port.mac, ", MTU ", port.mtu),
                     absl::StrJoin(port.addresses, ", ")});
    for (const engine::ReportLine& line : port.features) {
      lines.push_back({absl::StrCat(subject, " ", line.what), line.choice, line.why});
    }
  }
  if (from.startup_ns != 0) {
    lines.push_back({"start-up", absl::StrCat(from.startup_ns / 1'000'000, " ms"), ""});
  }
  return lines;
}

std::vector<PortInfo> EngineCore::ports() {
  std::vector<PortInfo> out;
  if (!admit().ok()) return out;
  for (const engine::PortSnapshot& port : engine_->ports()) {
    out.push_back(port_info(port, engine_->report()));
    out.back().link_up = engine_->link_up(port.node, port.port);
  }
  return out;
}

std::vector<SessionInfo> EngineCore::sessions_of(uint32_t node) {
  std::vector<SessionInfo> out;
  const absl::StatusOr<std::vector<transport::LaneSnapshot>> lanes = engine_->lanes(node);
  for (const engine::SessionInfo& from : engine_->sessions(node)) {
    SessionInfo info;
    info.session = {from.session.value(), node};
    info.initiator = from.initiator;
    info.peer_address = format_peer_ip(from.peer);
    info.peer_port = from.peer.port;
    info.peer_name = from.peer_name;
    if (!from.peer_chain.empty()) info.responsible = from.peer_chain.front();
    info.expires_unix_ns = from.expires_ns == crypto::kNeverExpires ? 0 : from.expires_ns;
    info.algorithm = crypto::algorithm_name(from.algorithm);
    info.padded = from.padded;
    info.records = crypto::record_mode_text(from.record_mode);
    info.lanes = static_cast<uint32_t>(from.lanes.size());
    info.last_heard_ns = UINT64_MAX;
    if (lanes.ok()) {
      for (const transport::LaneSnapshot& lane : *lanes) {
        if (lane.local_session == from.session) add_lane(lane, engine_->now(), &info);
      }
    }
    if (info.last_heard_ns == UINT64_MAX) info.last_heard_ns = 0;
    out.push_back(std::move(info));
  }
  return out;
}

std::vector<SessionInfo> EngineCore::sessions() {
  std::vector<SessionInfo> out;
  if (!admit().ok()) return out;
  for (uint32_t node = 0; node < nodes(); ++node) {
    for (SessionInfo& info : sessions_of(node)) out.push_back(std::move(info));
  }
  return out;
}

absl::StatusOr<SessionInfo> EngineCore::session_info(Session session) {
  if (absl::Status status = admit_session(session); !status.ok()) return status;
  for (SessionInfo& info : sessions_of(session.node)) {
    if (info.session == session) return std::move(info);
  }
  const std::lock_guard lock(ended_mutex_);
  for (auto ended = ended_.rbegin(); ended != ended_.rend(); ++ended) {
    if (ended->first == session) return absl::NotFoundError(ended->second);
  }
  return absl::NotFoundError("there is no such session (any more)");
}

void EngineCore::on_session_up(size_t node, const engine::SessionInfo& session) {
  log_->info("{}: session {:08x} with {} port {} is up ({}, {} lanes, {})", nodes_[node].name,
             session.session.value(), peer_text(session), session.peer.port,
             crypto::algorithm_name(session.algorithm), session.lanes.size(),
             crypto::record_mode_text(session.record_mode));
}

void EngineCore::on_session_ending(size_t node, const engine::SessionInfo& session, base::Code code,
                                   const std::string& reason) {
  const std::lock_guard lock(ended_mutex_);
  if (ended_.size() >= kEndedSessions) ended_.pop_front();
  ended_.emplace_back(Session{session.session.value(), static_cast<uint32_t>(node)},
                      absl::StrCat("the session has ended: ", base::code_name(code), ": ", reason));
}

void EngineCore::on_session_down(size_t node, const engine::SessionInfo& session, base::Code code,
                                 const std::string& reason) {
  const bool expected = code == base::Code::kClosed || code == base::Code::kOk;
  log_->log(expected ? spdlog::level::info : spdlog::level::warn,
            "{}: session {:08x} with {} has ended: {} {}", nodes_[node].name,
            session.session.value(), peer_text(session), base::code_name(code), reason);
}

void EngineCore::on_peer_refused(size_t node, const transport::PeerAddress& peer,
                                 const std::string& reason) {
  const std::lock_guard lock(refusal_mutex_);
  const uint64_t now = now_ns();
  if (refusal_logged_ns_ != 0 && now - refusal_logged_ns_ < kRefusalLogPeriod) {
    ++refusals_unlogged_;
    return;
  }
  refusal_logged_ns_ = now;
  log_->warn("{}: {}: {} ({} like it were not logged)", nodes_[node].name, format_peer_ip(peer),
             reason, std::exchange(refusals_unlogged_, 0));
}

}  // namespace sluice::internal
