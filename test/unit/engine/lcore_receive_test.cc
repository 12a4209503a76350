// SPDX-License-Identifier: Apache-2.0
//
// Frames of every kind, played from a capture file into one lcore and counted by cause.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "engine/capture.h"
#include "engine/engine_impl.h"
#include "engine_test_util.h"
#include "test_application.h"
#include "wire/frame.h"
#include "wire/header.h"
#include "wire/neighbour.h"

namespace sluice::engine {
namespace {

using Frame = std::vector<uint8_t>;

constexpr uint16_t kPort = kDefaultBasePort;
const wire::MacAddress kMac{{2, 0, 0, 0, 0, 1}};

wire::IpAddress ip(const char* text) { return *wire::parse_ip_address(text); }

// A UDP frame to `destination` with a Sluice packet in it.
Frame sluice_frame(const char* destination, uint16_t port, uint8_t type, uint32_t session = 77) {
  wire::FramePath path;
  path.source_mac = kMac;
  path.destination_mac = wire::MacAddress{{2, 0, 0, 0, 0, 2}};
  path.destination = ip(destination);
  path.source = path.destination.v4 ? ip("10.9.0.1") : ip("fd00:9::1");
  path.destination_port = port;
  const wire::FrameTemplate frame(path);
  Frame bytes(frame.header_size() + 96);
  wire::CommonHeader header;
  header.type = type;
  header.session = session;
  header.record_number = wire::counter_number(1);
  header.emit(bytes.data() + frame.header_size(), wire::kBundleHeaderSize);
  frame.prepend(bytes.data() + frame.header_size(), 96, 50000, 0, false);
  return bytes;
}

class ReceiveTest : public testing::Test {
 protected:
  ~ReceiveTest() override { std::filesystem::remove(path); }

  // Plays the frames into a node and waits until all are received.
  void play(const std::vector<Frame>& frames) {
    ASSERT_NE(test_eal(), nullptr);
    {
      auto capture = Capture::open(path, 1u << 24, 1);
      ASSERT_TRUE(capture.ok());
      for (const Frame& frame : frames) {
        const auto size = static_cast<uint32_t>(frame.size());
        ASSERT_TRUE((*capture)->ring(0)->begin(1, size, size));
        (*capture)->ring(0)->add(frame.data(), frame.size());
        (*capture)->ring(0)->commit();
      }
    }
    EngineConfig config;
    config.eal = test_eal_config();
    config.nodes = {test_node("n", "net_pcap0,rx_pcap=" + path + ",tx_pcap=/dev/null",
                              {"10.9.0.2/24", "fd00:9::2/64"})};
    config.nodes[0].accept = true;
    impl = std::make_unique<EngineImpl>(std::move(config));
    const auto opened = impl->open();
    ASSERT_TRUE(opened.ok()) << opened;
    ASSERT_TRUE(impl->start().ok());
    EXPECT_TRUE(eventually([&] { return stats().rx_frames.value() == frames.size(); }));
  }
  const LcoreStats& stats() { return impl->nodes[0]->lcores()[0]->stats(); }
  const transport::Stats& endpoint() { return impl->nodes[0]->lcores()[0]->endpoint().stats(); }
  const ControlStats& control() { return impl->nodes[0]->control().stats(); }

