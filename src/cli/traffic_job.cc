// SPDX-License-Identifier: Apache-2.0
#include "cli/traffic_job.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr int kEndLooks = 200;
constexpr std::chrono::milliseconds kEndLookPause(1);

void install(void* context, Endpoint& endpoint) {
  static_cast<Caller*>(context)->install(endpoint);
}

void uninstall(void* /*context*/, Endpoint& endpoint) { Caller::uninstall(endpoint); }

// The share of lcore `i` of `n` in a whole that is divided as evenly as it can be.
uint64_t share(uint64_t whole, uint64_t i, uint64_t n) {
  return whole / n + (i < whole % n ? 1 : 0);
}

}  // namespace

TrafficJob::TrafficJob(Rig* rig, TrafficPlan plan)
    : rig_(rig), plan_(std::move(plan)), figures_(std::make_unique<RpcFigures>()) {}

TrafficJob::~TrafficJob() {
  if (!installed_) return;
  for (uint32_t lcore = 0; lcore < callers_.size(); ++lcore) {
    rig_->engine().run_on(kClientNode, lcore, &uninstall, nullptr).IgnoreError();
  }
}

absl::Status TrafficJob::start() {
  Engine& engine = rig_->engine();
  const uint32_t lcores = engine.lcores(kClientNode);
  for (uint32_t lcore = 0; lcore < lcores; ++lcore) {
    CallerConfig config;
    config.engine = &engine;
    config.content = &rig_->content();
    config.sessions = rig_->sessions();
    config.service = plan_.service;
    config.workload = plan_.workload;
    config.outstanding = plan_.outstanding;
    config.load = plan_.load;
    config.beside = plan_.beside;
    config.count = share(plan_.count, lcore, lcores);
    config.warmup = share(plan_.warmup, lcore, lcores);
    config.deadline_ns = plan_.deadline_ns;
    config.in_rounds = plan_.in_rounds;
    config.precise_times = plan_.precise_times;
    config.seed = plan_.seed + lcore;
    if (plan_.count != 0 && config.count == 0) continue;  // Fewer messages than lcores.
    callers_.push_back(std::make_unique<Caller>(std::move(config)));
  }
  before_ = engine.stats();
  corrupt_before_ = rig_->served_corrupt();
  begun_ns_ = engine.now_ns();
  installed_ = true;
  for (uint32_t lcore = 0; lcore < callers_.size(); ++lcore) {
    absl::Status status = engine.run_on(kClientNode, lcore, &install, callers_[lcore].get());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool TrafficJob::done() {
  if (plan_.duration_ns != 0 && rig_->engine().now_ns() - begun_ns_ >= plan_.duration_ns) stop();
  const bool done = std::all_of(callers_.begin(), callers_.end(),
                                [](const auto& caller) { return caller->done(); });
  if (done) note_end();
  return done;
}

void TrafficJob::note_end() {
  if (ended_) return;
  ended_ = true;
  figures_->served_corrupt = rig_->served_corrupt() - corrupt_before_;
  figures_->counted = rig_->engine().stats().since(before_);
}

Progress TrafficJob::progress() {
  Progress progress;
  progress.what = plan_.phase.empty() ? "RPCs" : absl::StrCat(plan_.phase, " RPCs");
  for (const auto& caller : callers_) progress.done += caller->ended();
  progress.total = plan_.count;
  return progress;
}

void TrafficJob::stop() {
  for (const auto& caller : callers_) caller->stop();
}

absl::Status TrafficJob::collect() {
  StatusCode refused = StatusCode::kOk;
  figures_->phase = plan_.phase;
  figures_->workload = plan_.workload;
  figures_->outstanding = uint64_t{plan_.outstanding} * callers_.size();
  for (const auto& caller : callers_) {
    figures_->results.merge(caller->results());
    if (caller->refused() != StatusCode::kOk) refused = caller->refused();
  }
  note_end();
  const absl::Status status = to_status(refused, "no further RPC could be begun");
  if (refused != StatusCode::kNotFound && refused != StatusCode::kClosed) return status;
  return absl::Status(status.code(), absl::StrCat(status.message(), why_session_ended()));
}

// The engine knows why, but lcores learn of an end before it does.
std::string TrafficJob::why_session_ended() const {
  for (int look = 0; look < kEndLooks; ++look) {
    const auto session = rig_->engine().session_info(rig_->sessions().front());
    if (!session.ok()) return absl::StrCat(" (", session.status().message(), ")");
    std::this_thread::sleep_for(kEndLookPause);
  }
  return "";
}

absl::Status TrafficJob::finish(JsonReport* json, std::string* text) {
  absl::Status status = collect();
  add_figures(*figures_, json);
  absl::StrAppend(text, rpc_text(*figures_));
  if (!status.ok()) return status;
  const CallerResults& results = figures_->results;
  if (figures_->corrupt() > 0) {
    return absl::DataLossError(absl::StrCat(count_text(figures_->corrupt()), " RPCs were corrupt"));
  }
  if (results.failures() > 0) {
    return absl::UnavailableError(
        absl::StrCat(count_text(results.failures()), " RPCs failed: ", failures_text(results)));
  }
  return absl::OkStatus();
}

}  // namespace sluice::cli
