// SPDX-License-Identifier: Apache-2.0
#include "cli/mode.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::cli {
namespace {

TEST(Mode, the_table_holds_the_nine_modes_once) {
  std::set<std::string> names;
  for (const Mode* mode : modes()) {
    EXPECT_TRUE(names.insert(mode->name).second);
    EXPECT_EQ(find_mode(mode->name), mode);
    EXPECT_NE(mode->help[0], '\0');
  }
  EXPECT_EQ(names, (std::set<std::string>{"handshakes", "incast", "loopback", "pingpong", "rate",
                                          "recvfile", "sendfile", "serve", "stream"}));
  EXPECT_EQ(find_mode("none"), nullptr);
}

TEST(Mode, a_client_of_another_machine_needs_its_address) {
  Options options;
  options.mode = "rate";
  EXPECT_TRUE(check_peer(options).ok());
  options.ports.emplace_back();
  EXPECT_FALSE(check_peer(options).ok());
  options.peer = "10.0.0.2";
  EXPECT_TRUE(check_peer(options).ok());
}

TEST(Mode, a_client_with_a_certificate_names_its_server) {
  Options options;
  options.ports.emplace_back();
  options.peer = "10.0.0.2";
  options.certificate = "c";
  EXPECT_FALSE(check_peer(options).ok());
  options.peer_name = "s.example";
  EXPECT_TRUE(check_peer(options).ok());
}

TEST(Mode, what_cannot_be_echoed_is_sent_to_the_sink) {
  Options options;
  options.size = 2'000'000;
  options.service = kEchoService;
  EXPECT_FALSE(check_traffic(options).ok());
  options.service = kSinkService;
  EXPECT_TRUE(check_traffic(options).ok());
  options.service = 9;
  EXPECT_FALSE(check_traffic(options).ok());
  EXPECT_EQ(longest_of_traffic(options), 2'000'000u);
}

}  // namespace
}  // namespace sluice::cli
