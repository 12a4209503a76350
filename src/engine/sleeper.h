// SPDX-License-Identifier: Apache-2.0
//
// What puts an lcore to sleep when nothing comes (IdleConfig), and wakes it.
#ifndef SLUICE_ENGINE_SLEEPER_H_
#define SLUICE_ENGINE_SLEEPER_H_

#include <poll.h>

#include <cstdint>
#include <vector>

#include "base/types.h"
#include "engine/channel.h"
#include "engine/config.h"
#include "engine/report.h"
#include "engine/rx_interrupt.h"

namespace sluice::engine {

// What is wrong with it, as a sentence that says what to change; nullptr: nothing.
const char* idle_config_error(const IdleConfig& config);
// It, for the report.
ReportLine idle_report(const IdleConfig& config);

// An lcore's way to sleep: while there is work and for IdleConfig::spin after it, the lcore polls.
// Then it calls prepare(), after which everything that may come wakes it; looks once more for what
// came before that, by a whole turn of its loop; and calls sleep(), or cancel() if there was
// something. Functions are the lcore's but where they say otherwise.
class Sleeper {
 public:
  enum class Woken : uint8_t { kByTime, kByThread, kByPort };

  explicit Sleeper(const IdleConfig& config);
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // Before the lcore runs: of the queues that it receives from. Without any, packets wake nobody
  // and wait for the end of IdleConfig::step.
  void set_interrupts(std::vector<RxInterrupt> interrupts);

  // Any thread, after it has left something for the lcore to find.
  void wake() { doorbell_.ring(); }
  Doorbell* doorbell() { return &doorbell_; }

  // After a turn at `now` that found nothing; `busy_turns` counts those so far that found
  // something. True when the last of them is long enough ago.
  bool may_sleep(base::Nanos now, uint64_t busy_turns);
  // A port has told of a packet that no turn has found yet, by the same count.
  bool misses_packet(uint64_t busy_turns) const { return busy_turns == busy_when_told_; }
  void prepare();
  void cancel();
  // Sleeps until woken, for `longest` at most, and for a step at most.
  Woken sleep(base::Nanos longest);

 private:
  void disarm();

  base::Nanos spin_;
  base::Nanos step_;
  Doorbell doorbell_;
  std::vector<RxInterrupt> interrupts_;
  std::vector<pollfd> files_;  // The doorbell's, then those of the interrupts.
  uint64_t busy_turns_ = UINT64_MAX;
  base::Nanos quiet_since_;
  uint64_t busy_when_told_ = UINT64_MAX;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SLEEPER_H_
