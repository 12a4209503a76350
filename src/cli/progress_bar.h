// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_PROGRESS_BAR_H_
#define SLUICE_CLI_PROGRESS_BAR_H_

#include <cstdint>
#include <cstdio>
#include <string>

#include "cli/job.h"

namespace sluice::cli {

// One line of progress: "clean RPCs  [#########.....] 64 %  128,000 of 200,000".
std::string progress_text(const Progress& progress);

// Keeps such a line up to date at the foot of a terminal; does nothing elsewhere.
class ProgressBar {
 public:
  ProgressBar(FILE* out, bool wanted);
  // Ends with the line removed.
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Redraws, at most ten times a second. `now` is in nanoseconds of any monotonic clock.
  void show(const Progress& progress, uint64_t now);
  // Makes room for other output.
  void clear();

 private:
  FILE* out_;
  bool active_;
  bool drawn_ = false;
  uint64_t next_ = 0;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_PROGRESS_BAR_H_
