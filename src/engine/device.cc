// SPDX-License-Identifier: Apache-2.0
#include "engine/device.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/limits.h"

namespace sluice::engine {
namespace {

constexpr uint32_t kPageBytes = 4096;
constexpr uint32_t kEthernetOverhead = 22;  // Header and VLAN tag, with the checksum's 4 bytes.
constexpr uint32_t kPacketSocketOverhead = 128;  // The kernel's header of a ring's frame, at most.
constexpr uint32_t kDefaultFrameBytes = 2048;

bool is_pci_address(const std::string& name) {
  const size_t colons = static_cast<size_t>(std::count(name.begin(), name.end(), ':'));
  const size_t dots = static_cast<size_t>(std::count(name.begin(), name.end(), '.'));
  return dots == 1 && (colons == 1 || colons == 2) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0 || c == ':' || c == '.'; });
}

// Cuts off the number that makes a device's name unique; "net_virtio_user0" has the driver
// "net_virtio_user".
std::string driver_of(const std::string& name) {
  const size_t last = name.find_last_not_of("0123456789");
  return last == std::string::npos ? name : name.substr(0, last + 1);
}

void set_default(DeviceSpec* spec, const std::string& key, const std::string& value) {
  if (!spec->argument(key)) spec->arguments.emplace_back(key, value);
}

// Packet-socket rings are made of blocks that hold whole frames and are whole pages.
void complete_packet_socket(DeviceSpec* spec, uint32_t mtu) {
  const uint32_t needed = mtu + kEthernetOverhead + kPacketSocketOverhead;
  if (needed <= kDefaultFrameBytes || spec->argument("framesz")) return;
  const uint32_t frame = (needed + kPageBytes - 1) / kPageBytes * kPageBytes;
  set_default(spec, "framesz", absl::StrCat(frame));
  set_default(spec, "blocksz", absl::StrCat(frame * 4));
  set_default(spec, "framecnt", "512");
}

// The socket file that the device is to listen on; nullopt for one that connects or has none.
std::optional<std::string> listening_socket(const DeviceSpec& spec) {
  const auto is = [&](const char* key, const char* value) { return spec.argument(key) == value; };
  if (spec.driver == "net_vhost" && !is("client", "1")) return spec.argument("iface");
  if (spec.driver == "net_virtio_user" && is("server", "1")) return spec.argument("path");
  const bool server = is("role", "server") || is("role", "master");
  if (spec.driver == "net_memif" && server && is("socket-abstract", "no")) {
    return spec.argument("socket");
  }
  return std::nullopt;
}

}  // namespace

std::optional<IpPrefix> parse_ip_prefix(const std::string& text) {
  const size_t slash = text.find('/');
  const auto address = wire::parse_ip_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const uint32_t longest = address->v4 ? 32 : 128;
  uint32_t length = longest;
  if (slash != std::string::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &length) || length > longest)) {
    return std::nullopt;
  }
  return IpPrefix{*address, static_cast<uint8_t>(length)};
}

std::optional<std::string> DeviceSpec::argument(const std::string& key) const {
  for (const auto& [name_of, value] : arguments) {
    if (name_of == key) return value;
  }
  return std::nullopt;
}

std::string DeviceSpec::text() const {
  std::string out = name;
  for (const auto& [key, value] : arguments) {
    absl::StrAppend(&out, ",", key);
    if (!value.empty()) absl::StrAppend(&out, "=", value);
  }
  return out;
}

absl::StatusOr<DeviceSpec> parse_device(const std::string& text) {
  DeviceSpec spec;
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  spec.name = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = parts[i].find('=');
    spec.arguments.emplace_back(parts[i].substr(0, equals),
                                equals == std::string::npos ? "" : parts[i].substr(equals + 1));
  }
  if (spec.name.starts_with("pair:")) {
    spec.kind = DeviceKind::kPair;
    spec.name = spec.name.substr(5);
  } else if (spec.name.starts_with("port:")) {
    spec.kind = DeviceKind::kExisting;
    spec.name = spec.name.substr(5);
  } else if (is_pci_address(spec.name)) {
    spec.kind = DeviceKind::kPci;
  } else {
    spec.driver = driver_of(spec.name);
  }
  if (spec.name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' names no device; write e.g. net_af_packet0,iface=eth0 or pair:a"));
  }
  const bool named = spec.kind == DeviceKind::kPair || spec.kind == DeviceKind::kExisting;
  if (named && !spec.arguments.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "': this device takes no arguments"));
  }
  return spec;
}

