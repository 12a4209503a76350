// SPDX-License-Identifier: Apache-2.0
//
// A piece of work that a mode does on a running engine: traffic, a file, the main job.
#ifndef SLUICE_CLI_JOB_H_
#define SLUICE_CLI_JOB_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/json_report.h"

namespace sluice::cli {

class Rig;

// How far a job is.
struct Progress {
  std::string what;  // "clean: RPCs"
  uint64_t done = 0;
  uint64_t total = 0;  // 0: no end is known.
};

// The thread that made a job calls its functions; none of them waits long but finish().
class Job {
 public:
  virtual ~Job() = default;

  virtual absl::Status start() = 0;
  // To be called every few milliseconds until it is true; jobs of several steps take the next one
  // here.
  virtual bool done() = 0;
  virtual Progress progress() = 0;
  // Ends early: done() follows when what is in flight has ended.
  virtual void stop() = 0;
  // After done(), once: adds what was measured and returns it for people. An error says that the
  // work has failed; the figures are complete all the same.
  virtual absl::Status finish(JsonReport* json, std::string* text) = 0;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_JOB_H_