  const std::string path = testing::TempDir() + "sluice-receive-test.pcap";
  std::unique_ptr<EngineImpl> impl;
};

TEST_F(ReceiveTest, garbage_is_counted_by_cause) {
  Frame truncated = sluice_frame("10.9.0.2", kPort, 2);
  truncated.resize(40);
  Frame checksum = sluice_frame("10.9.0.2", kPort, 2);
  checksum[24] ^= 0xff;
  const Frame other(64, 0);
  const Frame foreign = sluice_frame("10.9.0.9", kPort, 2);
  const Frame port = sluice_frame("10.9.0.2", 9, 2);
  const Frame type = sluice_frame("10.9.0.2", kPort, 200);
  play({truncated, checksum, other, foreign, port, type});
  EXPECT_EQ(stats().drop_malformed.value(), 2u);
  EXPECT_EQ(stats().drop_other.value(), 2u);
  EXPECT_EQ(stats().drop_address.value(), 1u);
  EXPECT_EQ(endpoint().rx_packets.value(), 1u);
  EXPECT_EQ(endpoint().drop_type.value(), 1u);
}

TEST_F(ReceiveTest, unknown_sessions_draw_rate_limited_resets) {
  std::vector<Frame> frames;
  for (uint32_t i = 0; i < 500; ++i) {
    frames.push_back(sluice_frame(i % 2 == 0 ? "10.9.0.2" : "fd00:9::2", kPort, 2, 1000 + i));
  }
  play(frames);
  EXPECT_TRUE(eventually([&] { return endpoint().drop_session.value() == 500; }));
  EXPECT_GT(stats().resets_asked.value(), 0u);
  EXPECT_GT(stats().limit_reset_rate.value(), 0u);
  EXPECT_EQ(stats().resets_asked.value() + stats().limit_reset_rate.value(), 500u);
}

TEST_F(ReceiveTest, neighbour_questions_go_to_the_control_thread) {
  std::vector<Frame> frames;
  for (const char* target : {"10.9.0.2", "fd00:9::2"}) {
    Frame frame(wire::kMaxNeighbourFrameSize);
    const wire::IpAddress wanted = ip(target);
    const wire::IpAddress own = wanted.v4 ? ip("10.9.0.1") : ip("fd00:9::1");
    frame.resize(wire::emit_neighbour_request(frame.data(), kMac, own, wanted, std::nullopt));
    frames.push_back(frame);
  }
  play(frames);
  EXPECT_EQ(stats().to_control.value(), 2u);
  // Announcements of both families, and an answer to each question.
  EXPECT_TRUE(eventually([&] { return control().tx_frames.value() >= 4; }));
}

TEST_F(ReceiveTest, random_bytes_harm_nothing) {
  std::vector<Frame> frames;
  base::Prng prng(11);
  for (int i = 0; i < 2000; ++i) {
    Frame frame =
        sluice_frame(i % 2 == 0 ? "10.9.0.2" : "fd00:9::2", kPort, static_cast<uint8_t>(i % 6));
    for (int flips = 0; flips < 1 + i % 8; ++flips) {
      frame[12 + prng.uniform(frame.size() - 12)] = static_cast<uint8_t>(prng.next_u64());
    }
    frame.resize(14 + prng.uniform(frame.size() - 13));
    frames.push_back(frame);
  }
  play(frames);
  EXPECT_TRUE(
      eventually([&] { return control().rx_packets.value() == stats().to_control.value(); }));
  EXPECT_EQ(impl->nodes[0]->control().session_count(), 0u);
}

// Echoes, and notes how far the sending of its lcore was when a later part of a turn arrived.
class PartsApplication final : public LcoreApplication {
 public:
  void on_events(LcoreContext& context, std::span<const transport::Event> events) override {
    const uint64_t turn = lcore->stats().loops.value();
    const uint64_t sent = lcore->stats().tx_frames.value();
    if (turn == last_turn_ && sent > last_sent_) answered_between.fetch_add(1);
    last_turn_ = turn;
    last_sent_ = sent;
    echo.on_events(context, events);
  }
  Lcore* lcore = nullptr;
  EchoApplication echo;
  std::atomic<uint64_t> answered_between{0};

 private:
  uint64_t last_turn_ = UINT64_MAX;
  uint64_t last_sent_ = 0;
};

TEST(LcoreParts, the_first_of_a_burst_is_answered_before_the_last_is_read) {
  ASSERT_NE(test_eal(), nullptr);
  EngineConfig config = test_pair("parts");
  CallApplication client(64, 1'000'000'000, 64);
  PartsApplication server;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&server};
  config.nodes[0].endpoint.bundling = config.nodes[1].endpoint.bundling = false;
  EngineImpl engine(std::move(config));
  ASSERT_TRUE(engine.open().ok());
  server.lcore = engine.nodes[1]->lcores()[0].get();
  ASSERT_TRUE(engine.start().ok());
  engine.nodes[0]->control().connect(test_request(), [](absl::StatusOr<SessionInfo>) {});
  ASSERT_TRUE(eventually([&] { return client.completed > 100; }));
  // While the server's lcore is held, calls gather in its port: more than one part.
  const uint64_t before = server.answered_between;
  ASSERT_TRUE(server.lcore->run_and_wait([&](Lcore&, LcoreContext&) {
    const Lcore& other = *engine.nodes[0]->lcores()[0];
    EXPECT_TRUE(eventually([&] {
      const uint64_t sent = other.stats().tx_frames.value();
      return sent >= server.lcore->stats().rx_frames.value() + 2 * limits::kPartWeight;
    }));
  }));
  EXPECT_TRUE(eventually([&] { return server.answered_between > before; }));
  client.go = false;
}

}  // namespace
}  // namespace sluice::engine
