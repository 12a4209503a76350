// SPDX-License-Identifier: Apache-2.0
//
// Device names as users write them, and the arguments that virtual devices need for our purpose.
#ifndef SLUICE_ENGINE_DEVICE_H_
#define SLUICE_ENGINE_DEVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/config.h"

namespace sluice::engine {

enum class DeviceKind : uint8_t {
  kPair,      // "pair:NAME", one end of a cable in the process.
  kExisting,  // "port:NAME", a port that is there already.
  kPci,       // A PCI address.
  kVirtual,   // A driver's name, a number and arguments.
};

struct DeviceSpec {
  DeviceKind kind = DeviceKind::kVirtual;
  std::string name;    // Without "pair:" and "port:", without arguments.
  std::string driver;  // kVirtual: the name without its number.
  std::vector<std::pair<std::string, std::string>> arguments;

  std::optional<std::string> argument(const std::string& key) const;
  // The form that DPDK takes.
  std::string text() const;
};

absl::StatusOr<DeviceSpec> parse_device(const std::string& text);

// What a device has to be told for `queues` queue pairs and IP packets of `mtu` bytes, where the
// user has not said it: queue counts, and buffers that hold a frame.
void complete_device(DeviceSpec* spec, uint16_t queues, uint32_t mtu);

// Bytes that the device may write into a receive buffer whatever the MTU; 0 when it keeps to it.
uint32_t device_frame_bytes(const DeviceSpec& spec);

// The MTU of the kernel's interface that the device stands on; nullopt when there is none.
std::optional<uint32_t> kernel_mtu(const DeviceSpec& spec);

// Removes the socket that a killed process has left where the device is to listen, since its driver
// refuses to. A socket that somebody listens on stays.
void remove_dead_socket(const DeviceSpec& spec);

// Checks everything about a port that can be checked without DPDK. InvalidArgument says what to
// change.
absl::Status check_port_config(const PortConfig& config);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_DEVICE_H_
