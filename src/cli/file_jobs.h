// SPDX-License-Identifier: Apache-2.0
//
// Sending a file, and receiving files, as jobs.
#ifndef SLUICE_CLI_FILE_JOBS_H_
#define SLUICE_CLI_FILE_JOBS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/figures.h"
#include "cli/file_receiver.h"
#include "cli/file_sender.h"
#include "cli/job.h"
#include "cli/rig.h"

namespace sluice::cli {

class SendFileJob final : public Job {
 public:
  // The rig has its sessions and outlives the job.
  SendFileJob(Rig* rig, std::string path, std::string phase);
  ~SendFileJob() override;

  absl::Status start() override;
  bool done() override { return done_.load(std::memory_order_acquire); }
  Progress progress() override;
  void stop() override { sender_.stop(); }
  absl::Status finish(JsonReport* json, std::string* text) override;

  // After finish().
  const FileFigures& figures() const { return figures_; }

 private:
  Rig* rig_;
  std::string phase_;
  FileSender sender_;
  std::thread thread_;
  std::atomic<bool> done_{false};
  std::optional<absl::StatusOr<SentFile>> outcome_;  // The thread's, until done_.
  StatsSnapshot before_;
  StatsSnapshot counted_;  // Likewise the thread's: between the file's begin and its end.
  FileFigures figures_;
};

class ReceiveFilesJob final : public Job {
 public:
  // Ends after `count` files; 0: when stopped. The rig receives files and outlives the job.
  ReceiveFilesJob(Rig* rig, uint64_t count) : rig_(rig), count_(count) {}

  absl::Status start() override;
  bool done() override;
  Progress progress() override;
  void stop() override { stopped_ = true; }
  absl::Status finish(JsonReport* json, std::string* text) override;

 private:
  Rig* rig_;
  uint64_t count_;
  bool stopped_ = false;
  FileReceiver* receiver_ = nullptr;  // The rig's.
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_FILE_JOBS_H_
