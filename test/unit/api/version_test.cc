// SPDX-License-Identifier: Apache-2.0
#include "sluice/version.h"

#include <gtest/gtest.h>

#include "wire/header.h"

namespace sluice {
namespace {

TEST(Version, library_and_wire_are_separate_numbers) {
  const std::string expected = std::to_string(SLUICE_VERSION_MAJOR) + "." +
                               std::to_string(SLUICE_VERSION_MINOR) + "." +
                               std::to_string(SLUICE_VERSION_PATCH);
  EXPECT_EQ(library_version(), expected);
  EXPECT_EQ(wire_version(), wire::kWireVersion);
}

}  // namespace
}  // namespace sluice
