// SPDX-License-Identifier: Apache-2.0
#include "cli/prompt.h"

#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(Prompt, words_end_at_a_comment) {
  EXPECT_EQ(split_words("  show   port # all\r\n"), (std::vector<std::string>{"show", "port"}));
  EXPECT_TRUE(split_words("# nothing").empty());
}

TEST(Prompt, has_help_for_every_command) {
  for (const char* command : {"start", "stop", "show", "set", "clear", "reload", "help", "quit"}) {
    EXPECT_FALSE(prompt_help(command).empty()) << command;
    EXPECT_NE(prompt_help("").find(prompt_help(command)), std::string::npos);
  }
  EXPECT_TRUE(prompt_help("dance").empty());
}

class PromptTest : public testing::Test {
 protected:
  void SetUp() override {
    rig_ = running_rig(small_options(), {.serve = true, .files = true},
                       kRateMode.longest(small_options()));
    ASSERT_NE(rig_, nullptr);
    out_ = std::tmpfile();
    run_ = std::make_unique<JobRun>(rig_.get(), &json_, out_);
    prompt_ = std::make_unique<Prompt>(&kRateMode, rig_.get(), run_.get(), out_);
  }
  void TearDown() override {
    prompt_.reset();
    run_.reset();
    if (out_ != nullptr) std::fclose(out_);
  }
  std::string printed() {
    std::string text(static_cast<size_t>(std::ftell(out_)), '\0');
    std::rewind(out_);
    text.resize(std::fread(text.data(), 1, text.size(), out_));
    return text;
  }

  JsonReport json_ = empty_report();
  std::unique_ptr<Rig> rig_;
  std::unique_ptr<JobRun> run_;
  std::unique_ptr<Prompt> prompt_;
  FILE* out_ = nullptr;
};

TEST_F(PromptTest, starts_and_stops_the_traffic) {
  EXPECT_TRUE(prompt_->execute("set count 0").ok());
  EXPECT_TRUE(prompt_->execute("start").ok());
  EXPECT_TRUE(prompt_->started());
  EXPECT_FALSE(prompt_->execute("start").ok());
  EXPECT_TRUE(prompt_->execute("stop").ok());
  EXPECT_FALSE(run_->running());
  EXPECT_FALSE(prompt_->execute("stop").ok());
  EXPECT_NE(printed().find("RPCs completed"), std::string::npos);
}

TEST_F(PromptTest, shows_what_there_is) {
  for (const char* line :
       {"show port stats all", "show port xstats all", "show port info all", "show sessions",
        "show messages", "show counters", "show counters dropped.", "show faults", "show config",
        "help", "help set", "", "# x"}) {
    EXPECT_TRUE(prompt_->execute(line).ok()) << line;
  }
  const std::string text = printed();
  EXPECT_NE(text.find("NIC statistics"), std::string::npos);
  EXPECT_NE(text.find("aes-128-gcm"), std::string::npos);
}

TEST_F(PromptTest, sets_faults_and_traffic) {
  for (const char* line : {"set fault loss 1%", "set fault delay 10us", "set fault none",
                           "set size 100", "set workload W3", "set outstanding 4",
                           "set duration 1s", "set count 10", "clear port stats all"}) {
    EXPECT_TRUE(prompt_->execute(line).ok()) << line << prompt_->execute(line);
  }
}

TEST_F(PromptTest, what_is_wrong_is_said_and_not_done) {
  for (const char* line :
       {"dance", "show", "show port stats", "set fault loss much", "set size", "set fault dance 1%",
        "set psk-file x", "clear", "help dance", "start now", "set size 0", "set workload W9"}) {
    EXPECT_FALSE(prompt_->execute(line).ok()) << line;
  }
  EXPECT_NE(prompt_->execute("strat").message().find("is start meant?"), absl::string_view::npos);
  EXPECT_NE(prompt_->execute("set size 100M").message().find("--size"), absl::string_view::npos);
}

TEST_F(PromptTest, there_is_nothing_to_reload_with_a_key) {
  EXPECT_NE(prompt_->execute("reload").message().find("nothing to reload"),
            absl::string_view::npos);
  EXPECT_NE(prompt_->execute("reload now").message().find("not understood"),
            absl::string_view::npos);
}

TEST_F(PromptTest, quit_is_remembered) {
  EXPECT_FALSE(prompt_->quitting());
  EXPECT_TRUE(prompt_->execute("quit").ok());
  EXPECT_TRUE(prompt_->quitting());
}

}  // namespace
}  // namespace sluice::cli
