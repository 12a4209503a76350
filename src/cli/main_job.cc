// SPDX-License-Identifier: Apache-2.0
#include "cli/main_job.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr size_t kSteps = 4;
constexpr char kFileName[] = "sluice-main-job.bin";

Job* job_of(const std::unique_ptr<TrafficJob>& rpcs, const std::unique_ptr<SendFileJob>& file,
            bool wants_file) {
  return wants_file ? static_cast<Job*>(file.get()) : static_cast<Job*>(rpcs.get());
}

std::string latency_text(const base::Histogram& latency) {
  std::string out;
  for (const Quantile& quantile : kQuantiles) {
    absl::StrAppend(&out, out.empty() ? "" : " / ", nanos_text(latency.quantile_ppm(quantile.ppm)));
  }
  return out;
}

std::string control_text(const RpcFigures& figures) {
  const uint64_t bytes = figures.results.request_bytes + figures.results.response_bytes;
  const uint64_t control = figures.counted.value("control.bytes");
  return bytes == 0 ? "-" : bytes_text(control * 1'000'000 / bytes);
}

std::string percent_text(uint32_t ppm) {
  return ppm % 10'000 == 0 ? absl::StrCat(ppm / 10'000, " %") : absl::StrCat(ppm, " ppm");
}

std::string faults_text(const FaultOptions& faults) {
  if (!faults.any()) return "none";
  return absl::StrCat(percent_text(faults.loss_ppm), " / ", percent_text(faults.reorder_ppm), " / ",
                      percent_text(faults.duplicate_ppm));
}

}  // namespace

FaultOptions default_faults() {
  FaultOptions faults;
  faults.loss_ppm = faults.reorder_ppm = faults.duplicate_ppm = 10'000;
  return faults;
}

MainJob::MainJob(Rig* rig, TrafficPlan plan, std::string file)
    : rig_(rig), plan_(std::move(plan)), file_(std::move(file)) {
  phases_[0].name = "clean";
  phases_[1].name = "faulty";
  const FaultOptions& asked = rig->options().faults;
  phases_[1].faults = asked.any() ? asked : default_faults();
  phases_[1].faults.seed = rig->options().seed;
}

absl::Status MainJob::start() {
  auto folder = TemporaryFolder::make();
  if (!folder.ok()) return folder.status();
  folder_.emplace(std::move(*folder));
  if (file_.empty()) {
    file_ = absl::StrCat(folder_->path(), "/", kFileName);
    absl::Status status = write_real_file(file_, kLeastFile);
    if (!status.ok()) return status;
  }
  auto arrivals = TemporaryFolder::make();
  if (!arrivals.ok()) return arrivals.status();
  arrivals_.emplace(std::move(*arrivals));
  rig_->receive_files(arrivals_->path(), true);
  return start_step();
}

absl::Status MainJob::set_faults(const FaultOptions& faults) {
  for (uint32_t node = 0; node < rig_->engine().nodes(); ++node) {
    FaultOptions mine = faults;
    mine.seed += node;
    absl::Status status = rig_->engine().set_faults(node, mine);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status MainJob::start_step() {
  Phase& phase = phases_[step_ / 2];
  if (step_ % 2 == 1) {
    phase.file = std::make_unique<SendFileJob>(rig_, file_, phase.name);
    return phase.file->start();
  }
  absl::Status status = set_faults(phase.faults);
  if (!status.ok()) return status;
  TrafficPlan plan = plan_;
  plan.phase = phase.name;
  phase.rpcs = std::make_unique<TrafficJob>(rig_, std::move(plan));
  return phase.rpcs->start();
}

bool MainJob::done() {
  if (step_ == kSteps || !failure_.ok()) return true;
  const Phase& phase = phases_[step_ / 2];
  if (!job_of(phase.rpcs, phase.file, step_ % 2 == 1)->done()) return false;
  if (stopped_ || ++step_ == kSteps) return true;
  failure_ = start_step();
  return !failure_.ok();
}

Progress MainJob::progress() {
  if (step_ == kSteps) return {"end", 1, 1};
  const Phase& phase = phases_[step_ / 2];
  return job_of(phase.rpcs, phase.file, step_ % 2 == 1)->progress();
}

void MainJob::stop() {
  stopped_ = true;
  if (step_ == kSteps) return;
  const Phase& phase = phases_[step_ / 2];
  job_of(phase.rpcs, phase.file, step_ % 2 == 1)->stop();
}

absl::Status MainJob::finish(JsonReport* json, std::string* text) {
  absl::Status status = failure_;
  std::string details;
  for (Phase& phase : phases_) {
    for (Job* job : {static_cast<Job*>(phase.rpcs.get()), static_cast<Job*>(phase.file.get())}) {
      if (job == nullptr) continue;
      const absl::Status one = job->finish(json, &details);
      if (status.ok() && !one.ok()) {
        status = absl::Status(one.code(), absl::StrCat(phase.name, ": ", one.message()));
      }
    }
  }
  absl::StrAppend(text, table_text());
  if (status.ok() && stopped_) return absl::CancelledError("interrupted before the end");
  return status;
}

std::string MainJob::table_text() const {
  std::vector<std::vector<std::string>> rows = {{"RPCs completed"},
                                                {"RPCs failed / corrupt"},
                                                {"RPCs/s"},
                                                {"RPC goodput"},
                                                {"packets sent"},
                                                {"  sent again"},
                                                {"  lost / reordered / duplicated on purpose"},
                                                {"control bytes per MB"},
                                                {"file"},
                                                {"  goodput"},
                                                {"  SHA-256"},
                                                {"latency p50 / p99 / p99.9"}};
  for (const base::SizeClass& size : plan_.workload.classes()) {
    rows.push_back({absl::StrCat("  ", size.name(), " bytes")});
  }
  std::vector<std::string> head = {""};
  for (const Phase& phase : phases_) {
    if (phase.rpcs == nullptr) break;
    const RpcFigures& rpcs = phase.rpcs->figures();
    const CallerResults& results = rpcs.results;
    head.push_back(phase.name);
    size_t row = 0;
    const auto put = [&](std::string cell) { rows[row++].push_back(std::move(cell)); };
    put(count_text(results.completed));
    put(absl::StrCat(count_text(results.failures()), " / ", count_text(rpcs.corrupt())));
    put(rate_text(rpcs.rate()));
    put(bits_text(rpcs.goodput()));
    put(count_text(rpcs.counted.value("packets.sent")));
    put(count_text(rpcs.counted.value("packets.retransmitted")));
    put(faults_text(phase.faults));
    put(control_text(rpcs));
    const FileFigures file = phase.file == nullptr ? FileFigures() : phase.file->figures();
    put(bytes_text(file.bytes));
    put(bits_text(file.goodput()));
    put(phase.file == nullptr ? "not sent" : file.match ? "matches" : "DIFFERS");
    put(latency_text(*std::make_unique<base::Histogram>(all_latencies(results))));
    for (size_t i = 0; i < plan_.workload.classes().size(); ++i) {
      put(latency_text(results.latency[i]));
    }
  }
  Table table(std::move(head));
  for (auto& row : rows) table.row(std::move(row));
  return table.text(0);
}

}  // namespace sluice::cli