void complete_device(DeviceSpec* spec, uint16_t queues, uint32_t mtu) {
  if (spec->kind != DeviceKind::kVirtual) return;
  const uint32_t known_mtu = mtu != 0 ? mtu : kernel_mtu(*spec).value_or(1500);
  if (spec->driver == "net_af_packet") {
    set_default(spec, "qpairs", absl::StrCat(queues));
    complete_packet_socket(spec, known_mtu);
  } else if (spec->driver == "net_memif") {
    const uint32_t needed = known_mtu + kEthernetOverhead;
    if (needed > kDefaultFrameBytes) {
      set_default(spec, "bsize", absl::StrCat((needed + 63) / 64 * 64));
    }
  } else if (spec->driver == "net_vhost" || spec->driver == "net_virtio_user") {
    set_default(spec, "queues", absl::StrCat(queues));
  } else if (spec->driver == "net_af_xdp") {
    set_default(spec, "queue_count", absl::StrCat(queues));
  }
}

uint32_t device_frame_bytes(const DeviceSpec& spec) {
  if (spec.driver != "net_af_packet") return 0;
  uint32_t frame = kDefaultFrameBytes;
  if (const auto text = spec.argument("framesz")) (void)absl::SimpleAtoi(*text, &frame);
  return frame;
}

std::optional<uint32_t> kernel_mtu(const DeviceSpec& spec) {
  const bool kernel = spec.driver == "net_af_packet" || spec.driver == "net_af_xdp";
  const auto interface = spec.argument("iface");
  if (!kernel || !interface || interface->size() >= IFNAMSIZ) return std::nullopt;
  const int socket_file = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_file < 0) return std::nullopt;
  ifreq request{};
  std::memcpy(request.ifr_name, interface->c_str(), interface->size());
  const int result = ioctl(socket_file, SIOCGIFMTU, &request);
  ::close(socket_file);
  if (result < 0 || request.ifr_mtu <= 0) return std::nullopt;
  return static_cast<uint32_t>(request.ifr_mtu);
}

void remove_dead_socket(const DeviceSpec& spec) {
  const auto path = listening_socket(spec);
  struct stat info {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!path || path->size() >= sizeof(address.sun_path) || ::lstat(path->c_str(), &info) != 0 ||
      !S_ISSOCK(info.st_mode)) {
    return;
  }
  std::memcpy(address.sun_path, path->c_str(), path->size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return;
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // A listener of another type is alive too, and answers with another error.
  if (result < 0 && errno == ECONNREFUSED) ::unlink(path->c_str());
  ::close(probe);
}

absl::Status check_port_config(const PortConfig& config) {
  const auto spec = parse_device(config.device);
  if (!spec.ok()) return spec.status();
  const auto error = [&](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat(config.device, ": ", what));
  };
  size_t v4 = 0;
  for (const IpPrefix& prefix : config.addresses) {
    v4 += prefix.address.v4 ? 1 : 0;
    if (prefix.address.is_unspecified() || prefix.address.is_multicast()) {
      return error(
          absl::StrCat(wire::format_ip_address(prefix.address), " cannot be a port's address"));
    }
  }
  if (config.addresses.empty()) return error("a port needs an IP address, e.g. 10.0.0.1/24");
  if (v4 > 1 || config.addresses.size() - v4 > 1) {
    return error("a port has at most one IPv4 and one IPv6 address");
  }
  if (config.mtu != 0 && (config.mtu < limits::kMinMtu || config.mtu > limits::kMaxMtu)) {
    return error(absl::StrCat("the MTU is ", limits::kMinMtu, " to ", limits::kMaxMtu,
                              " bytes, not ", config.mtu));
  }
  if (config.vlan && *config.vlan > 4094) return error("a VLAN id is 0 to 4094");
  if (config.descriptors < 64 || config.descriptors > 32768) {
    return error("a queue has 64 to 32768 descriptors");
  }
  if (config.model_contexts > limits::kMaxModelContexts) {
    return error(absl::StrCat("a model NIC has at most ", limits::kMaxModelContexts, " contexts"));
  }
  for (const FaultConfig* faults : {&config.rx_faults, &config.tx_faults}) {
    if (const char* fault = fault_config_error(*faults)) return error(fault);
  }
  return absl::OkStatus();
}

}  // namespace sluice::engine
