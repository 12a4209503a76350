// SPDX-License-Identifier: Apache-2.0
#include "cli/file_jobs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace sluice::cli {

SendFileJob::SendFileJob(Rig* rig, std::string path, std::string phase)
    : rig_(rig),
      phase_(std::move(phase)),
      sender_(&rig->engine(), rig->sessions().front(), std::move(path),
              rig->options().deadline == 0 ? kNoDeadline : rig->options().deadline) {}

SendFileJob::~SendFileJob() {
  sender_.stop();
  if (thread_.joinable()) thread_.join();
}

absl::Status SendFileJob::start() {
  before_ = rig_->engine().stats();
  thread_ = std::thread([this] {
    outcome_ = sender_.run();
    counted_ = rig_->engine().stats().since(before_);
    figures_.counted = counted_;
    done_.store(true, std::memory_order_release);
  });
  return absl::OkStatus();
}

Progress SendFileJob::progress() {
  return {phase_.empty() ? "file" : absl::StrCat(phase_, " file"), sender_.acknowledged(),
          sender_.size()};
}

absl::Status SendFileJob::finish(JsonReport* json, std::string* text) {
  thread_.join();
  const absl::StatusOr<SentFile>& sent = *outcome_;
  figures_.phase = phase_;
  if (sent.ok()) {
    figures_.bytes = sent->bytes;
    figures_.nanos = sent->nanos;
    figures_.match = sent->match;
    absl::StrAppend(text, file_text(figures_), "  SHA-256 ", digest_text(sent->digest), "\n");
  } else {
    figures_.bytes = sender_.acknowledged();
  }
  add_figures(figures_, json);
  if (!sent.ok()) return sent.status();
  return sent->match ? absl::OkStatus()
                     : absl::DataLossError("the file that arrived differs from the one sent");
}

absl::Status ReceiveFilesJob::start() {
  receiver_ = &rig_->receive_files(rig_->options().folder, rig_->options().overwrite);
  return absl::OkStatus();
}

bool ReceiveFilesJob::done() { return stopped_ || (count_ != 0 && receiver_->files() >= count_); }

Progress ReceiveFilesJob::progress() { return {"bytes received", receiver_->bytes(), 0}; }

absl::Status ReceiveFilesJob::finish(JsonReport* json, std::string* text) {
  const uint64_t under_way = receiver_->under_way();
  const std::vector<ReceivedFile> files = receiver_->take();
  uint64_t wrong = 0;
  for (const ReceivedFile& file : files) {
    const FileFigures figures = {"", file.bytes, file.nanos, file.match, {}};
    add_figures(figures, json);
    absl::StrAppend(text, file.path, ": ", file_text(figures), "  SHA-256 ",
                    digest_text(file.digest), "\n");
    wrong += file.match ? 0 : 1;
  }
  for (const std::string& error : receiver_->take_errors()) {
    absl::StrAppend(text, "refused: ", error, "\n");
  }
  absl::StrAppend(text, files.size(), " files received, ", wrong, " of them wrong, ", under_way,
                  " unfinished\n");
  if (wrong > 0) return absl::DataLossError(absl::StrCat(wrong, " files arrived damaged"));
  return under_way == 0 ? absl::OkStatus()
                        : absl::CancelledError(absl::StrCat(under_way, " files were cut off"));
}

}  // namespace sluice::cli
