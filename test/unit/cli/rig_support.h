// SPDX-License-Identifier: Apache-2.0
//
// Both ends in the test's own process, for what can only be tested on a running engine.
#ifndef SLUICE_TEST_UNIT_CLI_RIG_SUPPORT_H_
#define SLUICE_TEST_UNIT_CLI_RIG_SUPPORT_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "cli/job.h"
#include "cli/machine.h"
#include "cli/mode.h"
#include "cli/options.h"
#include "cli/rig.h"

namespace sluice::cli {

inline Options small_options() {
  Options options;
  options.mode = "rate";
  options.huge_pages = HugePages::kNo;
  options.arena_mb = 16;
  options.memory_mb = 128;
  options.size = 64;
  options.outstanding = 8;
  options.service = kEchoService;
  options.count = 1000;
  options.eal = {"--no-pci"};
  options.progress = false;
  options.report = false;
  return options;
}

// A rig that runs, with its session; null, with a failure reported, when it does not come up.
inline std::unique_ptr<Rig> running_rig(const Options& options,
                                        Roles roles = {.serve = true, .files = true},
                                        uint32_t longest = 1'000'000) {
  auto rig = Rig::open(options, roles, longest);
  EXPECT_TRUE(rig.ok()) << rig.status();
  if (!rig.ok()) return nullptr;
  EXPECT_EQ((*rig)->start(), absl::OkStatus());
  const absl::Status connected = (*rig)->connect();
  EXPECT_TRUE(connected.ok()) << connected;
  return connected.ok() ? std::move(*rig) : nullptr;
}

// Runs a job to its end, which must come within minutes: under sanitizers on a busy machine it
// takes one.
inline absl::Status run_to_end(Job* job, JsonReport* json, std::string* text) {
  const absl::Status started = job->start();
  if (!started.ok()) return started;
  for (int i = 0; !job->done(); ++i) {
    if (i == 120'000) return absl::DeadlineExceededError("the job does not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return job->finish(json, text);
}

inline JsonReport empty_report() { return JsonReport("test", "0", Machine()); }

}  // namespace sluice::cli

#endif  // SLUICE_TEST_UNIT_CLI_RIG_SUPPORT_H_
