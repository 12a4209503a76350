// SPDX-License-Identifier: Apache-2.0
#include "wire/checksum.h"

#include "base/byte_order.h"

namespace sluice::wire {

uint64_t checksum_add(const uint8_t* data, size_t size, uint64_t sum) {
  // Whole 32-bit words first: one's-complement addition does not care where the carries wait.
  while (size >= 8) {
    const uint64_t word = base::load_be64(data);
    sum += (word >> 32) + (word & 0xffffffffu);
    data += 8;
    size -= 8;
  }
  while (size >= 2) {
    sum += base::load_be16(data);
    data += 2;
    size -= 2;
  }
  if (size == 1) sum += uint64_t{*data} << 8;
  return sum;
}

uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                           uint32_t length) {
  uint64_t sum = checksum_add(source.wire_bytes(), source.size(), 0);
  sum = checksum_add(destination.wire_bytes(), destination.size(), sum);
  return sum + protocol + length;
}

uint16_t ipv4_header_checksum(const uint8_t* header, size_t size) {
  return checksum_finish(checksum_add(header, size, 0));
}

uint16_t l4_checksum(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                     const uint8_t* l4, size_t size) {
  const uint64_t pseudo =
      pseudo_header_sum(source, destination, protocol, static_cast<uint32_t>(size));
  const uint16_t checksum = checksum_finish(checksum_add(l4, size, pseudo));
  return checksum == 0 ? 0xffff : checksum;
}

bool l4_checksum_ok(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                    const uint8_t* l4, size_t size) {
  const uint64_t pseudo =
      pseudo_header_sum(source, destination, protocol, static_cast<uint32_t>(size));
  return checksum_finish(checksum_add(l4, size, pseudo)) == 0;
}

}  // namespace sluice::wire
