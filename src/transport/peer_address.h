// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_PEER_ADDRESS_H_
#define SLUICE_TRANSPORT_PEER_ADDRESS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/byte_order.h"
#include "wire/ip_address.h"

namespace sluice::transport {

// Where a peer's handshakes come from and go to: its address and its base UDP port (in native
// mode: the same two port bytes).
struct PeerAddress {
  wire::IpAddress ip;
  uint16_t port = 0;

  static constexpr size_t kEncodedSize = 19;

  // A fixed form without ambiguity, for cookies.
  std::array<uint8_t, kEncodedSize> encode() const {
    std::array<uint8_t, kEncodedSize> out{};
    out[0] = ip.v4 ? 4 : 6;
    std::memcpy(out.data() + 1, ip.bytes, sizeof(ip.bytes));
    base::store_be16(out.data() + 1 + sizeof(ip.bytes), port);
    return out;
  }

  // The same for all ports.
  std::array<uint8_t, kEncodedSize> encode_host() const { return PeerAddress{ip, 0}.encode(); }

  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
  friend std::strong_ordering operator<=>(const PeerAddress&, const PeerAddress&) = default;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_PEER_ADDRESS_H_
