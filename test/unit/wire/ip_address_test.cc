// SPDX-License-Identifier: Apache-2.0
#include "wire/ip_address.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace sluice::wire {
namespace {

TEST(IpAddress, reads_and_writes_canonical_text) {
  for (const char* text :
       {"0.0.0.0", "10.0.0.1", "255.255.255.255", "192.0.2.130", "::", "::1", "1::", "2001:db8::1",
        "fe80::1:2:3:4", "2001:db8:0:1:1:1:1:1", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:0", "ff02::1:ff00:1", "::ffff:192.0.2.1"}) {
    const auto address = parse_ip_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(format_ip_address(*address), text);
  }
}

TEST(IpAddress, canonicalises_other_spellings) {
  EXPECT_EQ(format_ip_address(*parse_ip_address("2001:0DB8:0:0:0:0:0:0001")), "2001:db8::1");
  EXPECT_EQ(format_ip_address(*parse_ip_address("0:0:1::")), "0:0:1::");
  EXPECT_EQ(format_ip_address(*parse_ip_address("::2:3:4:5:6:7:8")), "0:2:3:4:5:6:7:8");
  EXPECT_EQ(format_ip_address(*parse_ip_address("1:0:0:2:0:0:0:3")), "1:0:0:2::3");
  EXPECT_EQ(format_ip_address(*parse_ip_address("64:ff9b::192.0.2.33")), "64:ff9b::c000:221");
  EXPECT_EQ(format_ip_address(*parse_ip_address("1:2:3:4:5:6:192.0.2.1")), "1:2:3:4:5:6:c000:201");
}

TEST(IpAddress, refuses_malformed_text) {
  for (const char* text : {"",
                           ".",
                           "1.2.3",
                           "1.2.3.4.",
                           "1.2.3.4.5",
                           "1.2.3.256",
                           "01.2.3.4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1..2.3",
                           "a.b.c.d",
                           "1.2.3.-4",
                           "0001.2.3.4",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "::1::",
                           "12345::",
                           "g::",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1:",
                           ":1",
                           "fe80::1%eth0",
                           "::1/64",
                           "[::1]",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::1.2.3",
                           "::1.2.3.4.5",
                           "1.2.3.4::",
                           "::1.2.3.4:5"}) {
    EXPECT_FALSE(parse_ip_address(text)) << text;
  }
}

TEST(IpAddress, survives_every_prefix_of_long_text) {
  const std::string text = "2001:db8:ffff:1234:5678:9abc:255.255.255.255";
  for (size_t size = 0; size < text.size(); ++size) {
    const auto address = parse_ip_address(std::string_view(text).substr(0, size));
    if (address) {
      EXPECT_EQ(parse_ip_address(format_ip_address(*address)), address);
    }
  }
}

TEST(IpAddress, keeps_families_apart) {
  const IpAddress v4 = *parse_ip_address("192.0.2.1");
  const IpAddress mapped = *parse_ip_address("::ffff:192.0.2.1");
  EXPECT_TRUE(v4.v4);
  EXPECT_FALSE(mapped.v4);
  EXPECT_NE(v4, mapped);
  EXPECT_LT(v4, mapped);
  EXPECT_EQ(std::memcmp(v4.bytes, mapped.bytes, 16), 0);
  EXPECT_EQ(v4.size(), 4u);
  EXPECT_EQ(mapped.size(), 16u);
  EXPECT_EQ(v4.v4_value(), 0xc0000201u);
  EXPECT_EQ(v4, IpAddress::from_v4(0xc0000201));
  EXPECT_EQ(IpAddress::from_v4_bytes(v4.wire_bytes()), v4);
  EXPECT_EQ(IpAddress::from_v6_bytes(mapped.wire_bytes()), mapped);
}

TEST(IpAddress, orders_and_hashes) {
  const IpAddress a = *parse_ip_address("10.0.0.1");
  const IpAddress b = *parse_ip_address("10.0.0.2");
  EXPECT_LT(a, b);
  EXPECT_GT(b, a);
  const std::unordered_set<IpAddress> set = {a, b, a, *parse_ip_address("::1")};
  EXPECT_EQ(set.size(), 3u);
}

TEST(IpAddress, classifies) {
  EXPECT_TRUE(parse_ip_address("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(parse_ip_address("::")->is_unspecified());
  EXPECT_FALSE(parse_ip_address("::1")->is_unspecified());
  EXPECT_TRUE(parse_ip_address("224.0.0.1")->is_multicast());
  EXPECT_TRUE(parse_ip_address("ff02::1")->is_multicast());
  EXPECT_FALSE(parse_ip_address("223.255.255.255")->is_multicast());
  EXPECT_TRUE(parse_ip_address("169.254.1.1")->is_link_local());
  EXPECT_TRUE(parse_ip_address("febf::1")->is_link_local());
  EXPECT_FALSE(parse_ip_address("fec0::1")->is_link_local());
}

TEST(MacAddress, reads_and_writes_text) {
  const auto mac = parse_mac_address("02:1A:ff:00:9b:c1");
  ASSERT_TRUE(mac);
  EXPECT_EQ(format_mac_address(*mac), "02:1a:ff:00:9b:c1");
  EXPECT_EQ(parse_mac_address("02-1a-ff-00-9b-c1"), mac);
  EXPECT_EQ(MacAddress::from_bytes(mac->bytes), *mac);
  for (const char* text :
       {"", "02:1a:ff:00:9b", "02:1a:ff:00:9b:c1:", "02:1a-ff:00:9b:c1", "021aff009bc1",
        "02:1a:ff:00:9b:g1", "2:1a:ff:00:9b:c1:0", "02.1a.ff.00.9b.c1"}) {
    EXPECT_FALSE(parse_mac_address(text)) << text;
  }
}

TEST(MacAddress, knows_groups) {
  EXPECT_TRUE(MacAddress::broadcast().is_group());
  EXPECT_TRUE(MacAddress{}.is_zero());
  EXPECT_FALSE(parse_mac_address("02:00:00:00:00:01")->is_group());
  EXPECT_EQ(format_mac_address(MacAddress::for_multicast(*parse_ip_address("ff02::1:ff00:1"))),
            "33:33:ff:00:00:01");
  EXPECT_EQ(format_mac_address(MacAddress::for_multicast(*parse_ip_address("239.129.2.3"))),
            "01:00:5e:01:02:03");
}

}  // namespace
}  // namespace sluice::wire
