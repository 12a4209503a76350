// SPDX-License-Identifier: Apache-2.0
#include "crypto/dns_name.h"

#include <gtest/gtest.h>

namespace sluice::crypto {
namespace {

TEST(DnsName, names_are_compared_in_lower_case) {
  EXPECT_EQ(normalize_dns_name("A.Rack-7.Example"), "a.rack-7.example");
  EXPECT_EQ(normalize_dns_name("_svc.example"), "_svc.example");
  EXPECT_EQ(normalize_dns_name("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(normalize_dns_name("localhost"), "localhost");
}

TEST(DnsName, what_is_no_name_is_refused) {
  const std::string label(kMaxDnsLabel, 'a');
  const std::string longest = label + "." + label + "." + label + "." + label.substr(2);
  EXPECT_EQ(longest.size(), kMaxDnsName);
  EXPECT_EQ(normalize_dns_name(longest), longest);
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("*.example"), std::string("a b"), std::string("a\0b", 3), label + "a",
        longest + "a",
        std::string("b\xc3\xbc"
                    "cher.example"),
        std::string("a/b")}) {
    EXPECT_EQ(normalize_dns_name(text), "") << text;
  }
}

TEST(DnsName, a_suffix_ends_at_a_label) {
  EXPECT_TRUE(dns_name_below("a.example", "example"));
  EXPECT_TRUE(dns_name_below("example", "example"));
  EXPECT_TRUE(dns_name_below("a.b.example", "b.example"));
  EXPECT_TRUE(dns_name_below("anything", ""));
  EXPECT_FALSE(dns_name_below("aexample", "example"));
  EXPECT_FALSE(dns_name_below("example", "a.example"));
  EXPECT_FALSE(dns_name_below("job77.example", "job7.example"));
}

}  // namespace
}  // namespace sluice::crypto
