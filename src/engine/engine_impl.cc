// SPDX-License-Identifier: Apache-2.0
#include "engine/engine_impl.h"

#include <rte_version.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/crypto_loader.h"
#include "engine/device.h"
#include "engine/limits.h"
#include "engine/lookaside_backend.h"
#include "engine/mechanism.h"

namespace sluice::engine {
namespace {

// Memory that DPDK and its drivers take beside what nodes are counted to need.
constexpr uint32_t kReserveMb = 24;
// How long stop() waits for lanes to end after they were told to.
constexpr base::Nanos kCloseWait = base::millis(250);
// The CLOSE frames are with the devices by then. A peer gets a moment to take them; a longer one
// where what it has not taken goes with the cable.
constexpr auto kLastFrames = std::chrono::milliseconds(2);
constexpr auto kLastFramesOfCable = std::chrono::milliseconds(20);

uint64_t monotonic_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_nsec);
}

absl::StatusOr<std::shared_ptr<const crypto::Policy>> read_policy(const FileText& text) {
  const std::string_view view(reinterpret_cast<const char*>(text.bytes.data()), text.bytes.size());
  crypto::PolicyResult result = crypto::Policy::parse(text.file, view);
  if (!result.ok()) return absl::InvalidArgumentError(result.error);
  return std::move(result.policy);
}

// A rule is on record by its line, so the text that has the line is by its hash.
std::string name_policy(const FileText& text, const crypto::Policy& policy,
                        const CryptoLibrary& library) {
  const std::string_view view(reinterpret_cast<const char*>(text.bytes.data()), text.bytes.size());
  return absl::StrCat(text.file, ", ", policy.rules(), " rules, SHA-256 ",
                      crypto::audit_hash_text(crypto::audit_hash_of(*library.primitives, view)));
}

bool needs_shared_memory(const PortConfig& port) {
  const auto spec = parse_device(port.device);
  if (!spec.ok()) return false;
  return spec->driver == "net_virtio_user" || spec->argument("zero-copy").has_value();
}

}  // namespace

std::vector<bool> find_shared(const std::vector<std::vector<uint32_t>>& cpus_of_lcores,
                              size_t cpus_of_process) {
  std::vector<bool> shared;
  for (const auto& own : cpus_of_lcores) {
    // Of all lcores that can run nowhere but on these CPUs.
    const auto rivals = static_cast<size_t>(
        std::count_if(cpus_of_lcores.begin(), cpus_of_lcores.end(), [&](const auto& other) {
          return std::includes(own.begin(), own.end(), other.begin(), other.end());
        }));
    shared.push_back(rivals > own.size() || cpus_of_process == 1);
  }
  return shared;
}

EngineImpl::~EngineImpl() {
  (void)stop(base::Nanos::zero());
  nodes.clear();
  if (eal != nullptr) eal->return_lcores(eal_lcores);
}

absl::Status EngineImpl::check() const {
  if (config.nodes.empty() || config.nodes.size() > limits::kMaxNodes) {
    return absl::InvalidArgumentError(
        absl::StrCat("an engine has 1 to ", limits::kMaxNodes, " nodes"));
  }
  if (const char* error = idle_config_error(config.idle)) {
    return absl::InvalidArgumentError(error);
  }
  std::set<wire::IpAddress> addresses;
  for (const NodeConfig& node : config.nodes) {
    if (auto status = check_node_config(node); !status.ok()) return status;
    for (const PortConfig& port : node.ports) {
      for (const IpPrefix& prefix : port.addresses) {
        if (addresses.insert(prefix.address).second) continue;
        return absl::InvalidArgumentError(absl::StrCat(wire::format_ip_address(prefix.address),
                                                       " is given to two ports: change one"));
      }
    }
  }
  return absl::OkStatus();
}

EalNeeds EngineImpl::needs() const {
  EalNeeds needs;
  needs.memory_mb = kReserveMb;
  needs.lcores = 0;
  // Both ends in one process: no second process will want the same CPUs.
  needs.pinned = config.nodes.size() > 1;
  needs.shared_memory = config.eal.shared_memory;
  for (const NodeConfig& node : config.nodes) {
    needs.memory_mb += estimate_memory_mb(node);
    needs.lcores += node.lcores;
    for (const PortConfig& port : node.ports) {
      const auto spec = parse_device(port.device);
      needs.pci = needs.pci || (spec.ok() && spec->kind == DeviceKind::kPci);
      needs.shared_memory = needs.shared_memory || needs_shared_memory(port);
    }
  }
  if (config.backend == crypto::BackendKind::kLookaside) needs.memory_mb += kLookasideMb;
  needs.lcores = std::max(needs.lcores, config.eal.lcores);
  return needs;
}

