// SPDX-License-Identifier: Apache-2.0
#include "base/bitmap.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"

namespace sluice::base {
namespace {

TEST(Bitmap, starts_clear) {
  const Bitmap bitmap(130);
  EXPECT_EQ(bitmap.size(), 130u);
  EXPECT_EQ(bitmap.find_first_set(), Bitmap::kNone);
  EXPECT_EQ(bitmap.find_first_clear_from(129), 129u);
  EXPECT_EQ(bitmap.find_first_clear_from(130), Bitmap::kNone);
}

TEST(Bitmap, has_no_bits_beyond_its_size) {
  Bitmap bitmap(70);
  for (size_t i = 0; i < 70; ++i) bitmap.set(i);
  EXPECT_EQ(bitmap.find_first_clear_from(0), Bitmap::kNone);
  bitmap.clear_all();
  EXPECT_EQ(bitmap.find_first_set(), Bitmap::kNone);
  const Bitmap nothing(0);
  EXPECT_EQ(nothing.find_first_clear_from(0), Bitmap::kNone);
}

size_t model_find(const std::vector<bool>& model, size_t from, bool value) {
  for (size_t i = from; i < model.size(); ++i) {
    if (model[i] == value) return i;
  }
  return Bitmap::kNone;
}

TEST(Bitmap, matches_a_model_under_random_use) {
  Prng prng(4);
  for (int round = 0; round < 50; ++round) {
    const size_t size = 1 + prng.uniform(300);
    const uint32_t density = static_cast<uint32_t>(prng.uniform(1'000'001));
    Bitmap bitmap(size);
    std::vector<bool> model(size, false);
    for (int step = 0; step < 600; ++step) {
      const size_t i = prng.uniform(size);
      const bool value = prng.chance_ppm(density);
      model[i] = value;
      value ? bitmap.set(i) : bitmap.clear(i);
      const size_t from = prng.uniform(size + 2);
      ASSERT_EQ(bitmap.test(i), value);
      ASSERT_EQ(bitmap.find_first_set(), model_find(model, 0, true));
      ASSERT_EQ(bitmap.find_first_set_from(from), model_find(model, from, true));
      ASSERT_EQ(bitmap.find_first_clear_from(from), model_find(model, from, false));
    }
  }
}

}  // namespace
}  // namespace sluice::base
