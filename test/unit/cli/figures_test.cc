// SPDX-License-Identifier: Apache-2.0
#include "cli/figures.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

std::unique_ptr<RpcFigures> sample() {
  auto figures = std::make_unique<RpcFigures>();
  figures->phase = "clean";
  figures->outstanding = 4;
  figures->results.completed = 1000;
  figures->results.request_bytes = 64'000;
  figures->results.response_bytes = 64'000;
  figures->results.begun_ns = 1'000'000;
  figures->results.ended_ns = 2'000'000;
  for (int i = 0; i < 1000; ++i) figures->results.latency[0].record(1000);
  figures->counted.counters = {{"packets.retransmitted", "", 7},
                               {"control.bytes", "", 128},
                               {"dropped.tag", "", 2},
                               {"rpc.completed", "", 999}};
  return figures;
}

bool has(const JsonReport& json, const std::string& part) {
  return json.text().find(part) != std::string::npos;
}

TEST(Figures, rates_come_from_the_time_between_first_and_last) {
  const auto figures = sample();
  EXPECT_DOUBLE_EQ(figures->seconds(), 0.001);
  EXPECT_DOUBLE_EQ(figures->rate(), 1e6);
  EXPECT_DOUBLE_EQ(figures->goodput(), 128'000 * 8 / 0.001);
}

TEST(Figures, nothing_measured_gives_zero_and_not_infinity) {
  const RpcFigures figures;
  EXPECT_EQ(figures.rate(), 0);
  RpcFigures warm_up_only;
  warm_up_only.results.ended_ns = 1'000'000'000;
  EXPECT_EQ(warm_up_only.seconds(), 0);
  EXPECT_EQ(figures.goodput(), 0);
  EXPECT_EQ(FileFigures().goodput(), 0);
  EXPECT_FALSE(rpc_text(figures).empty());
}

TEST(Figures, are_written_under_their_stable_names) {
  JsonReport json("t", "0", Machine());
  add_figures(*sample(), &json);
  EXPECT_TRUE(has(json, R"("rpc.completed", "value": 1000, "unit": "RPCs", "labels": {"phase")"));
  EXPECT_TRUE(has(json, R"("rpc.failed", "value": 0)"));
  EXPECT_TRUE(has(json, R"("rpc.corrupt", "value": 0)"));
  EXPECT_TRUE(has(json, R"("rpc.rate", "value": 1000000)"));
  EXPECT_TRUE(has(json, R"("quantile": "p999", "size": "64")"));
  EXPECT_TRUE(has(json, R"("packets.retransmitted", "value": 7)"));
  EXPECT_TRUE(has(json, R"("control.bytes", "value": 128)"));
  EXPECT_TRUE(has(json, R"("packets.dropped", "value": 2, "unit": "packets", "labels": {"phase":)"
                        R"( "clean", "cause": "tag"})"));
  EXPECT_FALSE(has(json, R"("value": 999)"));  // The engine's own count of the same thing.
}

TEST(Figures, sessions_are_written_with_who_they_are_with) {
  SessionInfo info;
  info.peer_address = "10.0.0.2";
  info.algorithm = "aes-128-gcm";
  info.peer_name = "b.example";
  JsonReport json("c", "v", Machine{});
  add_sessions({info}, &json);
  EXPECT_NE(json.text().find("\"session.peer\""), std::string::npos);
  EXPECT_NE(json.text().find("\"name\": \"b.example\""), std::string::npos);
  info.peer_name.clear();
  JsonReport keyed("c", "v", Machine{});
  add_sessions({info}, &keyed);
  EXPECT_EQ(keyed.text().find("\"expires\""), std::string::npos);
}

TEST(Figures, failures_are_told_by_status) {
  auto figures = sample();
  figures->results.failed[static_cast<size_t>(StatusCode::kDeadlineExceeded)] = 3;
  figures->served_corrupt = 2;
  JsonReport json("t", "0", Machine());
  add_figures(*figures, &json);
  EXPECT_TRUE(has(json, R"("rpc.failed", "value": 3)"));
  EXPECT_TRUE(has(json, R"("status": "deadline_exceeded")"));
  EXPECT_TRUE(has(json, R"("rpc.corrupt", "value": 2)"));
  EXPECT_EQ(failures_text(figures->results), "3 deadline_exceeded");
  EXPECT_NE(rpc_text(*figures).find("3 failed, 2 corrupt"), std::string::npos);
}

TEST(Figures, what_was_dropped_is_told_by_cause) {
  StatsSnapshot counted;
  EXPECT_EQ(arrivals_text(counted), "0 packets received; dropped: none");
  counted.counters = {{"frames.received", "", 1'200},
                      {"dropped.replay", "", 3},
                      {"dropped.tag", "", 0},
                      {"dropped.unknown_session", "", 1'000}};
  EXPECT_EQ(arrivals_text(counted),
            "1,200 packets received; dropped: 3 replay, 1,000 unknown_session");
}

TEST(Figures, of_a_file_say_whether_it_matches) {
  JsonReport json("t", "0", Machine());
  add_figures(FileFigures{"faulty", 1000, 1000, true, {}}, &json);
  EXPECT_TRUE(has(json, R"("file.sha256_match", "value": 1, "unit": "bool", "labels": {"phase")"));
  EXPECT_TRUE(has(json, R"("file.bytes", "value": 1000)"));
  EXPECT_NE(file_text({"", 1000, 1000, false, {}}).find("DIFFERS"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
