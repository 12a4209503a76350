// SPDX-License-Identifier: Apache-2.0
//
// The loop of an lcore that may sleep (IdleConfig): when it does, and that nothing is missed.
#include <sys/prctl.h>

#include <algorithm>
#include <thread>

#include "engine/lcore.h"

namespace sluice::engine {
namespace {

// Sleeps of this thread end when they should for as long as this exists: the kernel else lets them
// run on by 50 us, to end several at once.
class ExactSleeps {
 public:
  ExactSleeps() : slack_(prctl(PR_GET_TIMERSLACK)) { prctl(PR_SET_TIMERSLACK, 1ul); }
  ~ExactSleeps() { prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack_)); }
  ExactSleeps(const ExactSleeps&) = delete;
  ExactSleeps& operator=(const ExactSleeps&) = delete;

 private:
  int slack_;
};

}  // namespace

void Lcore::poll_and_rest(PollingTurns* turns) {
  const ExactSleeps exact;
  while (!stop_.load(std::memory_order_acquire)) {
    const bool busy = turn();
    turns->end_turn();
    if (busy) {
      wake_siblings();
    } else if (sleeper_->may_sleep(now_, stats_.busy_loops.value())) {
      rest(turns);
    } else if (sleeper_->misses_packet(stats_.busy_loops.value())) {
      // net_tap finds it after a signal, whose thread may want this very CPU: it would else wait
      // until the scheduler takes it from here, milliseconds.
      std::this_thread::yield();
    }
  }
}

void Lcore::rest(PollingTurns* turns) {
  if (time_to_rest() < limits::kShortestSleep) return;
  sleeper_->prepare();
  // Whoever came before that has rung nobody: one more turn finds what there is from then.
  const bool busy = turn();
  turns->end_turn();
  const base::Nanos longest = time_to_rest();
  if (busy || longest < limits::kShortestSleep || stop_.load(std::memory_order_acquire)) {
    sleeper_->cancel();
    if (busy) wake_siblings();
    return;
  }
  turns->pause();
  const Sleeper::Woken woken = sleeper_->sleep(longest);
  turns->resume();
  note_sleep(woken, base::elapsed(now_, setup_.clock->now()));
}

// Everything else that a turn could find wakes the lcore.
base::Nanos Lcore::time_to_rest() const {
  if (more_to_send_ || endpoint_.has_events()) return base::Nanos::zero();
  const bool at_rest = std::all_of(queues_.begin(), queues_.end(),
                                   [](const auto& queue) { return queue->at_rest(); });
  if (!at_rest) return base::Nanos::zero();
  return base::elapsed(now_, std::min(endpoint_.next_deadline(), setup_.application->wanted_at()));
}

void Lcore::note_sleep(Sleeper::Woken woken, base::Nanos length) {
  stats_.sleeps.add();
  stats_.slept.add(length.value());
  if (woken == Sleeper::Woken::kByPort) stats_.woken_by_port.add();
  if (woken == Sleeper::Woken::kByThread) stats_.woken_by_thread.add();
  skip_turn_time_ = true;
}

// What this turn has left in their rings; once a turn, so that a packet costs them nothing.
void Lcore::wake_siblings() {
  for (Lcore* each : siblings_) {
    if (each == this || (each->handover_ring_->empty() && each->inject_ring_->empty())) continue;
    each->wake();
  }
}

}  // namespace sluice::engine
