// SPDX-License-Identifier: Apache-2.0
#include "engine/rx_interrupt.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "engine/eal.h"

namespace sluice::engine {
namespace {

// An eventfd (VFIO, vhost) counts, and so does a UIO device; any other file is the driver's own way
// to the packets, of which nobody else may read a byte.
size_t counter_bytes(int file) {
  std::array<char, 64> target{};
  const std::string link = absl::StrCat("/proc/self/fd/", file);
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) return 0;
  const std::string_view name(target.data(), static_cast<size_t>(length));
  if (name.find("[eventfd]") != std::string_view::npos) return sizeof(uint64_t);
  return name.starts_with("/dev/uio") ? sizeof(uint32_t) : 0;
}

}  // namespace

absl::StatusOr<RxInterrupt> RxInterrupt::find(uint16_t port_id, uint16_t queue) {
  int file = -1;
  // A driver without them says so in its log, and the caller says it better.
  capture_log([&] { file = rte_eth_dev_rx_intr_ctl_q_get_fd(port_id, queue); });
  if (file < 0) return absl::UnimplementedError("it has no receive interrupts");
  RxInterrupt found(file);
  found.port_id_ = port_id;
  found.queue_ = queue;
  found.counter_bytes_ = counter_bytes(file);
  int result = 0;
  capture_log([&] { result = rte_eth_dev_rx_intr_enable(port_id, queue); });
  if (result == 0) {
    found.armed_by_driver_ = true;
    found.disarm();
  } else if (result != -ENOTSUP) {
    return absl::UnimplementedError(
        absl::StrCat("its receive interrupts cannot be enabled: ", rte_strerror(-result)));
  }
  return found;
}

void RxInterrupt::arm() const {
  if (armed_by_driver_) rte_eth_dev_rx_intr_enable(port_id_, queue_);
}

void RxInterrupt::disarm() const {
  if (armed_by_driver_) rte_eth_dev_rx_intr_disable(port_id_, queue_);
}

void RxInterrupt::clear() const {
  std::array<char, sizeof(uint64_t)> count;
  if (counter_bytes_ == 0) return;
  [[maybe_unused]] const ssize_t got = ::read(file_, count.data(), counter_bytes_);
}

}  // namespace sluice::engine
