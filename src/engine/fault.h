// SPDX-License-Identifier: Apache-2.0
//
// Faults on demand between an lcore and its port: loss, duplication, reordering, corruption and
// delay, for tests and demonstrations, in the production binary. Off by default.
#ifndef SLUICE_ENGINE_FAULT_H_
#define SLUICE_ENGINE_FAULT_H_

#include <cstddef>
#include <cstdint>

#include "base/aligned_array.h"
#include "base/prng.h"
#include "base/types.h"
#include "transport/stats.h"

namespace sluice::engine {

// Rates are in packets per million. The same seed draws the same faults for the same packets.
struct FaultConfig {
  uint32_t loss_ppm = 0;
  uint32_t duplicate_ppm = 0;
  uint32_t reorder_ppm = 0;  // Held back until up to kMaxReorderDistance later packets have gone.
  uint32_t corrupt_ppm = 0;  // One bit behind the Ethernet header is flipped.
  base::Nanos delay;         // Added to every packet.
  base::Nanos jitter;        // Added to that, uniformly from zero to this; may reorder.
  uint64_t seed = 1;

  bool enabled() const {
    return (loss_ppm | duplicate_ppm | reorder_ppm | corrupt_ppm) != 0 ||
           delay != base::Nanos::zero() || jitter != base::Nanos::zero();
  }
  friend bool operator==(const FaultConfig&, const FaultConfig&) = default;
};

// nullptr when usable, else a sentence that says what to change.
const char* fault_config_error(const FaultConfig& config);

#define SLUICE_FAULT_COUNTERS(X)                                                   \
  X(seen, "fault.seen", "packets that passed an active injector")                  \
  X(lost, "fault.lost", "packets dropped on purpose")                              \
  X(duplicated, "fault.duplicated", "packets sent twice on purpose")               \
  X(reordered, "fault.reordered", "packets held back so that later ones overtake") \
  X(corrupted, "fault.corrupted", "packets with one bit flipped on purpose")       \
  X(delayed, "fault.delayed", "packets delayed on purpose")                        \
  X(overflow, "fault.overflow", "packets passed untouched: no room to hold or copy")

struct FaultStats {
#define SLUICE_DECLARE(field, name, help) transport::Counter field;
  SLUICE_FAULT_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

template <typename F>
void for_each_counter(const FaultStats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_FAULT_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

// What the injector can do to a packet, whose nature it does not know.
struct FaultOps {
  void* context = nullptr;
  void* (*copy)(void* context, void* packet) = nullptr;  // nullptr when there is no memory.
  void (*drop)(void* context, void* packet) = nullptr;
  // Flips one bit of the packet, chosen from `random`.
  void (*flip)(void* context, void* packet, uint64_t random) = nullptr;
};

// One direction of one queue; a single thread drives it. All memory is taken at construction.
class FaultInjector {
 public:
  static constexpr size_t kMaxHeld = 4096;            // Packets delayed or held back at a time.
  static constexpr uint32_t kMaxReorderDistance = 8;  // Packets that may overtake a held one.
  static constexpr base::Nanos kMaxReorderHold = base::micros(100);  // ...or this long.

  explicit FaultInjector(const FaultOps& ops);

  // Takes effect from the next packet; packets held go on their way as their time comes.
  void configure(const FaultConfig& config);
  const FaultConfig& config() const { return config_; }
  // True when apply() has to be called: faults are on, or packets are still held.
  bool active() const { return enabled_ || held_ > 0; }
  size_t held() const { return held_; }

  // Takes `count` packets from the array and leaves there what goes on now, packets whose time has
  // come included, at most `capacity` (at least 2 * count). Returns how many.
  size_t apply(void** packets, size_t count, size_t capacity, base::Nanos now);
  // Drops what is held.
  void flush();
  const FaultStats& stats() const { return stats_; }

 private:
  struct Held {
    void* packet;
    base::Nanos due;
    uint64_t overtaken_at;  // The packet count at which it may go whatever its time says.
  };

  void one(void* packet, void** out, size_t* out_count, base::Nanos now);
  bool hold(void* packet, base::Nanos due, uint64_t overtaken_at);
  size_t release_due(void** out, size_t room, base::Nanos now);

  FaultOps ops_;
  FaultConfig config_;
  base::Prng prng_{1};
  bool enabled_ = false;
  uint64_t passed_ = 0;
  size_t held_ = 0;
  base::AlignedArray<Held> queue_;
  FaultStats stats_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_FAULT_H_
