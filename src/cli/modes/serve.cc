// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "cli/figures.h"
#include "cli/mode.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr uint32_t kLongest = (1u << 30) - 1;

absl::Status prepare(Options* options) {
  if (!options->embedded()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "serve needs a device to be reached by: add --port=DEVICE --address=IP/LEN");
}

uint32_t longest(const Options& /*options*/) { return kLongest; }

// The services run on the lcores, from the engine's start on; the job only waits for its end, and
// reports all that was served, since peers need not wait until it begins.
class ServeJob final : public Job {
 public:
  explicit ServeJob(Rig* rig) : rig_(rig) {}

  absl::Status start() override {
    begun_ns_ = rig_->engine().now_ns();
    return absl::OkStatus();
  }

  bool done() override {
    const uint64_t duration = rig_->options().duration;
    return stopped_ || (duration != 0 && rig_->engine().now_ns() - begun_ns_ >= duration);
  }

  Progress progress() override { return {"messages served", rig_->served(), 0}; }
  void stop() override { stopped_ = true; }

  absl::Status finish(JsonReport* json, std::string* text) override {
    json->add("served.messages", rig_->served(), "messages");
    json->add("served.bytes", rig_->served_bytes(), "bytes");
    json->add("rpc.corrupt", rig_->served_corrupt(), "RPCs");
    const StatsSnapshot counted = rig_->engine().stats();
    add_counters(counted, "", json);
    absl::StrAppend(text, count_text(rig_->served()), " messages served, ",
                    bytes_text(rig_->served_bytes()), ", ", count_text(rig_->served_corrupt()),
                    " corrupt\n", arrivals_text(counted), "\n");
    return rig_->served_corrupt() == 0 ? absl::OkStatus()
                                       : absl::DataLossError("messages arrived corrupt");
  }

 private:
  Rig* rig_;
  uint64_t begun_ns_ = 0;
  bool stopped_ = false;
};

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& /*options*/) {
  return std::make_unique<ServeJob>(rig);
}

}  // namespace

const Mode kServeMode = {
    .name = "serve",
    .summary = "answer the other modes",
    .help =
        "Answers pingpong, rate, stream and incast until SIGINT, SIGTERM or --duration, and\n"
        "checks every byte that arrives. A received file is refused: that is recvfile's.\n"
        "  sluice serve --port=net_memif0,role=server --address=10.0.0.2/24 --psk-file=key\n",
    .connects = false,
    .roles = {.serve = true, .files = false},
    .prepare = &prepare,
    .longest = &longest,
    .make = &make,
};

}  // namespace sluice::cli
