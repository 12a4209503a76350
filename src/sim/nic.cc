// SPDX-License-Identifier: Apache-2.0
#include "sim/nic.h"

#include <algorithm>

namespace sluice::sim {

Picos Nic::ready_at(Picos now, uint64_t* stalls) {
  Picos ready = std::max(now, free_at_);
  if (model_.stall_chance != 0 && random_.happens(model_.stall_chance)) {
    ready += model_.stall;
    ++*stalls;
  }
  free_at_ = ready + model_.packet_cost;
  return free_at_;
}

}  // namespace sluice::sim
