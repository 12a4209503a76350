// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kBarCells = 30;
constexpr uint64_t kRedrawNanos = 100'000'000;

}  // namespace

std::string progress_text(const Progress& progress) {
  if (progress.total == 0) return absl::StrCat(progress.what, ": ", count_text(progress.done));
  const uint64_t done = std::min(progress.done, progress.total);
  const uint64_t cells = done * kBarCells / progress.total;
  return absl::StrCat(progress.what, "  [", std::string(cells, '#'),
                      std::string(kBarCells - cells, '.'), "] ", done * 100 / progress.total,
                      " %  ", count_text(done), " of ", count_text(progress.total));
}

ProgressBar::ProgressBar(FILE* out, bool wanted)
    : out_(out), active_(wanted && ::isatty(::fileno(out)) == 1) {}

void ProgressBar::show(const Progress& progress, uint64_t now) {
  if (!active_ || now < next_) return;
  next_ = now + kRedrawNanos;
  std::fprintf(out_, "\r\033[K%s", progress_text(progress).c_str());
  std::fflush(out_);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fprintf(out_, "\r\033[K");
  std::fflush(out_);
  drawn_ = false;
}

}  // namespace sluice::cli
