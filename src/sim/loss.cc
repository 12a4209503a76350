// SPDX-License-Identifier: Apache-2.0
#include "sim/loss.h"

namespace sluice::sim {

WireFate LossProcess::next() {
  // Each packet draws the same count of numbers, so that another model shifts nothing.
  const bool lost = random_.happens(bad_ ? model_.loss_bad : model_.loss);
  const bool turns = random_.happens(bad_ ? model_.leave_bad : model_.enter_bad);
  const bool corrupt = random_.happens(model_.corrupt);
  if (turns) bad_ = !bad_;
  if (lost) return WireFate::kLost;
  return corrupt ? WireFate::kCorrupt : WireFate::kArrives;
}

}  // namespace sluice::sim
