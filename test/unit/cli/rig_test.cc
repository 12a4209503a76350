// SPDX-License-Identifier: Apache-2.0
#include "cli/rig.h"

#include "rig_support.h"

namespace sluice::cli {
namespace {

// DPDK comes up once in a process and keeps what its first engine needed: so the first one here is
// the largest that any test asks for.
class LargestEngineFirst : public testing::Environment {
 public:
  void SetUp() override {
    Options options = small_options();
    options.lcores = 2;
    EXPECT_NE(running_rig(options), nullptr);
  }
};

const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new LargestEngineFirst);

TEST(Rig, comes_up_connects_and_closes) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  EXPECT_EQ(rig->engine().nodes(), 2u);
  EXPECT_EQ(rig->sessions().size(), 1u);
  EXPECT_NE(rig->report_text().find("crypto"), std::string::npos);
  EXPECT_TRUE(rig->close(1'000'000'000).ok());
  EXPECT_TRUE(rig->close(0).ok());
}

TEST(Rig, begins_as_many_sessions_as_asked_for) {
  Options options = small_options();
  options.sessions = 3;
  auto rig = running_rig(options);
  ASSERT_NE(rig, nullptr);
  EXPECT_EQ(rig->sessions().size(), 3u);
}

TEST(Rig, a_key_that_is_too_short_is_one_line) {
  Options options = small_options();
  options.psk_file = "/dev/null";
  const auto rig = Rig::open(options, {.serve = true, .files = false}, 64);
  ASSERT_FALSE(rig.ok());
  EXPECT_EQ(rig.status().message().find('\n'), absl::string_view::npos);
}

}  // namespace
}  // namespace sluice::cli
