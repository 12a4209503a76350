// SPDX-License-Identifier: Apache-2.0
//
// The whole engine in one process: two nodes on the ends of a cable.
#include "engine/engine.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <mutex>

#include "engine_test_util.h"
#include "test_application.h"

namespace sluice::engine {
namespace {

// Notes what a listener hears.
class Listener final : public SessionListener {
 public:
  void on_session_up(size_t, const SessionInfo& session) override {
    const std::lock_guard lock(mutex);
    up.push_back(session);
  }
  void on_session_down(size_t, const SessionInfo&, base::Code code, const std::string&) override {
    const std::lock_guard lock(mutex);
    down.push_back(code);
  }
  void on_peer_refused(size_t, const transport::PeerAddress&, const std::string& reason) override {
    const std::lock_guard lock(mutex);
    refused.push_back(reason);
  }
  size_t ups() {
    const std::lock_guard lock(mutex);
    return up.size();
  }
  size_t downs() {
    const std::lock_guard lock(mutex);
    return down.size();
  }
  size_t refusals() {
    const std::lock_guard lock(mutex);
    return refused.size();
  }
  std::mutex mutex;
  std::vector<SessionInfo> up;
  std::vector<base::Code> down;
  std::vector<std::string> refused;
};

transport::PeerAddress server(const char* address = "10.9.0.2") {
  return {*wire::parse_ip_address(address), kDefaultBasePort};
}

uint64_t counter_sum(const Engine& engine, size_t node, const std::string& name) {
  uint64_t sum = 0;
  const auto add = [&](const char* each, const char*, uint64_t value) {
    if (name == each) sum += value;
  };
  for (const LcoreSnapshot& lcore : engine.lcores()) {
    if (lcore.node != node) continue;
    for_each_counter(*lcore.lcore_stats, add);
    for_each_counter(*lcore.endpoint_stats, add);
  }
  return sum;
}

// An lcore that the machine lets wait for long gives no peer up, and no call.
void be_patient(EngineConfig* config, CallApplication* client) {
  for (NodeConfig& node : config->nodes) node.endpoint.peer_timeout = kFar;
  client->timeout = kFar;
}

// Nothing is in flight on any lcore.
bool quiet(Engine& engine) {
  for (const LcoreSnapshot& lcore : engine.lcores()) {
    bool idle = false;
    const auto look = [&](LcoreContext& context) { idle = context.endpoint.idle(); };
    if (!engine.run_on_lcore(lcore.node, lcore.lcore, look).ok() || !idle) return false;
  }
  return true;
}

class EngineCalls : public testing::TestWithParam<const char*> {};

TEST_P(EngineCalls, calls_are_answered_and_the_engine_stops_clean) {
  EngineConfig config = test_pair("calls");
  CallApplication client(64, 2000, 20);
  EchoApplication echo;
  Listener listener;
  be_patient(&config, &client);
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  config.nodes[1].listener = &listener;
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(GetParam()), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(session->initiator);
  EXPECT_EQ(session->lanes.size(), 1u);
  EXPECT_TRUE(eventually([&] { return client.done(); }));
  EXPECT_EQ(client.completed, 2000u);
  EXPECT_EQ(client.corrupt, 0u);
  EXPECT_EQ(echo.requests, 2000u);
  EXPECT_EQ(listener.ups(), 1u);
  const auto status = (*engine)->stop(base::seconds(1));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(client.lanes_down, 1u);
  EXPECT_EQ(echo.lanes_down, 1u);
  EXPECT_EQ(listener.downs(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Families, EngineCalls, testing::Values("10.9.0.2", "fd00:9::2"),
                         [](const auto& param) { return param.index == 0 ? "v4" : "v6"; });

TEST(Engine, large_messages_arrive_whole_through_loss) {
  EngineConfig config = test_pair("loss");
  CallApplication client(100'000, 50, 4);
  EchoApplication echo;
  be_patient(&config, &client);
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  config.nodes[0].ports[0].tx_faults = {
      .loss_ppm = 10'000, .duplicate_ppm = 10'000, .reorder_ppm = 10'000};
  config.nodes[1].ports[0].tx_faults = {.loss_ppm = 10'000, .corrupt_ppm = 5'000, .seed = 9};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(eventually([&] { return client.done(); }));
  EXPECT_EQ(client.completed, 50u);
  EXPECT_EQ(client.corrupt, 0u);
  const auto faults = (*engine)->faults();
  ASSERT_TRUE(faults.ok());
  uint64_t lost = 0;
  for (const FaultSnapshot& each : *faults) {
    for (const auto& [name, value] : each.counters) lost += name == "fault.lost" ? value : 0;
  }
  EXPECT_GT(lost, 0u);
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

TEST(Engine, two_server_lcores_share_the_lanes_by_software_steering) {
  EngineConfig config = test_pair("steer");
  CallApplication client(200, 2000, 16);
  client.go = false;
  EchoApplication first;
  EchoApplication second;
  be_patient(&config, &client);
  config.nodes[0].applications = {&client};
  config.nodes[1].lcores = 2;
  config.nodes[1].applications = {&first, &second};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->lanes.size(), 2u);
  ASSERT_TRUE(eventually([&] { return client.lanes == 2; }));
  client.go = true;  // Both lanes are there: the calls are shared out evenly.
  EXPECT_TRUE(eventually([&] { return client.done(); }));
  EXPECT_EQ(client.completed, 2000u);
  EXPECT_EQ(first.requests, 1000u);
  EXPECT_EQ(second.requests, 1000u);
  EXPECT_GT(counter_sum(**engine, 1, "frames.steered_out"), 0u);
  // Each frame handed over arrives: compared once nothing crosses any more.
  EXPECT_TRUE(eventually([&] { return quiet(**engine); }));
  EXPECT_TRUE(eventually([&] {
    return counter_sum(**engine, 1, "frames.steered_in") ==
           counter_sum(**engine, 1, "frames.steered_out");
  }));
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

TEST(Engine, a_wrong_key_ends_before_the_deadline_with_a_reason_on_both_sides) {
  EngineConfig config = test_pair("key");
  Listener listener;
  config.nodes[0].psks = {test_psk(1)};
  config.nodes[1].listener = &listener;
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const base::Nanos before = (*engine)->now();
  const auto session = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_FALSE(session.ok());
  EXPECT_EQ(session.status().code(), absl::StatusCode::kPermissionDenied) << session.status();
  EXPECT_LT((*engine)->now() - before, kFar);
  EXPECT_GE(listener.refusals(), 1u);
  EXPECT_EQ((*engine)->sessions(1).size(), 0u);
}

TEST(Engine, an_absent_peer_is_unavailable_at_the_deadline) {
  auto engine = Engine::create(test_pair("absent"));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto nobody = (*engine)->connect_and_wait(0, server("10.9.0.77"), base::millis(100));
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable) << nobody.status();
  const auto no_way = (*engine)->connect_and_wait(0, server("192.0.2.1"), base::seconds(5));
  EXPECT_EQ(no_way.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(no_way.status().message()).find("no way to 192.0.2.1"), std::string::npos);
}

TEST(Engine, a_closed_session_ends_calls_and_both_sides) {
  EngineConfig config = test_pair("close");
  CallApplication client(64, UINT64_MAX, 4);
  EchoApplication echo;
  be_patient(&config, &client);
  Listener listeners[2];
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  config.nodes[0].listener = &listeners[0];
  config.nodes[1].listener = &listeners[1];
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(eventually([&] { return client.completed > 100; }));
  EXPECT_TRUE((*engine)->update_keys(0, session->session).ok());
  EXPECT_TRUE(eventually([&] { return client.completed > 1000; }));
  client.go = false;
  EXPECT_TRUE((*engine)->close_session(0, session->session).ok());
  EXPECT_TRUE(eventually([&] { return listeners[0].downs() == 1 && listeners[1].downs() == 1; }));
  EXPECT_EQ((*engine)->sessions(0).size(), 0u);
  EXPECT_EQ((*engine)->sessions(1).size(), 0u);
  EXPECT_EQ((*engine)->close_session(0, session->session).code(), absl::StatusCode::kNotFound);
  // And a new one can be had.
  client.go = true;
  const uint64_t before = client.completed;
  const auto again = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(eventually([&] { return client.completed > before + 100; }));
}

TEST(Engine, faults_can_be_set_while_it_runs) {
  EngineConfig config = test_pair("dark");
  CallApplication client(64, UINT64_MAX, 4);
  EchoApplication echo;
  for (NodeConfig& node : config.nodes) node.endpoint.peer_timeout = base::seconds(5);
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
  EXPECT_TRUE(eventually([&] { return client.completed > 100; }));
  // Everything is lost: the peer is given up, and every call ends once.
  ASSERT_TRUE((*engine)->set_faults(0, 0, FaultDirection::kTransmit, {.loss_ppm = 1'000'000}).ok());
  EXPECT_TRUE(eventually([&] { return client.lanes_down == 1 && echo.lanes_down == 1; }));
  EXPECT_GE(client.failed, 1u);
  EXPECT_TRUE(eventually([&] { return (*engine)->sessions(0).empty(); }));
  ASSERT_TRUE((*engine)->set_faults(0, 0, FaultDirection::kTransmit, {}).ok());
  EXPECT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
  EXPECT_FALSE((*engine)->set_faults(0, 7, FaultDirection::kTransmit, {}).ok());
  EXPECT_FALSE(
      (*engine)->set_faults(0, 0, FaultDirection::kTransmit, {.loss_ppm = 2'000'000}).ok());
}

TEST(Engine, tells_what_it_found_and_counts) {
  auto engine = Engine::create(test_pair("report"));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const EngineReport& report = (*engine)->report();
  EXPECT_EQ(report.ports.size(), 2u);
  EXPECT_EQ(report.ports[0].driver, "net_ring");
  EXPECT_GT(report.startup_ns, 0u);
  for (const char* wanted : {"huge pages", "lcores", "clock", "crypto module"}) {
    const bool there = std::any_of(report.lines.begin(), report.lines.end(),
                                   [&](const ReportLine& line) { return line.what == wanted; });
    EXPECT_TRUE(there) << wanted;
  }
  EXPECT_EQ((*engine)->lcores().size(), 2u);
  EXPECT_EQ((*engine)->nodes()[1].name, "server");
  EXPECT_EQ((*engine)->ports().size(), 2u);
  EXPECT_TRUE((*engine)->link_up(0, 0));
  EXPECT_FALSE((*engine)->link_up(0, 9));
  EXPECT_TRUE((*engine)->clear_port_stats().ok());
  bool ran = false;
  EXPECT_TRUE((*engine)->run_on_lcore(0, 0, [&](LcoreContext&) { ran = true; }).ok());
  EXPECT_TRUE(ran);
  EXPECT_FALSE((*engine)->run_on_lcore(0, 5, [](LcoreContext&) {}).ok());
  EXPECT_TRUE((*engine)->lanes(0).ok());
}

TEST(Engine, refuses_a_second_start_and_use_after_stop) {
  auto engine = Engine::create(test_pair("again"));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  EXPECT_FALSE((*engine)->start().ok());
  EXPECT_TRUE((*engine)->stop(base::millis(100)).ok());
  EXPECT_TRUE((*engine)->stop(base::millis(100)).ok());
  EXPECT_FALSE((*engine)->connect_and_wait(0, server(), base::seconds(1)).ok());
  EXPECT_FALSE((*engine)->run_on_lcore(0, 0, [](LcoreContext&) {}).ok());
}

TEST(Engine, refuses_a_forked_child) {
  auto engine = Engine::create(test_pair("fork"));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const pid_t child = fork();
  if (child == 0) {
    const bool refused = !(*engine)->connect_and_wait(0, server(), base::seconds(1)).ok() &&
                         !(*engine)->stop(base::Nanos::zero()).ok() &&
                         !Engine::create(test_pair("child")).ok();
    engine->reset();
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
}

}  // namespace
}  // namespace sluice::engine
