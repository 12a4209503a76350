// SPDX-License-Identifier: Apache-2.0
//
// A ConnectX as rdma-core reaches it.
#ifndef SLUICE_ENGINE_CONNECTX_DEVICE_H_
#define SLUICE_ENGINE_CONNECTX_DEVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/connectx_engine.h"

namespace sluice::engine {

// Opens the device at a PCI address ("0000:03:00.0") for commands. rdma-core is loaded when it is
// first needed, so that nothing here depends on it. Unavailable, saying what is missing: rdma-core,
// a device at that address, or the permission to send it commands (DevX).
absl::StatusOr<std::unique_ptr<Devx>> open_connectx(const std::string& pci_address);

// For the start report: what the TLS transmit engine there offers, and why it is not used. Its
// records would have to go through a send queue of our own beside the driver's, which nobody has
// tried on hardware.
std::string describe_connectx(const std::string& pci_address);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CONNECTX_DEVICE_H_
