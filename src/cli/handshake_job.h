// SPDX-License-Identifier: Apache-2.0
//
// Sessions begun one after another, each with one RPC: what a handshake costs, and how soon the
// first answer is there.
#ifndef SLUICE_CLI_HANDSHAKE_JOB_H_
#define SLUICE_CLI_HANDSHAKE_JOB_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/histogram.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/rig.h"

namespace sluice::cli {

// `count` sessions of one kind.
struct HandshakeFigures {
  HandshakeKind kind = HandshakeKind::kFull;
  uint64_t begun = 0;
  uint64_t failed = 0;           // Sessions or RPCs.
  uint64_t corrupt = 0;          // Answers with wrong bytes.
  base::Histogram first_answer;  // From the connect to the answer, in ns.
  uint64_t nanos = 0;            // Of all of them, one after another.
  StatsSnapshot counted;
};

class HandshakeJob final : public Job {
 public:
  // `count` sessions of each kind, in this order, with a request of `size` bytes. The rig has a
  // session with the peer, and outlives the job.
  HandshakeJob(Rig* rig, std::vector<HandshakeKind> kinds, uint64_t count, uint32_t size);
  ~HandshakeJob() override;

  absl::Status start() override;
  bool done() override { return ended_.load(std::memory_order_acquire); }
  Progress progress() override;
  void stop() override { stop_.store(true, std::memory_order_relaxed); }
  absl::Status finish(JsonReport* json, std::string* text) override;

 private:
  // One RPC; written on the lcore.
  struct Answer {
    Engine* engine = nullptr;
    const uint8_t* expected = nullptr;
    uint64_t at = 0;
    bool ok = false;
    bool right = false;
    std::atomic<bool> there{false};
  };

  void run();
  absl::Status run_one(HandshakeFigures* figures, uint64_t number);
  static void on_answer(void* context, CallResult& result);
  void add(const HandshakeFigures& figures, JsonReport* json) const;

  Rig* rig_;
  uint64_t count_;
  uint32_t size_;
  std::vector<HandshakeFigures> figures_;
  absl::Status failure_;
  std::atomic<uint64_t> progress_{0};
  std::atomic<bool> stop_{false};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_HANDSHAKE_JOB_H_
