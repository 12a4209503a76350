// SPDX-License-Identifier: Apache-2.0
#include "transport/peer_address.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::transport {
namespace {

TEST(PeerAddress, every_part_shows_in_comparison_and_encoding) {
  const PeerAddress v4{wire::IpAddress::from_v4(0x0a000001), 4000};
  PeerAddress mapped = v4;
  mapped.ip.v4 = false;
  PeerAddress port = v4;
  port.port = 4001;
  PeerAddress host = v4;
  host.ip.bytes[15] = 2;
  const std::set<PeerAddress> all = {v4, mapped, port, host};
  EXPECT_EQ(all.size(), 4u);
  std::set<std::array<uint8_t, PeerAddress::kEncodedSize>> encodings;
  for (const auto& address : all) encodings.insert(address.encode());
  EXPECT_EQ(encodings.size(), 4u);
}

}  // namespace
}  // namespace sluice::transport
