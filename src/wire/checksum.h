// SPDX-License-Identifier: Apache-2.0
//
// The Internet checksum (RFC 1071) and its uses: IPv4 headers, UDP, ICMPv6 and native mode.
#ifndef SLUICE_WIRE_CHECKSUM_H_
#define SLUICE_WIRE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

#include "wire/ip_address.h"

namespace sluice::wire {

// Adds `size` bytes, read as big-endian 16-bit words (an odd last byte is padded with zero), to
// a running sum. Parts may be chained when each but the last has an even size.
uint64_t checksum_add(const uint8_t* data, size_t size, uint64_t sum);

// Folds a running sum to 16 bits without complementing it. This is the value that a NIC expects
// in the checksum field when it is to finish the job (pseudo-header sum).
constexpr uint16_t checksum_fold(uint64_t sum) {
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// The finished checksum of a running sum.
constexpr uint16_t checksum_finish(uint64_t sum) {
  return static_cast<uint16_t>(~checksum_fold(sum));
}

// The sum of the pseudo-header of either family. `length` is that of the L4 header and payload.
uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                           uint32_t length);

// The checksum of an IPv4 header whose checksum field is zero. A header with its checksum in
// place yields 0 when it is right.
uint16_t ipv4_header_checksum(const uint8_t* header, size_t size);

// The checksum of an L4 datagram (`l4` with its checksum field zero) under either family, for
// UDP, ICMPv6 and native mode alike. Never 0: a computed zero is sent as 0xffff.
uint16_t l4_checksum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                     const uint8_t* l4, size_t size);

// True when an L4 datagram with its checksum in place adds up.
bool l4_checksum_ok(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                    const uint8_t* l4, size_t size);

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_CHECKSUM_H_