absl::Status EngineImpl::open() {
  opened_at_ns_ = monotonic_ns();
  if (auto status = check(); !status.ok()) return status;
  const auto library = load_crypto(config.crypto_module);
  if (!library.ok()) return library.status();
  auto environment = Eal::acquire(config.eal, needs());
  if (!environment.ok()) return environment.status();
  eal = *environment;
  uint32_t lcores = 0;
  for (const NodeConfig& node : config.nodes) lcores += node.lcores;
  auto taken = eal->take_lcores(lcores);
  if (!taken.ok()) return taken.status();
  eal_lcores = *std::move(taken);
  if (auto status = add_cables(); !status.ok()) return status;
  library_ = *library;
  if (auto status = open_access(**library); !status.ok()) return status;
  if (auto status = make_nodes(**library); !status.ok()) return status;
  fill_report(**library);
  return absl::OkStatus();
}

absl::Status EngineImpl::add_cables() {
  for (const NodeConfig& node : config.nodes) {
    for (const PortConfig& port : node.ports) {
      const auto spec = parse_device(port.device);
      if (!spec.ok() || spec->kind != DeviceKind::kPair) continue;
      auto status = cables.add_end(spec->name, node.lcores, port.descriptors);
      if (!status.ok()) return status;
    }
  }
  return cables.check();
}

crypto::AuditRecord EngineImpl::record_of(const char* event) const {
  crypto::AuditRecord record;
  record.event = event;
  for (const NodeConfig& node : config.nodes) {
    absl::StrAppend(&record.node, record.node.empty() ? "" : ", ", node.name);
  }
  record.object = policy_text_;
  return record;
}

// A policy is about names and an audit log names who is responsible: both need certificates.
absl::Status EngineImpl::open_access(const CryptoLibrary& library) {
  if (!config.policy.has_value() && config.audit_file.empty()) return absl::OkStatus();
  for (const NodeConfig& node : config.nodes) {
    if (node.tls.has_value()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        node.name,
        ": a policy and an audit log are about names, and a pre-shared key proves none: "
        "give --cert, --key and --trust"));
  }
  if (config.policy.has_value()) {
    auto read = read_policy(*config.policy);
    if (!read.ok()) return read.status();
    policy_ = *std::move(read);
    policy_text_ = name_policy(*config.policy, *policy_, library);
    report.lines.push_back({"policy", absl::StrCat(policy_->rules(), " rules"), policy_->file()});
  }
  if (config.audit_file.empty()) return absl::OkStatus();
  auto log = AuditLog::open({.file = config.audit_file,
                             .primitives = library.primitives,
                             .wall_clock = system_wall_clock(),
                             .write = {},
                             .max_bytes = config.audit_max_bytes,
                             .sync = {}});
  if (!log.ok()) return log.status();
  audit = *std::move(log);
  report.lines.push_back({"audit log", config.audit_file,
                          absl::StrCat("goes on after ", audit->records(), " records")});
  return audit->append_or_say(record_of("start"));
}

