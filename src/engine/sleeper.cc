// SPDX-License-Identifier: Apache-2.0
#include "engine/sleeper.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"

namespace sluice::engine {
namespace {

constexpr uint64_t kMicro = 1000;

}  // namespace

const char* idle_config_error(const IdleConfig& config) {
  if (config.mode == IdleMode::kPoll) return nullptr;
  if (config.spin > limits::kLongestSpin) {
    return "an lcore polls for at most 1 s after its last work before it sleeps: ask for less";
  }
  if (config.mode == IdleMode::kSteps &&
      (config.step < limits::kShortestSleep || config.step > limits::kLongestStep)) {
    return "an idle lcore sleeps in steps of 50 us to 1 s: choose one of them";
  }
  return nullptr;
}

ReportLine idle_report(const IdleConfig& config) {
  const std::string after = absl::StrCat("after ", config.spin.value() / kMicro,
                                         " us without work, until a packet, a timer or a thread");
  switch (config.mode) {
    case IdleMode::kInterrupts:
      return {"idle lcores", "sleep", after};
    case IdleMode::kSteps:
      return {"idle lcores", "sleep",
              absl::StrCat(after, "; packets wait up to ", config.step.value() / kMicro, " us")};
    case IdleMode::kPoll:
      break;
  }
  return {"idle lcores", "poll", "the fastest, on a CPU each"};
}

Sleeper::Sleeper(const IdleConfig& config)
    : spin_(config.spin),
      step_(config.mode == IdleMode::kSteps ? config.step : base::Nanos::max()) {
  set_interrupts({});
}

void Sleeper::set_interrupts(std::vector<RxInterrupt> interrupts) {
  interrupts_ = std::move(interrupts);
  files_ = {doorbell_.file()};
  for (const RxInterrupt& each : interrupts_) files_.push_back({each.file(), POLLIN, 0});
}

bool Sleeper::may_sleep(base::Nanos now, uint64_t busy_turns) {
  if (busy_turns != busy_turns_) {
    busy_turns_ = busy_turns;
    quiet_since_ = now;
  }
  return base::elapsed(quiet_since_, now) >= spin_;
}

void Sleeper::prepare() {
  doorbell_.prepare();
  for (const RxInterrupt& each : interrupts_) each.arm();
}

void Sleeper::cancel() {
  doorbell_.cancel();
  disarm();
}

void Sleeper::disarm() {
  for (const RxInterrupt& each : interrupts_) each.disarm();
}

Sleeper::Woken Sleeper::sleep(base::Nanos longest) {
  const bool rung = doorbell_.wait(files_, std::min(longest, step_));
  bool packets = false;
  for (size_t i = 0; i < interrupts_.size(); ++i) {
    if (files_[i + 1].revents == 0) continue;
    packets = true;
    interrupts_[i].clear();
  }
  disarm();
  if (packets) {
    busy_when_told_ = busy_turns_;
    busy_turns_ = UINT64_MAX;  // As good as work: net_tap may take a while to find it.
    return Woken::kByPort;
  }
  return rung ? Woken::kByThread : Woken::kByTime;
}

}  // namespace sluice::engine
