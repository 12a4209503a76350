// SPDX-License-Identifier: Apache-2.0
//
// Network addresses as plain values: IPv4 and IPv6 in one 16-byte form, and Ethernet addresses.
// Text forms are locale-free and meant for the control path only.
#ifndef SLUICE_WIRE_IP_ADDRESS_H_
#define SLUICE_WIRE_IP_ADDRESS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_order.h"

namespace sluice::wire {

// An IPv4 or IPv6 address. IPv4 is kept v4-mapped (::ffff:a.b.c.d), so that one comparison and
// one hash over `bytes` serve both families; `v4` says how it goes on the wire.
struct IpAddress {
  uint8_t bytes[16] = {};
  bool v4 = false;

  // `address` holds 4 bytes in network order.
  static IpAddress from_v4_bytes(const uint8_t* address) {
    IpAddress out;
    out.bytes[10] = 0xff;
    out.bytes[11] = 0xff;
    std::memcpy(out.bytes + 12, address, 4);
    out.v4 = true;
    return out;
  }

  // `address` is a number in host order: 0x0a000001 is 10.0.0.1.
  static IpAddress from_v4(uint32_t address) {
    uint8_t raw[4];
    base::store_be32(raw, address);
    return from_v4_bytes(raw);
  }

  // `address` holds 16 bytes in network order. A v4-mapped value stays an IPv6 address here,
  // because that is how it arrived.
  static IpAddress from_v6_bytes(const uint8_t* address) {
    IpAddress out;
    std::memcpy(out.bytes, address, 16);
    return out;
  }

  // The bytes as they go on the wire, 4 or 16 of them (see size()).
  const uint8_t* wire_bytes() const { return v4 ? bytes + 12 : bytes; }
  size_t size() const { return v4 ? 4 : 16; }

  // The IPv4 address as a number in host order; only meaningful when `v4`.
  uint32_t v4_value() const { return base::load_be32(bytes + 12); }

  bool is_unspecified() const;
  bool is_multicast() const;
  bool is_link_local() const;

  friend bool operator==(const IpAddress& a, const IpAddress& b) {
    return a.v4 == b.v4 && std::memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
  }
  friend std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    if (a.v4 != b.v4) return a.v4 ? std::strong_ordering::less : std::strong_ordering::greater;
    return std::memcmp(a.bytes, b.bytes, sizeof(a.bytes)) <=> 0;
  }
  template <typename H>
  friend H AbslHashValue(H state, const IpAddress& address) {
    return H::combine(H::combine_contiguous(std::move(state), address.bytes, sizeof(address.bytes)),
                      address.v4);
  }
};

// Reads "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1". No zone, no prefix length, no
// brackets, no leading zeros in IPv4 parts. nullopt when the text is anything else.
std::optional<IpAddress> parse_ip_address(std::string_view text);

// The canonical text (RFC 5952 for IPv6).
std::string format_ip_address(const IpAddress& address);

struct MacAddress {
  uint8_t bytes[6] = {};

  static MacAddress from_bytes(const uint8_t* address) {
    MacAddress out;
    std::memcpy(out.bytes, address, sizeof(out.bytes));
    return out;
  }
  static constexpr MacAddress broadcast() {
    return MacAddress{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  }
  // The Ethernet address that carries an IP multicast group (RFC 1112, RFC 2464).
  static MacAddress for_multicast(const IpAddress& group);

  bool is_group() const { return (bytes[0] & 1) != 0; }
  bool is_zero() const;

  friend bool operator==(const MacAddress&, const MacAddress&) = default;
  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

// Reads six two-digit hexadecimal groups joined by ':' (or '-').
std::optional<MacAddress> parse_mac_address(std::string_view text);
std::string format_mac_address(const MacAddress& address);

static_assert(sizeof(IpAddress) == 17);
static_assert(sizeof(MacAddress) == 6);

}  // namespace sluice::wire

template <>
struct std::hash<sluice::wire::IpAddress> {
  size_t operator()(const sluice::wire::IpAddress& address) const noexcept {
    // Good enough for control-path maps; tables an attacker can aim at use a seeded mixer.
    const uint64_t high = sluice::base::load_be64(address.bytes);
    const uint64_t low = sluice::base::load_be64(address.bytes + 8);
    return (high * 0x9e3779b97f4a7c15u) ^ (low * 0xc2b2ae3d27d4eb4fu) ^ (address.v4 ? 1u : 0u);
  }
};

#endif  // SLUICE_WIRE_IP_ADDRESS_H_
