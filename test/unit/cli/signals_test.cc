// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace sluice::cli {
namespace {

TEST(Signals, are_counted_and_the_third_ends_the_process) {
  EXPECT_EXIT(
      {
        watch_signals();
        std::raise(SIGPIPE);
        if (signals_received() != 0) std::_Exit(1);
        std::raise(SIGTERM);
        std::raise(SIGINT);
        if (signals_received() != 2) std::_Exit(2);
        std::raise(SIGINT);
        std::_Exit(3);
      },
      testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(Signals, a_hangup_asks_for_a_reload_once) {
  EXPECT_EXIT(
      {
        watch_signals();
        watch_reload();
        if (take_reload()) std::_Exit(1);
        std::raise(SIGHUP);
        if (!take_reload() || take_reload() || signals_received() != 0) std::_Exit(2);
        std::raise(SIGXFSZ);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sluice::cli
