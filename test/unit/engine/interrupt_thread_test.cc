// SPDX-License-Identifier: Apache-2.0
#include "engine/interrupt_thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <sys/mman.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "engine/node.h"
#include "engine/port.h"
#include "engine/port_queue.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

// Numbers that no lcore of the test program has.
constexpr uint32_t kFirst = RTE_MAX_LCORE - 1;
constexpr uint32_t kSecond = RTE_MAX_LCORE - 2;
constexpr auto kSoon = std::chrono::milliseconds(20);
constexpr auto kLong = std::chrono::seconds(30);

bool ready(const std::future<void>& future, std::chrono::milliseconds limit) {
  return future.wait_for(limit) == std::future_status::ready;
}

class InterruptThread : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(test_eal(), nullptr); }
};

TEST_F(InterruptThread, runs_what_it_is_given_and_is_waited_for) {
  int runs = 0;
  EXPECT_EQ(rte_thread_is_intr(), 0);
  run_on_interrupt_thread([&] {
    runs += rte_thread_is_intr() != 0 ? 1 : 100;
    run_on_interrupt_thread([&] { ++runs; });  // From there it is a plain call.
  });
  EXPECT_EQ(runs, 2);
}

TEST_F(InterruptThread, nobody_who_polls_is_nobody_to_wait_for) {
  { const PollingTurns gone(kFirst); }
  wait_for_bursts();
}

TEST_F(InterruptThread, bursts_end_when_each_lcore_has_ended_two_turns) {
  PollingTurns first(kFirst);
  PollingTurns second(kSecond);
  const auto waiting = std::async(std::launch::async, [] { wait_for_bursts(); });
  EXPECT_FALSE(ready(waiting, kSoon));
  first.end_turn();
  first.end_turn();
  second.end_turn();
  EXPECT_FALSE(ready(waiting, kSoon)) << "the second lcore's first end may be an old one";
  second.end_turn();
  // The one who waits counts from when its thread got a CPU, which may be now.
  EXPECT_TRUE(ready(waiting, kSoon) || eventually([&] {
                first.end_turn();
                second.end_turn();
                return ready(waiting, std::chrono::milliseconds(1));
              }));
}

TEST_F(InterruptThread, bursts_end_when_an_lcore_stops) {
  auto lcore = std::make_unique<PollingTurns>(kFirst);
  const auto waiting = std::async(std::launch::async, [] { wait_for_bursts(); });
  EXPECT_FALSE(ready(waiting, kSoon));
  lcore.reset();
  EXPECT_TRUE(ready(waiting, kLong));
}

TEST_F(InterruptThread, nobody_waits_for_an_lcore_that_sleeps) {
  PollingTurns lcore(kFirst);
  lcore.pause();
  wait_for_bursts();
  lcore.resume();
  const auto waiting = std::async(std::launch::async, [] { wait_for_bursts(); });
  EXPECT_FALSE(ready(waiting, kSoon));
  lcore.pause();
  EXPECT_TRUE(ready(waiting, kLong));
}

