// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(Text, counts_have_commas) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(12345678), "12,345,678");
}

TEST(Text, amounts_have_three_figures_and_a_unit) {
  EXPECT_EQ(bytes_text(64), "64 B");
  EXPECT_EQ(bytes_text(1500), "1.50 KB");
  EXPECT_EQ(bytes_text(12'345'678), "12.3 MB");
  EXPECT_EQ(nanos_text(950), "950 ns");
  EXPECT_EQ(nanos_text(1'234), "1.23 us");
  EXPECT_EQ(nanos_text(999'999), "1.00 ms");
  EXPECT_EQ(rate_text(3.214e6), "3.21 M/s");
  EXPECT_EQ(bits_text(25.06e9), "25.1 Gb/s");
  EXPECT_EQ(rate_text(0), "0.00 /s");
}

TEST(Text, counts_are_read_with_their_units) {
  EXPECT_EQ(parse_count("64"), 64u);
  EXPECT_EQ(parse_count("10k"), 10'000u);
  EXPECT_EQ(parse_count("1.5M"), 1'500'000u);
  EXPECT_EQ(parse_count("64Ki"), 65536u);
  EXPECT_EQ(parse_count("1MiB"), 1048576u);
  EXPECT_EQ(parse_count("0"), 0u);
}

TEST(Text, what_is_no_count_is_refused) {
  for (const char* text : {"", "k", "-1", "1.5", "1e3", "10 k", "99999999999G", "0x10", "1..5"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
}

TEST(Text, times_are_read_with_their_units) {
  EXPECT_EQ(parse_nanos("250us"), 250'000u);
  EXPECT_EQ(parse_nanos("1.5ms"), 1'500'000u);
  EXPECT_EQ(parse_nanos("2"), 2'000'000'000u);
  EXPECT_EQ(parse_nanos("2min"), 120'000'000'000u);
  EXPECT_FALSE(parse_nanos("5h"));
  EXPECT_FALSE(parse_nanos("soon"));
}

TEST(Text, shares_need_a_unit) {
  EXPECT_EQ(parse_ppm("1%"), 10'000u);
  EXPECT_EQ(parse_ppm("0.5%"), 5'000u);
  EXPECT_EQ(parse_ppm("200ppm"), 200u);
  EXPECT_EQ(parse_ppm("0"), 0u);
  EXPECT_EQ(parse_ppm("100%"), 1'000'000u);
  EXPECT_FALSE(parse_ppm("1"));
  EXPECT_FALSE(parse_ppm("101%"));
}

TEST(Text, the_nearest_word_is_found_when_one_is_near) {
  const std::vector<std::string> names = {"serve", "stream", "rate"};
  EXPECT_EQ(nearest("srve", names), "serve");
  EXPECT_EQ(nearest("steam", names), "stream");
  EXPECT_EQ(nearest("quantum", names), "");
}

TEST(Table, columns_line_up) {
  Table table({"name", "n"});
  table.row({"a", "1"});
  table.row({"longer", "100"});
  EXPECT_EQ(table.text(),
            "  name      n\n"
            "  ------  ---\n"
            "  a         1\n"
            "  longer  100\n");
}

TEST(Table, short_rows_end_early) {
  Table table({"a", "b"});
  table.row({"x"});
  EXPECT_EQ(table.text(0), "a  b\n-  -\nx\n");
}

}  // namespace
}  // namespace sluice::cli
