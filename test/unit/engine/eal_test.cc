// SPDX-License-Identifier: Apache-2.0
#include "engine/eal.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "engine_test_util.h"

namespace sluice::engine {
namespace {

TEST(Eal, is_brought_up_once_and_shared) {
  Eal* first = test_eal();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(test_eal(), first);
  EXPECT_FALSE(first->huge_pages());
}

TEST(Eal, leaves_the_callers_affinity_alone) {
  ASSERT_NE(test_eal(), nullptr);
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_EQ(static_cast<size_t>(CPU_COUNT(&set)), read_machine(0).cpus.size());
}

TEST(Eal, lends_each_lcore_once) {
  Eal* eal = test_eal();
  ASSERT_NE(eal, nullptr);
  const auto all = eal->take_lcores(6);
  ASSERT_TRUE(all.ok()) << all.status();
  const auto more = eal->take_lcores(1);
  ASSERT_FALSE(more.ok());
  EXPECT_NE(std::string(more.status().message()).find("0 are free"), std::string::npos);
  eal->return_lcores(*all);
  const auto again = eal->take_lcores(2);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)[0], 1u);
  eal->return_lcores(*again);
}

TEST(Eal, a_driver_may_write_to_a_peer_that_is_gone) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  capture_log([&] {
    EXPECT_EQ(write(ends[1], "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
  });
  close(ends[1]);
  sigset_t left;
  ASSERT_EQ(sigpending(&left), 0);
  EXPECT_EQ(sigismember(&left, SIGPIPE), 0);
}

TEST(Eal, refuses_a_forked_child) {
  ASSERT_NE(test_eal(), nullptr);
  EXPECT_FALSE(in_forked_child());
  const pid_t child = fork();
  if (child == 0) {
    const auto eal = Eal::acquire({}, {});
    _exit(in_forked_child() && !eal.ok() && !refuse_forked_child().ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Eal, the_clock_runs) {
  Eal* eal = test_eal();
  ASSERT_NE(eal, nullptr);
  const base::Nanos first = eal->clock().now();
  EXPECT_TRUE(eventually([&] { return eal->clock().now() > first + base::millis(1); }));
}

TEST(EalFailure, is_explained_in_one_line) {
  const struct {
    const char* log;
    const char* says;
  } cases[] = {
      {"EAL: Detected CPU lcores: 2\nEAL: failed to parse device \"net_foo0\"\n",
       "no such device: failed to parse device \"net_foo0\""},
      {"EAL: Cannot allocate memzone list\n", "too little memory"},
      {"EAL: Cannot create lock on '/x/config'. Is another primary process running?\n",
       "file-prefix"},
      {"EAL: Detected NUMA nodes: 1\nEAL: something odd\n", "something odd"},
      {"", "Invalid argument"},
  };
  for (const auto& each : cases) {
    const std::string text = explain_eal_failure(each.log, "Invalid argument");
    EXPECT_NE(text.find(each.says), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
}

TEST(EalLog, the_last_line_that_says_something_is_found) {
  EXPECT_EQ(last_log_line("A\nB\nEAL: Driver cannot attach the device (x)\n"), "B");
  EXPECT_EQ(last_log_line(""), "");
}

}  // namespace
}  // namespace sluice::engine
