// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_LOSS_H_
#define SLUICE_SIM_LOSS_H_

#include "sim/network_config.h"
#include "sim/random.h"

namespace sluice::sim {

enum class WireFate : uint8_t { kArrives, kLost, kCorrupt };

// What one direction of a link does to the packets that pass, one after another.
class LossProcess {
 public:
  LossProcess(uint64_t seed, uint32_t entity) : random_(seed, Stream::kLoss, entity) {}

  // From the next packet on, which finds the good state.
  void set_model(const LossModel& model) {
    model_ = model;
    bad_ = false;
  }
  // False: every packet arrives, and next() need not be asked.
  bool is_active() const { return !model_.none(); }
  WireFate next();

 private:
  LossModel model_;
  Random random_;
  bool bad_ = false;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_LOSS_H_
