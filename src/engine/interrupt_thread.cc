// SPDX-License-Identifier: Apache-2.0
#include "engine/interrupt_thread.h"

#include <rte_alarm.h>
#include <rte_config.h>
#include <rte_interrupts.h>
#include <sys/mman.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

namespace sluice::engine {

struct alignas(64) PollingSlot {
  std::atomic<uint64_t> turns{0};  // Never set back, so that a count is never seen twice.
  std::atomic<bool> polling{false};
};

namespace {

constexpr auto kLook = std::chrono::microseconds(20);

std::array<PollingSlot, RTE_MAX_LCORE> g_slots;
std::atomic<uint32_t> g_unmaps{0};

struct Errand {
  std::function<void()> work;
  std::promise<void> done;
};

void run_errand(void* argument) {
  const std::unique_ptr<Errand> errand(static_cast<Errand*>(argument));
  errand->work();
  errand->done.set_value();
}

}  // namespace

PollingTurns::PollingTurns(uint32_t eal_lcore)
    : turns_(&g_slots.at(eal_lcore).turns), slot_(&g_slots.at(eal_lcore)) {
  resume();
}

PollingTurns::~PollingTurns() { pause(); }

void PollingTurns::pause() { slot_->polling.store(false, std::memory_order_release); }

void PollingTurns::resume() {
  slot_->polling.store(true, std::memory_order_relaxed);
  // Before the next burst looks at a port: either that sees what was changed, or the one who
  // changed it sees this.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Two turns must end: the lcore's count may lag behind what it does already (a store that waits in
// its CPU), so the end of the first may be that of a turn before the call.
void wait_for_bursts() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::array<uint64_t, RTE_MAX_LCORE> ends;
  for (size_t i = 0; i < g_slots.size(); ++i) {
    ends[i] = g_slots[i].turns.load(std::memory_order_relaxed) + 2;
  }
  for (size_t i = 0; i < g_slots.size(); ++i) {
    const PollingSlot& slot = g_slots[i];
    while (slot.polling.load(std::memory_order_acquire) &&
           slot.turns.load(std::memory_order_acquire) < ends[i]) {
      std::this_thread::sleep_for(kLook);
    }
  }
}

#ifdef SLUICE_SHARED_DPDK
bool unmapping_waits() { return false; }
// Nobody tells of it, so each look counts as one, and a port's link is looked at before each burst.
uint32_t unmap_count() { return g_unmaps.fetch_add(1, std::memory_order_relaxed); }
#else
bool unmapping_waits() { return true; }
uint32_t unmap_count() { return g_unmaps.load(std::memory_order_relaxed); }
#endif

void run_on_interrupt_thread(const std::function<void()>& work) {
  if (rte_thread_is_intr() != 0) return work();
  auto errand = std::make_unique<Errand>();
  errand->work = work;
  std::future<void> done = errand->done.get_future();
  if (rte_eal_alarm_set(1, &run_errand, errand.get()) != 0) return work();
  (void)errand.release();  // The alarm has it now.
  done.wait();
}

}  // namespace sluice::engine

#ifndef SLUICE_SHARED_DPDK
int __wrap_munmap(void* address, size_t length) {
  if (rte_thread_is_intr() != 0) {
    sluice::engine::g_unmaps.fetch_add(1, std::memory_order_relaxed);
    sluice::engine::wait_for_bursts();
  }
  return ::munmap(address, length);
}
#endif