TEST_F(InterruptThread, only_unmapping_there_waits_and_is_counted) {
  constexpr size_t kBytes = 4096;
  const auto map = [] {
    return mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  PollingTurns lcore(kFirst);
  const uint32_t before = unmap_count();
  EXPECT_EQ(__wrap_munmap(map(), kBytes), 0);
  EXPECT_EQ(unmap_count(), before);
  void* memory = map();
  const auto unmapping = std::async(std::launch::async, [memory] {
    run_on_interrupt_thread([memory] { __wrap_munmap(memory, kBytes); });
  });
  // However long the interrupt thread waits for a CPU.
  EXPECT_TRUE(eventually([&] { return unmap_count() == before + 1; }))
      << "an lcore is told before it is waited for";
  EXPECT_FALSE(ready(unmapping, kSoon));
  *static_cast<volatile uint8_t*>(memory) = 1;  // Still there.
  EXPECT_TRUE(eventually([&] {
    lcore.end_turn();
    return ready(unmapping, std::chrono::milliseconds(1));
  }));
  EXPECT_NE(msync(memory, kBytes, MS_ASYNC), 0) << "now it is gone";
}

// The two ends of a memif cable, one of which is polled all the time.
class Plugging : public InterruptThread {
 protected:
  void SetUp() override {
    InterruptThread::SetUp();
    pool_ = pools_.make("plugging", 4095, 2048, -1);
    ASSERT_NE(pool_, nullptr);
    server_ = open("net_memif70,role=server", "10.0.0.1/24");
    ASSERT_NE(server_, nullptr);
  }
  void TearDown() override {
    server_.reset();
    run_on_interrupt_thread([this] { sched_setaffinity(0, sizeof(all_cpus_), &all_cpus_); });
  }

  std::unique_ptr<Port> open(const std::string& device, const std::string& address) {
    PortConfig config;
    config.device = device + ",rsize=6,socket-abstract=no,socket=" + socket_;
    config.addresses = {*parse_ip_prefix(address)};
    config.descriptors = 64;
    auto port = Port::open(config, "n", 1, &cables_);
    EXPECT_TRUE(port.ok()) << port.status();
    if (!port.ok()) return nullptr;
    EXPECT_TRUE((*port)->configure({pool_}, 7000, wire::Encapsulation::kUdp).ok());
    const absl::Status started = (*port)->start();
    EXPECT_TRUE(started.ok()) << started;
    return *std::move(port);
  }

  // As an lcore does: receives, sends, and ends its turn.
  void poll(const std::atomic<bool>& stop) {
    PollingTurns turns(kFirst);
    LcoreStats stats;
    PortQueue queue({.port_id = server_->id(),
                     .rx_queues = {0},
                     .tx_queue = 0,
                     .driven_by_peer = server_->driven_by_peer(),
                     .pool = pool_,
                     .stats = &stats});
    std::array<rte_mbuf*, PortQueue::kReceiveSlots> frames;
    uint64_t now = 0;
    while (!stop) {
      const base::Nanos time = base::micros(++now);
      queue.flush(time);
      rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(queue.receive(frames, time)));
      rte_mbuf* frame = queue.blocked() ? nullptr : rte_pktmbuf_alloc(pool_);
      if (frame != nullptr) {
        rte_pktmbuf_append(frame, 1500);
        queue.send({&frame, 1}, time);
      }
      turns.end_turn();
    }
  }

  static bool wait_for_link(const Port& port, bool up) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (port.link_up() != up) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
  }

  // The lcore and the interrupt thread on one CPU: the one is cut short by the other.
  void share_cpu(std::thread* lcore) {
    sched_getaffinity(0, sizeof(all_cpus_), &all_cpus_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &all_cpus_)) CPU_SET(cpu, &one);
    }
    pthread_setaffinity_np(lcore->native_handle(), sizeof(one), &one);
    run_on_interrupt_thread([&] { sched_setaffinity(0, sizeof(one), &one); });
  }

  const std::string socket_ = testing::TempDir() + "sluice-plugging.sock";
  cpu_set_t all_cpus_{};
  PoolBox pools_;
  CableBox cables_;
  rte_mempool* pool_ = nullptr;
  std::unique_ptr<Port> server_;
};

TEST_F(Plugging, a_peer_comes_and_goes_in_the_middle_of_bursts) {
  std::atomic<bool> stop{false};
  std::thread lcore([&] { poll(stop); });
  share_cpu(&lcore);
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    auto client = open("net_memif71,role=client", "10.0.0.2/24");
    if (client == nullptr) break;
    EXPECT_TRUE(client->driven_by_peer());
    EXPECT_TRUE(wait_for_link(*server_, true));
    client.reset();
    EXPECT_TRUE(wait_for_link(*server_, false));
  }
  stop = true;
  lcore.join();
}

TEST_F(Plugging, a_stopped_port_is_closed_and_keeps_its_figures) {
  auto client = open("net_memif71,role=client", "10.0.0.2/24");
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(wait_for_link(*server_, true));
  std::atomic<bool> stop{false};
  std::thread lcore([&] { poll(stop); });
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (server_->stats().tx_packets == 0 && std::chrono::steady_clock::now() < end) {
    // Only as it receives does a memif client offer buffers to be sent into.
    std::array<rte_mbuf*, 32> frames;
    const uint16_t count = rte_eth_rx_burst(client->id(), 0, frames.data(), frames.size());
    rte_pktmbuf_free_bulk(frames.data(), count);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  stop = true;
  lcore.join();
  const uint64_t sent = server_->stats().tx_packets;
  EXPECT_GT(sent, 0u);
  server_->stop();
  EXPECT_EQ(server_->stats().tx_packets, sent);
  EXPECT_FALSE(server_->link_up());
  EXPECT_TRUE(wait_for_link(*client, false));
}

}  // namespace
}  // namespace sluice::engine
