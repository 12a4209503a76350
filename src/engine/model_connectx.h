// SPDX-License-Identifier: Apache-2.0
//
// A model of a ConnectX with its TLS transmit engine.
#ifndef SLUICE_ENGINE_MODEL_CONNECTX_H_
#define SLUICE_ENGINE_MODEL_CONNECTX_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/model_nic.h"

namespace sluice::engine {

// Takes commands as a ConnectX does through DevX (keys, TISs, what it can do), and reads what
// ConnectxQueue writes: blocks, doorbell and all. It keeps one position for each TIS, for
// the queue by which its parameters came, and takes those only where their key and TIS exist. A
// descriptor that makes no sense stops its queue, as with the device.
absl::StatusOr<std::unique_ptr<ModelNic>> make_model_connectx(const ModelNic::Setup& setup);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_MODEL_CONNECTX_H_
