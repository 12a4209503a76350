// SPDX-License-Identifier: Apache-2.0
#include "engine/telemetry.h"

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine_test_util.h"

namespace sluice::engine {
namespace {

// Asks DPDK's telemetry socket as dpdk-telemetry.py does.
std::string ask(const std::string& command) {
  const int file = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = std::string(rte_eal_get_runtime_dir()) + "/dpdk_telemetry.v2";
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  std::vector<char> buffer(65536);
  std::string reply;
  if (connect(file, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    (void)!read(file, buffer.data(), buffer.size());  // The greeting.
    (void)!write(file, command.data(), command.size());
    const ssize_t size = read(file, buffer.data(), buffer.size());
    if (size > 0) reply.assign(buffer.data(), static_cast<size_t>(size));
  }
  close(file);
  return reply;
}

TEST(Telemetry, the_commands_answer_while_an_engine_lives) {
  auto engine = Engine::create(test_pair("tele"));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)
                  ->connect_and_wait(0, {*wire::parse_ip_address("10.9.0.2"), kDefaultBasePort},
                                     base::seconds(2))
                  .ok());
  const std::string stats = ask("/sluice/stats");
  EXPECT_NE(stats.find("client_lcore0"), std::string::npos) << stats;
  EXPECT_NE(stats.find("packets_received"), std::string::npos) << stats;
  EXPECT_NE(stats.find("server_control"), std::string::npos) << stats;
  EXPECT_NE(ask("/sluice/sessions").find("10.9.0.2"), std::string::npos);
  EXPECT_NE(ask("/sluice/ports").find("link_up"), std::string::npos);
  EXPECT_NE(ask("/sluice/ports").find("\"inline_crypto\":\"no\""), std::string::npos);
  EXPECT_NE(ask("/sluice/faults").find("loss_ppm"), std::string::npos);
  engine->reset();
  EXPECT_EQ(ask("/sluice/stats"), "{\"/sluice/stats\":{}}");
}

}  // namespace
}  // namespace sluice::engine
