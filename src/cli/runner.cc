// SPDX-License-Identifier: Apache-2.0
#include "cli/runner.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/audit.h"
#include "cli/figures.h"
#include "cli/prompt.h"
#include "cli/show.h"
#include "cli/signals.h"
#include "cli/text.h"
#include "sluice/version.h"

namespace sluice::cli {
namespace {

constexpr auto kTick = std::chrono::milliseconds(5);
constexpr uint64_t kDrainNanos = 2'000'000'000;

void complain(const absl::Status& status) {
  std::fprintf(stderr, "sluice: %s\n", std::string(status.message()).c_str());
}

int exit_of(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  return absl::IsCancelled(status) ? kExitInterrupted : kExitFailed;
}

// Runs one job to its end. A first signal lets what is in flight finish, a second does not wait.
absl::Status run_job(const Mode& mode, Rig* rig, JobRun* run) {
  auto job = mode.make(rig, rig->options());
  if (!job.ok()) return job.status();
  absl::Status status = run->start(std::move(*job));
  if (!status.ok()) return status;
  const bool endless = !mode.connects;
  bool told = false;
  while (!run->tick()) {
    run->reload_when_asked();
    if (signals_received() >= 1 && !std::exchange(told, true)) run->stop();
    if (signals_received() >= 2) return absl::CancelledError("interrupted without draining");
    std::this_thread::sleep_for(kTick);
  }
  if (run->outcome().ok() && told && !endless) return absl::CancelledError("interrupted");
  return run->outcome();
}

absl::Status start(const Mode& mode, Rig* rig, FILE* out) {
  absl::Status status = rig->start();
  if (!status.ok()) return status;
  if (rig->options().report) std::fputs(rig->report_text().c_str(), out);
  std::fflush(out);
  if (!mode.connects) return absl::OkStatus();
  status = rig->connect();
  if (status.ok() && rig->options().report) {
    const bool forms = rig->options().record_mode || rig->options().esp;
    std::fputs(peers_text(rig->engine().sessions(), forms).c_str(), out);
    std::fflush(out);
  }
  return status;
}

absl::Status run_rig(const Mode& mode, Rig* rig, JsonReport* json) {
  absl::Status status = start(mode, rig, stdout);
  if (!status.ok()) return status;
  if (mode.connects) add_sessions(rig->engine().sessions(), json);
  JobRun run(rig, json, stdout);
  const Options& options = rig->options();
  if (options.interactive || !options.cmdline_file.empty()) {
    status = run_prompt(mode, rig, &run);
  } else {
    status = run_job(mode, rig, &run);
  }
  if (!mode.connects) add_sessions(rig->engine().sessions(), json);
  json->add("memory.rss", resident_bytes(), "bytes");
  // The job may still own calls: they end here, before it does.
  const absl::Status closed = rig->close(signals_received() >= 2 ? 0 : kDrainNanos);
  return status.ok() ? closed : status;
}

}  // namespace

JobRun::JobRun(Rig* rig, JsonReport* json, FILE* out)
    : rig_(rig), json_(json), out_(out), bar_(stderr, rig->options().progress) {}

JobRun::~JobRun() {
  if (job_ != nullptr) rig_->close(0).IgnoreError();
}

absl::Status JobRun::start(std::unique_ptr<Job> job) {
  job_ = std::move(job);
  outcome_ = absl::OkStatus();
  period_ = rig_->engine().stats();
  next_period_ = period_.time_ns + rig_->options().stats_period;
  return job_->start();
}

void JobRun::stop() {
  if (job_ != nullptr) job_->stop();
}

void JobRun::print_period(uint64_t now) {
  const uint64_t period = rig_->options().stats_period;
  if (period == 0 || now < next_period_) return;
  next_period_ += period;
  StatsSnapshot stats = rig_->engine().stats();
  bar_.clear();
  absl::FPrintF(out_, "%s\n", period_text(period_, stats));
  std::fflush(out_);
  period_ = std::move(stats);
}

bool JobRun::reload_when_asked() {
  if (!take_reload()) return false;
  const absl::Status status = rig_->engine().reload();
  bar_.clear();
  if (status.ok()) {
    absl::FPrintF(out_, "%s\n", kReloadedText);
    std::fflush(out_);
  } else {
    complain(status);
  }
  return true;
}

bool JobRun::tick() {
  if (job_ == nullptr) return false;
  const uint64_t now = rig_->engine().now_ns();
  if (!job_->done()) {
    bar_.show(job_->progress(), now);
    print_period(now);
    return false;
  }
  bar_.clear();
  std::string text;
  outcome_ = job_->finish(json_, &text);
  job_.reset();
  absl::FPrintF(out_, "%s", text);
  std::fflush(out_);
  return true;
}

std::string period_text(const StatsSnapshot& before, const StatsSnapshot& now) {
  const StatsSnapshot delta = now.since(before);
  const double seconds =
      now.time_ns > before.time_ns ? static_cast<double>(now.time_ns - before.time_ns) / 1e9 : 1;
  const auto rate = [&](const char* name) {
    return rate_text(static_cast<double>(delta.value(name)) / seconds);
  };
  uint64_t dropped = 0;
  for (const Counter& counter : delta.counters) {
    if (absl::StartsWith(counter.name, "dropped.")) dropped += counter.value;
  }
  const double bits = static_cast<double>(delta.value("goodput.delivered_bytes")) * 8 / seconds;
  return absl::StrFormat(
      "%.1f s: calls %s, requests %s, delivered %s, packets in %s out %s, "
      "sent again %s, dropped %s",
      static_cast<double>(now.time_ns) / 1e9, rate("rpc.completed"), rate("requests.delivered"),
      bits_text(bits), rate("packets.received"), rate("packets.sent"),
      count_text(delta.value("packets.retransmitted")), count_text(dropped));
}

int run_mode(const Mode& mode, const Options& options, const std::string& command) {
  if (!options.json.empty()) {
    const absl::Status writable = check_writable(options.json);
    if (!writable.ok()) {
      std::fprintf(stderr, "sluice: --json: %s\n", std::string(writable.message()).c_str());
      return kExitUsage;
    }
  }
  const absl::Status access = check_access_files(options);
  if (!access.ok()) {
    complain(access);
    return kExitUsage;
  }
  watch_signals();
  if (has_certificates(options)) watch_reload();
  auto rig = Rig::open(options, mode.roles, mode.longest(options));
  if (!rig.ok()) {
    complain(rig.status());
    // A choice of the command line that nothing here can do.
    return absl::IsUnimplemented(rig.status()) ? kExitUsage : kExitFailed;
  }
  JsonReport json(command, library_version(), read_machine());
  absl::Status status = run_rig(mode, rig->get(), &json);
  // What a broken start has not measured is not written.
  if (!options.json.empty() && json.results() > 1) {
    const absl::Status written = write_whole(options.json, json.text());
    if (!written.ok()) complain(written);
    if (status.ok()) status = written;
  }
  if (!status.ok()) complain(status);
  return exit_of(status);
}

}  // namespace sluice::cli
