// SPDX-License-Identifier: Apache-2.0
#include "base/container_of.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace sluice::base {
namespace {

struct Base {
  virtual ~Base() = default;
  int inherited = 0;
};

struct Holder : Base {
  uint64_t first = 0;
  int second = 0;
};

TEST(ContainerOf, leads_from_each_member_back_to_its_object) {
  Holder holder;
  EXPECT_EQ(container_of(&holder.first, &Holder::first), &holder);
  EXPECT_EQ(container_of(&holder.second, &Holder::second), &holder);
}

TEST(ContainerOf, keeps_const) {
  const Holder holder;
  const Holder* const found = container_of(&holder.second, &Holder::second);
  EXPECT_EQ(found, &holder);
}

}  // namespace
}  // namespace sluice::base
