// SPDX-License-Identifier: Apache-2.0
#include "engine/spi_lcores.h"

#include <gtest/gtest.h>

namespace sluice::engine {
namespace {

constexpr uint32_t kNobody = 99;

// Verifies MUST-S5: the lane that the SPI names is the lane's lcore's, as Sessions::add_lanes() has
// it, whoever began the session.
TEST(SpiLcores, lead_to_the_lanes_lcore) {
  SpiLcores lcores(3, 16);
  const base::SessionId accepted(0x00110005);
  const base::SessionId begun(0x00220006);
  lcores.set(accepted, 0);
  lcores.set(begun, 2);
  for (unsigned lane = 0; lane < 6; ++lane) {
    for (unsigned epoch = 0; epoch < 4; ++epoch) {
      const auto number = static_cast<uint8_t>(lane);
      const auto low = static_cast<uint8_t>(epoch);
      const uint32_t of_accepted =
          wire::esp_spi(transport::SessionIds::esp_base(accepted), number, low);
      const uint32_t of_begun = wire::esp_spi(transport::SessionIds::esp_base(begun), number, low);
      EXPECT_EQ(lcores.lcore_of(of_accepted, kNobody), lane % 3);
      EXPECT_EQ(lcores.lcore_of(of_begun, kNobody), lane / 2);
    }
  }
  // What no lcore has, and no session can be.
  EXPECT_EQ(lcores.lcore_of(wire::esp_spi(transport::SessionIds::esp_base(begun), 6, 0), kNobody),
            kNobody);
  EXPECT_EQ(lcores.lcore_of(UINT32_MAX, kNobody), kNobody);
  // The slot's next session is another one's, or begun by the peer.
  lcores.set(base::SessionId(0x00770006), 0);
  EXPECT_EQ(lcores.lcore_of(wire::esp_spi(transport::SessionIds::esp_base(begun), 5, 0), kNobody),
            2u);
}

}  // namespace
}  // namespace sluice::engine
