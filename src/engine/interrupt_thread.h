// SPDX-License-Identifier: Apache-2.0
//
// DPDK's interrupt thread, kept apart from the threads that use a port. A driver whose peer is
// another process (net_memif) hears on that thread that the peer has come or gone, and changes the
// port at once: it maps and unmaps the rings, whether or not an lcore is in the middle of a burst
// over them, and whether or not another thread is stopping the port (memif_disconnect() and
// memif_connect() of DPDK 22.11, unchanged in 26.11). Hence three rules:
//  - unmapping on the interrupt thread waits until every burst under way has ended;
//  - an lcore touches such a port only while it knows the link to be up (PortQueue);
//  - such a port is stopped and closed on the interrupt thread itself (Port).
// The first needs a DPDK that is linked in. Under a shared one (libsluice-dpdk.so) nobody can make
// its drivers wait: ports are looked at before every burst, and a peer that goes during one may
// still take the process along.
#ifndef SLUICE_ENGINE_INTERRUPT_THREAD_H_
#define SLUICE_ENGINE_INTERRUPT_THREAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace sluice::engine {

struct PollingSlot;

// An lcore's word that it touches devices, given for as long as it exists. On the lcore.
class PollingTurns {
 public:
  // `eal_lcore` is DPDK's number, below RTE_MAX_LCORE, and nobody else's meanwhile.
  explicit PollingTurns(uint32_t eal_lcore);
  ~PollingTurns();
  PollingTurns(const PollingTurns&) = delete;
  PollingTurns& operator=(const PollingTurns&) = delete;

  // From pause() to resume() no burst is under way and none begins: nobody waits for this lcore.
  void pause();
  void resume();

  // No burst that began before is under way any more. Once per turn of the loop.
  void end_turn() {
    turns_->store(turns_->load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

 private:
  std::atomic<uint64_t>* turns_;
  PollingSlot* slot_;
};

// Returns when no lcore is any more in a burst that began before the call. Never on an lcore.
void wait_for_bursts();

// How often memory has been unmapped on the interrupt thread. A port that was up when it was last
// looked at is still mapped while this has not changed; an lcore that sees the old count is waited
// for. Any thread.
uint32_t unmap_count();

// Whether the first rule holds here.
bool unmapping_waits();

// Runs `work` on the interrupt thread, between two events of any driver, and waits for its end.
void run_on_interrupt_thread(const std::function<void()>& work);

}  // namespace sluice::engine

// What munmap() is for DPDK's archives, by -Wl,--wrap (meson.build).
extern "C" int __wrap_munmap(void* address, size_t length);

#endif  // SLUICE_ENGINE_INTERRUPT_THREAD_H_
