// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENGINE_ROUTE_H_
#define SLUICE_ENGINE_ROUTE_H_

#include <cstdint>

#include "wire/frame.h"

namespace sluice::engine {

// A path to a lane's port at a peer, as lcores use it. `port` is the number within the node.
struct Route {
  wire::FrameTemplate frame;
  uint8_t port = 0;
  bool checksum_offload = false;
  bool valid = false;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_ROUTE_H_