absl::Status EngineImpl::try_reload(const absl::StatusOr<ReloadConfig>& read) {
  if (!read.ok()) return read.status();
  if (state_ != State::kRunning) return absl::FailedPreconditionError("the engine does not run");
  // Everything is read and checked before anything is changed.
  std::shared_ptr<const crypto::Policy> policy = policy_;
  if (read->policy.has_value() != (policy_ != nullptr)) {
    return absl::FailedPreconditionError("a policy can be changed, not added or taken away: stop");
  }
  if (read->policy.has_value()) {
    auto parsed = read_policy(*read->policy);
    if (!parsed.ok()) return parsed.status();
    policy = *std::move(parsed);
  }
  std::vector<std::shared_ptr<crypto::TlsIdentityOwner>> identities(nodes.size());
  for (size_t i = 0; i < nodes.size() && read->tls.has_value(); ++i) {
    auto identity = make_identity(*read->tls, *library_);
    if (!identity.ok()) return identity.status();
    identities[i] = std::make_shared<crypto::TlsIdentityOwner>(std::move(identity->owner));
  }
  policy_ = policy;
  if (read->policy.has_value()) policy_text_ = name_policy(*read->policy, *policy, *library_);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (auto status = nodes[i]->control().reload(identities[i], policy); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

std::vector<std::string> EngineImpl::policy_lines() {
  const std::lock_guard lock(mutex_);
  return policy_ == nullptr ? std::vector<std::string>() : policy_->rule_lines();
}

absl::Status EngineImpl::reload(const absl::StatusOr<ReloadConfig>& read) {
  const std::lock_guard lock(mutex_);
  const absl::Status status = try_reload(read);
  if (audit == nullptr) return status;
  crypto::AuditRecord record = record_of("reload");
  record.decision = status.ok() ? "allow" : "deny";
  record.reason = std::string(status.message());
  audit->append(std::move(record));
  return status;
}

absl::Status EngineImpl::make_nodes(const CryptoLibrary& library) {
  std::vector<std::vector<uint32_t>> cpus;
  for (const uint32_t lcore : eal_lcores) cpus.push_back(cpus_of_lcore(lcore));
  const std::vector<bool> shared = find_shared(cpus, read_machine(0).cpus.size());
  size_t first = 0;
  crypto::BackendSet backends = library.backends;
  for (size_t index = 0; index < config.nodes.size(); ++index) {
    NodeConfig& node = config.nodes[index];
    if (config.backend == crypto::BackendKind::kLookaside && !node.aeads.empty()) {
      const auto cpu =
          crypto::choose_backend(crypto::BackendKind::kAuto, node.aeads.front(), library.backends);
      const auto lookaside = open_lookaside(node.aeads.front(), cpu.backend);
      backends.lookaside = lookaside.ok() ? *lookaside : nullptr;
      backends.no_lookaside = std::string(lookaside.status().message());
    }
    auto crypto = choose_crypto(backends, config.backend, node.aeads);
    if (!crypto.ok()) return crypto.status();
    const std::string devices = lookaside_devices();
    if (config.backend == crypto::BackendKind::kAuto && !devices.empty()) {
      absl::StrAppend(&crypto->report.why, "; not by ", devices,
                      ", for which each burst would wait: ask for lookaside");
    }
    auto mechanism = make_mechanism(node, library);
    if (!mechanism.ok()) return mechanism.status();
    // The mechanism has the private key now; the text of it is needed no more.
    if (node.tls.has_value()) node.tls->key = crypto::SecretBytes();
    Node::Setup setup;
    setup.mechanism = std::move(mechanism->mechanism);
    setup.tls = mechanism->tls;
    setup.policy = policy_;
    setup.audit = audit.get();
    setup.index = index;
    setup.config = &node;
    setup.eal = eal;
    setup.library = &library;
    setup.crypto = *crypto;
    setup.wanted_crypto = config.backend;
    setup.cables = &cables;
    setup.pools = &pools;
    for (size_t i = first; i < first + node.lcores; ++i) {
      setup.eal_lcores.push_back(eal_lcores[i]);
      setup.yields.push_back(shared[i]);
    }
    setup.idle = config.idle;
    first += node.lcores;
    auto made = Node::create(std::move(setup));
    if (!made.ok()) return made.status();
    nodes.push_back(*std::move(made));
    mechanism->report.insert(mechanism->report.begin(), crypto->report);
    const ReportLine& sealing = nodes.back()->sealing_report();
    if (!sealing.what.empty()) {
      mechanism->report.insert(mechanism->report.begin() + 1, sealing);
    }
    for (ReportLine& line : mechanism->report) {
      if (config.nodes.size() > 1) absl::StrAppend(&line.what, " of ", node.name);
      report.lines.push_back(std::move(line));
    }
  }
  return absl::OkStatus();
}

void EngineImpl::fill_report(const CryptoLibrary& library) {
  report.dpdk_version = rte_version();
  report.lines.insert(report.lines.begin(), eal->report().begin(), eal->report().end());
  report.lines.push_back(idle_report(config.idle));
  report.lines.push_back({"crypto module", library.module_path, "handshakes and key derivation"});
  for (const auto& node : nodes) {
    for (const auto& port : node->ports()) report.ports.push_back(port->report());
  }
}

absl::Status EngineImpl::start() {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) return absl::FailedPreconditionError("the engine was started before");
  state_ = State::kRunning;
  for (const auto& node : nodes) {
    if (auto status = node->start(); !status.ok()) return status;
  }
  report.startup_ns = monotonic_ns() - opened_at_ns_;
  return absl::OkStatus();
}

bool EngineImpl::drain_calls(base::Nanos until) {
  for (;;) {
    const bool idle =
        std::all_of(nodes.begin(), nodes.end(), [](const auto& node) { return node->idle(); });
    if (idle) return true;
    if (eal->clock().now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

void EngineImpl::close_sessions() {
  for (const auto& node : nodes) node->control().close_all();
  const base::Nanos until = base::after(eal->clock().now(), kCloseWait);
  const auto left = [&] {
    return std::any_of(nodes.begin(), nodes.end(),
                       [](const auto& node) { return node->control().session_count() > 0; });
  };
  while (left() && eal->clock().now() < until) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  const bool cable = std::any_of(nodes.begin(), nodes.end(), [](const auto& node) {
    const auto& ports = node->ports();
    return std::any_of(ports.begin(), ports.end(),
                       [](const auto& port) { return port->driven_by_peer(); });
  });
  std::this_thread::sleep_for(cable ? kLastFramesOfCable : kLastFrames);
}

absl::Status EngineImpl::stop(base::Nanos drain) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kRunning) {
    state_ = State::kStopped;
    return absl::OkStatus();
  }
  state_ = State::kStopped;
  for (const auto& node : nodes) node->control().refuse_new();
  const bool drained = drain_calls(base::after(eal->clock().now(), drain));
  close_sessions();
  for (const auto& node : nodes) node->stop();
  if (audit != nullptr) audit->append(record_of("stop"));
  if (drained) return absl::OkStatus();
  return absl::DeadlineExceededError("calls were still in flight when the engine stopped");
}

}  // namespace sluice::engine
