// SPDX-License-Identifier: Apache-2.0
#include "sim/totals.h"

namespace sluice::sim {

const char* drop_name(Drop cause) {
  switch (cause) {
    case Drop::kQueueFull:
      return "queue_full";
    case Drop::kLinkDown:
      return "link_down";
    case Drop::kLoss:
      return "loss";
    case Drop::kNoRoute:
      return "no_route";
  }
  return "unknown";
}

}  // namespace sluice::sim
