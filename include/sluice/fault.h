// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_FAULT_H_
#define SLUICE_FAULT_H_

#include <cstdint>

namespace sluice {

// Faults injected between a node and its ports, into packets received. All off by default; the
// rates are in millionths of the packets. The same seed and packets give the same faults.
struct FaultOptions {
  uint32_t loss_ppm = 0;
  uint32_t duplicate_ppm = 0;
  uint32_t reorder_ppm = 0;  // Held back until up to 8 later packets, or 100 us, have passed.
  uint32_t corrupt_ppm = 0;  // One bit flipped.
  uint64_t delay_ns = 0;     // Added to every packet.
  uint64_t jitter_ns = 0;    // Up to so much more, uniformly.
  uint64_t seed = 1;

  bool any() const {
    return (loss_ppm | duplicate_ppm | reorder_ppm | corrupt_ppm) != 0 ||
           (delay_ns | jitter_ns) != 0;
  }
};

}  // namespace sluice

#endif  // SLUICE_FAULT_H_
