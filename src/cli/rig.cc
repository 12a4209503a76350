// SPDX-License-Identifier: Apache-2.0
#include "cli/rig.h"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/machine.h"
#include "cli/signals.h"

namespace sluice::cli {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr uint32_t kInboxCapacity = 256;
constexpr uint64_t kFirstAttempt = 900'000'000;
constexpr uint64_t kLeastAttempt = 100'000'000;
constexpr auto kSignalLook = std::chrono::milliseconds(5);

absl::StatusOr<std::vector<uint8_t>> random_key() {
  std::vector<uint8_t> key(kKeyBytes);
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    return absl::UnavailableError("the kernel has no random numbers for a key: give --psk-file");
  }
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Rig>> Rig::open(const Options& options, Roles roles,
                                               uint32_t longest) {
  std::unique_ptr<Rig> rig(new Rig(options));
  auto content = Content::create(longest);
  if (!content.ok()) return content.status();
  rig->content_ = std::move(*content);
  auto key = random_key();
  if (!key.ok()) return key.status();
  auto engine = Engine::create(
      engine_options(options, roles.serve || roles.files || options.embedded(), std::move(*key)));
  if (!engine.ok()) return engine.status();
  rig->engine_ = std::move(*engine);
  const absl::Status status = rig->install_services(roles, longest);
  if (!status.ok()) return status;
  return rig;
}

absl::Status Rig::install_services(Roles roles, uint32_t longest) {
  if (roles.files) {
    auto inbox = Inbox::create(*engine_, {server_node(), kInboxCapacity});
    if (!inbox.ok()) return inbox.status();
    inbox_ = std::move(*inbox);
  }
  for (uint32_t lcore = 0; lcore < engine_->lcores(server_node()); ++lcore) {
    Endpoint& endpoint = *engine_->endpoint(server_node(), lcore);
    StatusCode code = StatusCode::kOk;
    if (roles.serve) {
      services_.push_back(std::make_unique<Services>(content_.get(), longest));
      code = services_.back()->install(endpoint);
    }
    if (inbox_ != nullptr && code == StatusCode::kOk) {
      code = endpoint.set_handler(kFileService, inbox_->handler());
    }
    if (code != StatusCode::kOk) return to_status(code, "cannot offer the services");
  }
  return absl::OkStatus();
}

Rig::~Rig() {
  receiver_.reset();
  if (engine_ != nullptr && !closed_) engine_->close().IgnoreError();
}

// A signal ends the attempt at once, and the engine with it.
absl::StatusOr<Session> Rig::attempt(const std::string& peer, uint64_t timeout) {
  auto outcome = std::async(std::launch::async, [this, &peer, timeout] {
    return engine_->connect(kClientNode, peer, timeout, options_.peer_name);
  });
  while (outcome.wait_for(kSignalLook) != std::future_status::ready) {
    if (signals_received() > 0) close(0).IgnoreError();
  }
  auto session = outcome.get();
  if (closed_) return absl::CancelledError("interrupted");
  return session;
}

// A peer that refuses is final after one attempt; one that is silent may be starting, or may have
// restarted in the middle of one. Each attempt is given twice the time of the last, so that a slow
// machine comes to its end too.
absl::StatusOr<Session> Rig::connect_once(const std::string& peer) {
  const uint64_t timeout = connect_timeout_of(options_);
  const uint64_t give_up = engine_->now_ns() + timeout;
  uint64_t patience = options_.embedded() ? timeout : std::min(kFirstAttempt, timeout);
  while (true) {
    auto session = attempt(peer, patience);
    const uint64_t now = engine_->now_ns();
    const bool over = now + kLeastAttempt >= give_up;
    if (!absl::IsUnavailable(session.status()) || over) return session;
    patience = std::min(2 * patience, give_up - now);
  }
}

absl::Status Rig::connect() {
  const std::string peer = options_.embedded() ? kEmbeddedPeer : options_.peer;
  for (uint64_t i = 0; i < options_.sessions; ++i) {
    auto session = connect_once(peer);
    if (!session.ok()) return session.status();
    sessions_.push_back(*session);
  }
  return absl::OkStatus();
}

absl::Status Rig::close(uint64_t drain_ns) {
  if (std::exchange(closed_, true)) return absl::OkStatus();
  const absl::Status drained = engine_->drain(drain_ns);
  receiver_.reset();
  const absl::Status status = engine_->close();
  return drained.ok() ? status : drained;
}

FileReceiver& Rig::receive_files(const std::string& folder, bool overwrite) {
  receiver_ = std::make_unique<FileReceiver>(engine_.get(), inbox_.get(), folder, overwrite,
                                             static_cast<uint32_t>(options_.max_buffered));
  return *receiver_;
}

uint64_t Rig::served() const {
  uint64_t sum = 0;
  for (const auto& services : services_) {
    sum += services->counters().requests.load() + services->counters().one_ways.load();
  }
  return sum;
}

uint64_t Rig::served_bytes() const {
  uint64_t sum = 0;
  for (const auto& services : services_) sum += services->counters().request_bytes.load();
  return sum;
}

uint64_t Rig::served_corrupt() const {
  uint64_t sum = 0;
  for (const auto& services : services_) sum += services->counters().corrupt.load();
  return sum;
}

std::string Rig::report_text() const {
  std::string out = absl::StrCat("machine: ", machine_text(read_machine()), "\n");
  for (const ReportLine& line : engine_->report()) {
    absl::StrAppend(&out, line.subject, ": ", line.value);
    if (!line.reason.empty()) absl::StrAppend(&out, " (", line.reason, ")");
    out += '\n';
  }
  return out;
}

}  // namespace sluice::cli
