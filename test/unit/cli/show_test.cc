// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

StatsSnapshot stats() {
  StatsSnapshot snapshot;
  snapshot.counters = {{"rpc.started", "calls", 1200},
                       {"rpc.completed", "calls", 1000},
                       {"fault.lost", "lost", 5},
                       {"dropped.tag", "tags", 0}};
  return snapshot;
}

TEST(Show, port_statistics_look_as_testpmd_prints_them) {
  PortInfo port;
  port.name = "net_ring0";
  port.rx_packets = 12;
  const std::string text = port_stats_text({port});
  EXPECT_NE(text.find("NIC statistics for port 0.0 (net_ring0)"), std::string::npos);
  EXPECT_NE(text.find("RX-packets: 12 "), std::string::npos);
  EXPECT_NE(ports_text({port}).find("net_ring0"), std::string::npos);
}

TEST(Show, sessions_are_listed_or_said_to_be_absent) {
  EXPECT_EQ(sessions_text({}), "  no session\n");
  SessionInfo info;
  info.peer_address = "10.0.0.2";
  info.peer_port = 7470;
  info.algorithm = "aes-128-gcm";
  const std::string text = sessions_text({info});
  EXPECT_NE(text.find("10.0.0.2:7470"), std::string::npos);
  EXPECT_NE(text.find("aes-128-gcm"), std::string::npos);
}

TEST(Show, proved_names_are_shown) {
  SessionInfo info;
  info.initiator = true;
  info.peer_address = "10.0.0.2";
  info.peer_port = 7470;
  info.algorithm = "aes-128-gcm";
  EXPECT_EQ(peers_text({info}, false), "");
  info.peer_name = "b.example";
  info.expires_unix_ns = 1'800'000'000'000'000'000;
  EXPECT_NE(sessions_text({info}).find("b.example"), std::string::npos);
  EXPECT_EQ(peers_text({info}, false),
            "peer: b.example at 10.0.0.2:7470 (aes-128-gcm, until 2027-01-15 08:00:00 UTC)\n");
  info.initiator = false;
  EXPECT_EQ(peers_text({info}, false), "");
}

TEST(Show, what_became_of_record_mode_is_shown_where_it_was_asked_for) {
  SessionInfo info;
  info.initiator = true;
  info.peer_address = "10.0.0.2";
  info.peer_port = 7470;
  info.records = "packet mode: the peer does without record mode";
  EXPECT_EQ(peers_text({info}, false), "");
  EXPECT_EQ(peers_text({info}, true),
            "records: packet mode: the peer does without record mode (10.0.0.2:7470)\n");
  info.records = "record mode";
  info.lanes = 2;
  EXPECT_EQ(peers_text({info}, true), "records: record mode (10.0.0.2:7470)\n");
  info.inline_lanes = 1;
  EXPECT_EQ(peers_text({info}, true),
            "records: record mode, sealed by the port on 1 of 2 lanes (10.0.0.2:7470)\n");
  info.inline_lanes = 2;
  EXPECT_EQ(peers_text({info}, true), "records: record mode, sealed by the port (10.0.0.2:7470)\n");
  info.initiator = false;
  EXPECT_EQ(peers_text({info}, true), "");
}

TEST(Show, that_lengths_are_concealed_is_shown) {
  SessionInfo info;
  info.initiator = true;
  info.peer_address = "10.0.0.2";
  info.peer_port = 7470;
  info.padded = true;
  EXPECT_EQ(peers_text({info}, false), "lengths: padded to buckets (10.0.0.2:7470)\n");
  info.initiator = false;
  EXPECT_EQ(peers_text({info}, false), "");
}

TEST(Show, what_devices_count_by_names_of_their_own) {
  PortInfo port;
  port.name = "net_ring0";
  port.extended = {{"model_resyncs", "", 7}};
  EXPECT_EQ(port_xstats_text({port}),
            "  NIC extended statistics for port 0.0 (net_ring0)\n    model_resyncs: 7\n");
}

TEST(Show, messages_sum_the_sessions) {
  SessionInfo info;
  info.exchanges = 3;
  const std::string text = messages_text(stats(), {info, info});
  EXPECT_NE(text.find("in flight: 6"), std::string::npos);
  EXPECT_NE(text.find("1,200 begun, 1,000 completed"), std::string::npos);
}

TEST(Show, counters_at_zero_are_left_out) {
  const std::string text = counters_text(stats(), "");
  EXPECT_NE(text.find("rpc.completed: 1,000"), std::string::npos);
  EXPECT_EQ(text.find("dropped.tag"), std::string::npos);
  EXPECT_EQ(counters_text(stats(), "dropped."), "  all zero\n");
}

TEST(Show, faults_and_the_plan_are_readable) {
  FaultOptions faults;
  faults.loss_ppm = 12'300;
  faults.corrupt_ppm = 5;
  const std::string text = faults_text(faults, stats());
  EXPECT_NE(text.find("loss 1.23%"), std::string::npos);
  EXPECT_NE(text.find("corrupt 5ppm"), std::string::npos);
  EXPECT_NE(text.find("fault.lost: 5"), std::string::npos);
  Options options;
  options.mode = "rate";
  options.size = 64;
  EXPECT_NE(config_text(options).find("size 64"), std::string::npos);
}

TEST(Show, the_rules_in_force_or_that_there_is_no_policy) {
  EXPECT_EQ(policy_text("p", {"p:1: allow * connect"}),
            "  p:1: allow * connect\n  what no rule allows is denied\n");
  EXPECT_EQ(policy_text("p", {}), "  what no rule allows is denied\n");
  EXPECT_NE(policy_text("", {}).find("everything is allowed"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
