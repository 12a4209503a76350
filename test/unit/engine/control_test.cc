// SPDX-License-Identifier: Apache-2.0
#include "engine/control.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "engine/engine_impl.h"
#include "engine_test_util.h"
#include "wire/frame.h"
#include "wire/header.h"

namespace sluice::engine {
namespace {

TEST(StatusOf, keeps_the_meaning_of_every_code) {
  EXPECT_TRUE(status_of(base::Code::kOk, "").ok());
  EXPECT_EQ(status_of(base::Code::kUnavailable, "x").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status_of(base::Code::kPermissionDenied, "").message(), "permission_denied");
  for (uint8_t code = 1; code < base::kCodeCount; ++code) {
    EXPECT_FALSE(status_of(static_cast<base::Code>(code), "why").ok());
  }
}

ConnectRequest request_of(const transport::PeerAddress& peer, const std::string& name,
                          base::Nanos timeout) {
  return {.peer = peer, .peer_name = name, .timeout = timeout, .resume = true, .calls = nullptr};
}

class ControlTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(test_eal(), nullptr);
    impl = std::make_unique<EngineImpl>(test_pair("control"));
    const auto opened = impl->open();
    ASSERT_TRUE(opened.ok()) << opened;
  }
  Control& control(size_t node) { return impl->nodes[node]->control(); }
  absl::StatusOr<SessionInfo> connect(base::Nanos timeout) {
    std::promise<absl::StatusOr<SessionInfo>> result;
    control(0).connect(request_of(peer, "", timeout), [&](absl::StatusOr<SessionInfo> session) {
      result.set_value(std::move(session));
    });
    return result.get_future().get();
  }
  // Sends the server a packet of a session and lane that its lcore knows nothing of.
  void send_stray(base::SessionId session, uint8_t lane) {
    constexpr uint32_t kLength = 96;
    wire::FramePath path;
    path.source_mac = impl->nodes[0]->ports()[0]->mac();
    path.destination_mac = impl->nodes[1]->ports()[0]->mac();
    path.source = *wire::parse_ip_address("10.9.0.1");
    path.destination = peer.ip;
    path.destination_port = peer.port;
    const wire::FrameTemplate frame(path);
    wire::CommonHeader header;
    header.type = static_cast<uint8_t>(wire::PacketType::kBundle);
    header.session = session.value();
    header.lane = lane;
    header.record_number = wire::counter_number(1);
    Lcore& lcore = *impl->nodes[0]->lcores()[0];
    rte_mbuf* buffer = rte_pktmbuf_alloc(lcore.queue(0).pool());
    ASSERT_NE(buffer, nullptr);
    const uint32_t size = frame.header_size() + kLength;
    auto* data = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(buffer, size));
    std::fill_n(data, size, uint8_t{0});
    header.emit(data + frame.header_size(), wire::kBundleHeaderSize);
    frame.prepend(data + frame.header_size(), kLength, 50000, 0, false);
    buffer->port = 0;
    ASSERT_TRUE(lcore.inject(buffer));
  }
  const transport::PeerAddress peer{*wire::parse_ip_address("10.9.0.2"), kDefaultBasePort};
  std::unique_ptr<EngineImpl> impl;
};

TEST_F(ControlTest, refuses_work_before_start_and_after_stop) {
  EXPECT_EQ(connect(kFar).status().code(), absl::StatusCode::kCancelled);
  ASSERT_TRUE(impl->start().ok());
  EXPECT_TRUE(connect(kFar).ok());
  EXPECT_TRUE(impl->stop(base::Nanos::zero()).ok());
  EXPECT_EQ(connect(kFar).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(control(0).close_session(base::SessionId(1)).code(), absl::StatusCode::kCancelled);
}

TEST_F(ControlTest, many_sessions_between_two_nodes) {
  ASSERT_TRUE(impl->start().ok());
  constexpr size_t kSessions = 12;
  for (size_t i = 0; i < kSessions; ++i) {
    const auto session = connect(kFar);
    ASSERT_TRUE(session.ok()) << session.status();
    EXPECT_EQ(session->peer, peer);
    EXPECT_EQ(session->algorithm, crypto::AeadAlgorithm::kAes128Gcm);
  }
  EXPECT_EQ(control(0).sessions().size(), kSessions);
  EXPECT_EQ(control(1).sessions().size(), kSessions);
  EXPECT_EQ(control(1).stats().sessions_up.value(), kSessions);
  control(0).close_all();
  EXPECT_TRUE(eventually(
      [&] { return control(0).session_count() == 0 && control(1).session_count() == 0; }));
}

// While lanes are being installed the peer may have begun to use them.
TEST_F(ControlTest, a_session_in_use_draws_no_reset) {
  ASSERT_TRUE(impl->start().ok());
  ASSERT_TRUE(connect(kFar).ok());
  ASSERT_TRUE(eventually([&] { return control(1).sessions().size() == 1; }));
  const base::SessionId used = control(1).sessions()[0].session;
  send_stray(used, 200);
  send_stray(base::SessionId(used.value() ^ 0x10000), 0);  // Another session in the same slot.
  EXPECT_TRUE(eventually([&] { return control(1).stats().resets_sent.value() > 0; }));
  EXPECT_EQ(control(1).stats().resets_sent.value(), 1u) << "one for the second, which came later";
  EXPECT_EQ(impl->nodes[1]->lcores()[0]->stats().resets_asked.value(), 2u);
}

TEST_F(ControlTest, more_lanes_than_an_lcore_has_room_for_fail_the_connect) {
  ASSERT_TRUE(impl->start().ok());
  absl::Status last;
  size_t up = 0;
  for (size_t i = 0; i < 20 && last.ok(); ++i) {
    last = connect(kFar).status();
    up += last.ok() ? 1 : 0;
  }
  EXPECT_EQ(up, 16u);  // max_lanes of the test's nodes.
  EXPECT_FALSE(last.ok());
  EXPECT_GE(control(0).stats().install_failed.value(), 1u);
}

TEST_F(ControlTest, a_name_is_for_certificates) {
  ASSERT_TRUE(impl->start().ok());
  std::promise<absl::Status> result;
  control(0).connect(
      request_of({*wire::parse_ip_address("10.9.0.2"), kDefaultBasePort}, "b.example", kFar),
      [&](absl::StatusOr<SessionInfo> session) { result.set_value(session.status()); });
  EXPECT_EQ(result.get_future().get().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ControlTest, connects_under_way_end_with_the_engine) {
  ASSERT_TRUE(impl->start().ok());
  std::promise<absl::Status> result;
  control(0).connect(
      request_of({*wire::parse_ip_address("10.9.0.99"), kDefaultBasePort}, "", base::seconds(60)),
      [&](absl::StatusOr<SessionInfo> session) { result.set_value(session.status()); });
  EXPECT_TRUE(impl->stop(base::Nanos::zero()).ok());
  EXPECT_EQ(result.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST_F(ControlTest, a_connect_whose_time_is_over_fails_at_once) {
  ASSERT_TRUE(impl->start().ok());
  EXPECT_EQ(connect(base::Nanos::zero()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace sluice::engine
