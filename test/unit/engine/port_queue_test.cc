// SPDX-License-Identifier: Apache-2.0
#include "engine/port_queue.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <memory>

#include "engine/node.h"
#include "engine/port.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

// Two queues on the ends of a cable that holds 255 frames each way.
class PortQueueTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(test_eal(), nullptr);
    pool = pools.make("queue", 2047, 2048, -1);
    ASSERT_NE(pool, nullptr);
    for (int end = 0; end < 2; ++end) ASSERT_TRUE(cables.add_end("q", 1, 256).ok());
    for (size_t end = 0; end < 2; ++end) {
      PortConfig config;
      config.device = "pair:q";
      config.addresses = {*parse_ip_prefix("10.0.0." + std::to_string(end + 1) + "/24")};
      config.descriptors = 256;
      auto port = Port::open(config, "n", 1, &cables);
      ASSERT_TRUE(port.ok()) << port.status();
      ASSERT_TRUE((*port)->configure({pool}, 7000, wire::Encapsulation::kUdp).ok());
      ASSERT_TRUE((*port)->start().ok());
      ports[end] = *std::move(port);
      queues[end] = std::make_unique<PortQueue>(PortQueue::Setup{.port_id = ports[end]->id(),
                                                                 .rx_queues = {0},
                                                                 .tx_queue = 0,
                                                                 .pool = pool,
                                                                 .stats = &stats[end]});
    }
  }
  void TearDown() override {
    for (auto& queue : queues) queue.reset();
    for (auto& port : ports) port.reset();
  }

  void send(size_t count, base::Nanos now) {
    std::array<rte_mbuf*, PortQueue::kMaxSend> frames{};
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, frames.data(), static_cast<unsigned>(count)), 0);
    for (size_t i = 0; i < count; ++i) {
      std::memset(rte_pktmbuf_append(frames[i], 60), 0x3c, 60);
    }
    queues[0]->send({frames.data(), count}, now);
  }
  size_t receive(base::Nanos now) {
    std::array<rte_mbuf*, PortQueue::kReceiveSlots> frames;
    const size_t count = queues[1]->receive(frames, now);
    rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(count));
    return count;
  }
  size_t receive_all(base::Nanos now) {
    size_t sum = 0;
    for (size_t got = receive(now); got > 0; got = receive(now)) sum += got;
    return sum;
  }

  PoolBox pools;
  CableBox cables;
  rte_mempool* pool = nullptr;
  std::unique_ptr<Port> ports[2];
  LcoreStats stats[2];
  std::unique_ptr<PortQueue> queues[2];
};

TEST_F(PortQueueTest, frames_arrive) {
  send(5, base::micros(1));
  EXPECT_FALSE(queues[0]->blocked());
  EXPECT_EQ(receive(base::micros(2)), 5u);
  EXPECT_EQ(stats[0].tx_frames.value(), 5u);
  EXPECT_EQ(stats[0].tx_bytes.value(), 300u);
}

TEST_F(PortQueueTest, what_the_device_does_not_take_is_kept_and_sent_later) {
  size_t sent = 0;
  while (!queues[0]->blocked()) {
    send(32, base::micros(1));
    sent += 32;
  }
  EXPECT_EQ(stats[0].tx_blocked.value(), 1u);
  EXPECT_FALSE(queues[0]->flush(base::micros(2)));
  EXPECT_EQ(receive_all(base::micros(3)), 255u);
  EXPECT_TRUE(queues[0]->flush(base::micros(4)));
  EXPECT_FALSE(queues[0]->blocked());
  EXPECT_EQ(receive_all(base::micros(5)), sent - 255);
  EXPECT_EQ(stats[0].drop_stuck.value(), 0u);
}

TEST_F(PortQueueTest, what_stays_stuck_is_dropped_and_counted) {
  while (!queues[0]->blocked()) send(32, base::micros(1));
  const base::Nanos late = base::micros(1) + limits::kPortPatience + base::micros(1);
  queues[0]->flush(late);
  EXPECT_FALSE(queues[0]->blocked());
  EXPECT_GT(stats[0].drop_stuck.value(), 0u);
}

TEST_F(PortQueueTest, faults_lie_between_lcore_and_port) {
  queues[0]->install_faults(true, make_fault_injector(pool, {.duplicate_ppm = 1'000'000}));
  queues[1]->install_faults(false, make_fault_injector(pool, {.loss_ppm = 1'000'000}));
  send(10, base::micros(1));
  EXPECT_EQ(stats[0].tx_frames.value(), 20u);
  EXPECT_EQ(receive_all(base::micros(2)), 0u);
  EXPECT_EQ(queues[1]->faults(false)->stats().lost.value(), 20u);
  queues[1]->faults(false)->configure({.corrupt_ppm = 1'000'000});
  send(1, base::micros(3));
  std::array<rte_mbuf*, PortQueue::kReceiveSlots> frames;
  ASSERT_EQ(queues[1]->receive(frames, base::micros(4)), 2u);
  size_t bits = 0;
  for (int i = 0; i < 60; ++i) {
    bits +=
        static_cast<size_t>(__builtin_popcount(rte_pktmbuf_mtod(frames[0], uint8_t*)[i] ^ 0x3c));
  }
  EXPECT_EQ(bits, 1u);
  rte_pktmbuf_free_bulk(frames.data(), 2);
}

TEST_F(PortQueueTest, delayed_frames_leave_by_flush) {
  queues[0]->install_faults(true, make_fault_injector(pool, {.delay = base::micros(50)}));
  send(3, base::micros(100));
  EXPECT_EQ(receive_all(base::micros(101)), 0u);
  queues[0]->flush(base::micros(149));
  EXPECT_EQ(receive_all(base::micros(149)), 0u);
  queues[0]->flush(base::micros(150));
  EXPECT_EQ(receive_all(base::micros(150)), 3u);
}

TEST_F(PortQueueTest, captures_both_directions) {
  const std::string path = testing::TempDir() + "sluice-port-queue.pcap";
  auto capture = Capture::open(path, 1u << 20, 1);
  ASSERT_TRUE(capture.ok());
  PortQueue queue({.port_id = ports[0]->id(),
                   .rx_queues = {0},
                   .tx_queue = 0,
                   .capture = (*capture)->ring(0),
                   .pool = pool,
                   .stats = &stats[0]});
  std::array<rte_mbuf*, PortQueue::kReceiveSlots> frames;
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, frames.data(), 2), 0);
  for (size_t i = 0; i < 2; ++i) rte_pktmbuf_append(frames[i], 60);
  queue.send({frames.data(), 2}, base::micros(1));
  EXPECT_EQ(receive(base::micros(1)), 2u);
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, frames.data(), 1), 0);
  rte_pktmbuf_append(frames[0], 60);
  queues[1]->send({frames.data(), 1}, base::micros(2));
  ASSERT_EQ(queue.receive(frames, base::micros(3)), 1u);
  rte_pktmbuf_free(frames[0]);
  EXPECT_EQ((*capture)->recorded(), 3u);
  capture->reset();
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sluice::engine
