// SPDX-License-Identifier: Apache-2.0
#include "wire/checksum.h"

#include <gtest/gtest.h>

#include "wire_test_util.h"

namespace sluice::wire {
namespace {

// The example of RFC 1071 §3.
TEST(Checksum, adds_the_published_example) {
  const ByteVector data = from_hex("0001 f203 f4f5 f6f7");
  EXPECT_EQ(checksum_fold(checksum_add(data.data(), data.size(), 0)), 0xddf2);
  EXPECT_EQ(checksum_finish(checksum_add(data.data(), data.size(), 0)), 0x220d);
}

// A well-known IPv4 header whose checksum is b861.
TEST(Checksum, computes_and_verifies_ipv4_headers) {
  ByteVector header = from_hex("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7");
  EXPECT_EQ(ipv4_header_checksum(header.data(), header.size()), 0xb861);
  base::store_be16(header.data() + 10, 0xb861);
  EXPECT_EQ(ipv4_header_checksum(header.data(), header.size()), 0);
}

TEST(Checksum, equals_the_word_by_word_definition_at_every_length) {
  ByteVector data(70);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(0xff - 3 * i);
  for (size_t size = 0; size <= data.size(); ++size) {
    const ExactCopy copy(data.data(), size);
    uint64_t expected = 0x1234;
    for (size_t i = 0; i < size; ++i) expected += i % 2 == 0 ? copy.data()[i] << 8 : copy.data()[i];
    EXPECT_EQ(checksum_fold(checksum_add(copy.data(), size, 0x1234)), checksum_fold(expected));
  }
}

TEST(Checksum, chains_parts_of_even_size) {
  const ByteVector data = from_hex("0102030405060708090a0b0c0d");
  const uint64_t first = checksum_add(data.data(), 6, 0);
  EXPECT_EQ(checksum_fold(checksum_add(data.data() + 6, 7, first)),
            checksum_fold(checksum_add(data.data(), 13, 0)));
}

// Verifies MUST-F3: UDP over IPv6, by a datagram worked out by hand.
TEST(Checksum, covers_the_pseudo_header_of_both_families) {
  ByteVector udp = from_hex("1388 1389 000a 0000 6869");
  const IpAddress v6_a = *parse_ip_address("2001:db8::1");
  const IpAddress v6_b = *parse_ip_address("2001:db8::2");
  // 2001+db8+1 + 2001+db8+2 + 11+a + 1388+1389+a+6869 = eb14; its complement is 14eb.
  EXPECT_EQ(l4_checksum(v6_a, v6_b, 17, udp.data(), udp.size()), 0x14eb);
  base::store_be16(udp.data() + 6, 0x14eb);
  EXPECT_TRUE(l4_checksum_ok(v6_a, v6_b, 17, udp.data(), udp.size()));
  udp[9] ^= 1;
  EXPECT_FALSE(l4_checksum_ok(v6_a, v6_b, 17, udp.data(), udp.size()));
  const IpAddress v4_a = IpAddress::from_v4(0x0a000001);
  const IpAddress v4_b = IpAddress::from_v4(0x0a000002);
  EXPECT_EQ(pseudo_header_sum(v4_a, v4_b, 17, 10), 0x0a00u + 1 + 0x0a00 + 2 + 17 + 10);
}

// Verifies MUST-F3: a computed zero goes out as all ones.
TEST(Checksum, is_never_zero_on_the_wire) {
  const IpAddress any = IpAddress::from_v4(0);
  ByteVector l4 = from_hex("ffed 0000");  // + protocol 17 + length 4 leaves 0002 to ffff
  for (unsigned value = 0; value < 16; ++value) {
    base::store_be16(l4.data(), static_cast<uint16_t>(0xffe0 + value));
    EXPECT_NE(l4_checksum(any, any, 17, l4.data(), l4.size()), 0);
  }
  base::store_be16(l4.data(), 0xffff - 17 - 4);
  EXPECT_EQ(l4_checksum(any, any, 17, l4.data(), l4.size()), 0xffff);
}

}  // namespace
}  // namespace sluice::wire
