// SPDX-License-Identifier: Apache-2.0
#include "engine/eal_arguments.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_join.h"

namespace sluice::engine {
namespace {

Machine machine_of(std::vector<uint32_t> cpus) {
  return {.cpus = std::move(cpus), .available_mb = 4000, .free_huge_mb = 0, .process_id = 77};
}

std::string plan_text(const EalConfig& config, const EalNeeds& needs, const Machine& machine) {
  const auto plan = plan_eal(config, needs, machine);
  return plan.ok() ? absl::StrJoin(plan->arguments, " ") : std::string(plan.status().message());
}

EalConfig with(std::vector<std::string> arguments) {
  EalConfig config;
  config.arguments = std::move(arguments);
  return config;
}

TEST(EalPlan, without_huge_pages_takes_small_ones) {
  EXPECT_EQ(plan_text({}, {.memory_mb = 64, .lcores = 2}, machine_of({0, 1})),
            "--lcores 0@(0,1),1@0,2@1 --no-huge --no-shconf -m 64 --no-pci --file-prefix "
            "sluice-77");
}

TEST(EalPlan, with_huge_pages_keeps_them_in_memory) {
  Machine machine = machine_of({0, 1});
  machine.free_huge_mb = 128;
  const std::string text =
      plan_text({}, {.memory_mb = 64, .lcores = 2, .shared_memory = true}, machine);
  EXPECT_NE(text.find("--in-memory --single-file-segments -m 64"), std::string::npos) << text;
  EXPECT_EQ(text.find("--no-huge"), std::string::npos) << text;
}

TEST(EalPlan, lcores_float_where_the_kernel_has_a_choice) {
  const EalNeeds needs{.memory_mb = 64, .lcores = 1};
  EXPECT_NE(plan_text({}, needs, machine_of({0, 1})).find("0@(0,1),1@(0,1) "), std::string::npos);
  EalNeeds pinned = needs;
  pinned.pinned = true;
  EXPECT_NE(plan_text({}, pinned, machine_of({4, 5})).find("0@(4,5),1@4 "), std::string::npos);
}

TEST(EalPlan, more_lcores_than_cpus_share_them) {
  const auto plan = plan_eal({}, {.memory_mb = 64, .lcores = 2}, machine_of({3}));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->arguments[1], "0@(3),1@3,2@3");
  EXPECT_NE(plan->report[0].why.find("shared"), std::string::npos);
}

TEST(EalPlan, the_users_arguments_replace_ours) {
  const std::string text =
      plan_text(with({"-l", "0-1", "--no-huge", "-m", "256", "--file-prefix=x", "-a", "0:1.0"}),
                {.memory_mb = 64, .lcores = 1}, machine_of({0, 1}));
  EXPECT_EQ(text, "-l 0-1 --no-huge -m 256 --file-prefix=x -a 0:1.0");
  EXPECT_NE(plan_text(with({"--no-huge"}), {.memory_mb = 70}, machine_of({0})).find("-m 70"),
            std::string::npos);
}

TEST(EalPlan, impossible_wishes_say_what_to_change) {
  const EalNeeds needs{.memory_mb = 64, .lcores = 1};
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } cases[] = {
      {{"-l", "0,7"}, "no CPU 7 for this process: choose from 0-1"},
      {{"--lcores", "0@0,1@(0,9)"}, "no CPU 9"},
      {{"-l", "two"}, "cannot read the core list 'two'"},
      {{"-l", "0"}, "name 2"},
      {{"--no-hugepages"}, "unknown EAL argument --no-hugepages"},
      {{"serve"}, "unknown EAL argument serve"},
      {{"-m"}, "needs a value"},
      {{"-m", "lots"}, "number of megabytes"},
      {{"-m", "10"}, "too little memory: 10 MB given, 64 MB needed"},
      {{"--no-huge", "--in-memory"}, "exclude each other"},
  };
  for (const auto& each : cases) {
    const std::string text = plan_text(with(each.arguments), needs, machine_of({0, 1}));
    EXPECT_NE(text.find(each.says), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

TEST(EalPlan, too_little_memory_is_refused_before_dpdk_is_touched) {
  Machine machine = machine_of({0});
  machine.available_mb = 50;
  EXPECT_NE(plan_text({}, {.memory_mb = 64}, machine).find("50 MB available"), std::string::npos);
  EalConfig insisting;
  insisting.huge_pages = HugePages::kYes;
  EXPECT_NE(plan_text(insisting, {.memory_mb = 64}, machine_of({0})).find("vm.nr_hugepages"),
            std::string::npos);
}

TEST(EalPlan, pci_and_telemetry_follow_the_configuration) {
  EalConfig quiet;
  quiet.telemetry = false;
  const std::string text =
      plan_text(quiet, {.memory_mb = 64, .lcores = 1, .pci = true}, machine_of({0}));
  EXPECT_EQ(text.find("--no-pci"), std::string::npos);
  EXPECT_NE(text.find("--no-telemetry"), std::string::npos);
}

TEST(CpuList, is_written_as_ranges) {
  EXPECT_EQ(format_cpu_list({0, 1, 2, 8}), "0-2,8");
  EXPECT_EQ(format_cpu_list({5}), "5");
  EXPECT_EQ(format_cpu_list({}), "none");
}

TEST(Machine, knows_this_process) {
  const Machine machine = read_machine(0);
  EXPECT_FALSE(machine.cpus.empty());
  EXPECT_GT(machine.available_mb, 0u);
}

}  // namespace
}  // namespace sluice::engine
