// SPDX-License-Identifier: Apache-2.0
#include "cli/args.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using Strings = std::vector<std::string>;

TEST(SplitArguments, all_are_the_programs_own_without_dashes) {
  const auto split = split_arguments({"rate", "--size=64"});
  ASSERT_TRUE(split.ok());
  EXPECT_TRUE(split->eal.empty());
  EXPECT_EQ(split->own, (Strings{"rate", "--size=64"}));
}

TEST(SplitArguments, eal_arguments_stand_before_the_dashes) {
  const auto split = split_arguments({"-l", "0,1", "--no-huge", "--", "rate"});
  ASSERT_TRUE(split.ok());
  EXPECT_EQ(split->eal, (Strings{"-l", "0,1", "--no-huge"}));
  EXPECT_EQ(split->own, Strings{"rate"});
  EXPECT_FALSE(split->help);
}

TEST(SplitArguments, a_mode_before_the_dashes_is_refused_with_the_right_order) {
  const auto split = split_arguments({"rate", "--", "--size=64"});
  ASSERT_FALSE(split.ok());
  EXPECT_NE(split.status().message().find("-- rate"), absl::string_view::npos);
}

TEST(SplitArguments, help_before_the_dashes_is_noticed) {
  EXPECT_TRUE(split_arguments({"--help", "--"})->help);
  EXPECT_TRUE(split_arguments({"-h", "--", "rate"})->help);
}

class OptionSetTest : public testing::Test {
 protected:
  OptionSetTest() {
    set_.section("Some");
    set_.add_count("size", "BYTES", "how long", &size_, 1, 1000);
    set_.add_switch("progress", "a bar", &progress_);
    set_.letter('p', "progress");
    set_.add_nanos("time", "how long it takes", &time_);
    set_.add_ppm("loss", "how much", &loss_);
    set_.add_list("word", "W", "words", &words_);
    set_.add_text("file", "FILE", "which", &file_);
  }

  std::string error(const Strings& arguments) {
    const auto words = set_.parse(arguments);
    return words.ok() ? "" : std::string(words.status().message());
  }

  OptionSet set_;
  uint64_t size_ = 7;
  bool progress_ = true;
  uint64_t time_ = 0;
  uint32_t loss_ = 0;
  Strings words_;
  std::string file_;
};

TEST_F(OptionSetTest, values_come_after_an_equals_sign_or_as_the_next_word) {
  const auto words = set_.parse({"rate", "--size=64", "--time", "5ms", "--loss=1%", "more"});
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_EQ(*words, (Strings{"rate", "more"}));
  EXPECT_EQ(size_, 64u);
  EXPECT_EQ(time_, 5'000'000u);
  EXPECT_EQ(loss_, 10'000u);
}

TEST_F(OptionSetTest, switches_go_on_and_off) {
  ASSERT_TRUE(set_.parse({"--no-progress"}).ok());
  EXPECT_FALSE(progress_);
  ASSERT_TRUE(set_.parse({"-p"}).ok());
  EXPECT_TRUE(progress_);
  ASSERT_TRUE(set_.parse({"--progress=false"}).ok());
  EXPECT_FALSE(progress_);
}

TEST_F(OptionSetTest, lists_collect_and_texts_may_hold_equals_signs) {
  ASSERT_TRUE(set_.parse({"--word=a", "--word", "b", "--file=x=y"}).ok());
  EXPECT_EQ(words_, (Strings{"a", "b"}));
  EXPECT_EQ(file_, "x=y");
}

TEST_F(OptionSetTest, help_becomes_a_word) {
  EXPECT_EQ(*set_.parse({"-h"}), Strings{"--help"});
  EXPECT_EQ(*set_.parse({"rate", "--help"}), (Strings{"rate", "--help"}));
}

TEST_F(OptionSetTest, errors_name_the_option_and_what_to_write) {
  EXPECT_NE(error({"--size=0"}).find("--size: '0' is no number from 1 to 1000"), std::string::npos);
  EXPECT_NE(error({"--size"}).find("--size=BYTES"), std::string::npos);
  EXPECT_NE(error({"--time=later"}).find("10s"), std::string::npos);
  EXPECT_NE(error({"--loss=3"}).find("1%"), std::string::npos);
  EXPECT_NE(error({"--siez=3"}).find("is --size meant?"), std::string::npos);
  EXPECT_NE(error({"--progress=maybe"}).find("--progress"), std::string::npos);
  EXPECT_NE(error({"-q"}).find("no option -q"), std::string::npos);
}

TEST_F(OptionSetTest, eal_arguments_in_the_wrong_place_are_recognised) {
  const std::string text = error({"--vdev=net_null0"});
  EXPECT_NE(text.find("EAL argument"), std::string::npos);
  EXPECT_NE(text.find("before a `--`"), std::string::npos);
}

TEST_F(OptionSetTest, errors_are_one_line) {
  for (const Strings& bad : {Strings{"--nothing"}, {"--size=x"}, {"-z"}, {"--file"}}) {
    EXPECT_EQ(error(bad).find('\n'), std::string::npos);
    EXPECT_NE(error(bad), "");
  }
}

TEST_F(OptionSetTest, the_help_names_every_option_within_the_columns) {
  const std::string help = set_.help();
  for (const char* part : {"Some:", "--size=BYTES", "-p, --progress", "--time=TIME"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part;
  }
  size_t start = 0;
  for (size_t end = 0; (end = help.find('\n', start)) != std::string::npos; start = end + 1) {
    EXPECT_LE(end - start, 100u);
  }
}

}  // namespace
}  // namespace sluice::cli
