// SPDX-License-Identifier: Apache-2.0
//
// The raw device: DPDK's net_ring between two lcores with nothing on top of it, in the same shapes
// as the measurements of sluice: one packet going round, 60 packets going round, and a one-way flow
// of packets that are written by one side and read by the other.
// usage: raw_ring [EAL arguments]
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_memcpy.h>
#include <rte_ring.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

namespace {

constexpr uint16_t kBurst = 32;
constexpr unsigned kRingSize = 1024;
constexpr double kSecondsEach = 0.5;
constexpr uint16_t kRecord = 1400;

struct Bench {
  rte_mempool* pool = nullptr;
  uint16_t client = 0;
  uint16_t server = 0;
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> received{0};
};

Bench bench;
uint8_t payload[kRecord];
volatile uint8_t sink;

// Sends all, trying again while the ring is full.
void send_all(uint16_t port, rte_mbuf** packets, uint16_t count) {
  uint16_t sent = 0;
  while (sent < count && !bench.stop.load(std::memory_order_relaxed)) {
    sent = static_cast<uint16_t>(
        sent + rte_eth_tx_burst(port, 0, packets + sent, static_cast<uint16_t>(count - sent)));
  }
  rte_pktmbuf_free_bulk(packets + sent, static_cast<unsigned>(count - sent));
}

int echo_server(void* /*argument*/) {
  rte_mbuf* packets[kBurst];
  while (!bench.stop.load(std::memory_order_relaxed)) {
    const uint16_t count = rte_eth_rx_burst(bench.server, 0, packets, kBurst);
    if (count > 0) send_all(bench.server, packets, count);
  }
  return 0;
}

int reading_server(void* /*argument*/) {
  rte_mbuf* packets[kBurst];
  uint8_t copy[kRecord];
  uint64_t total = 0;
  while (!bench.stop.load(std::memory_order_relaxed)) {
    const uint16_t count = rte_eth_rx_burst(bench.server, 0, packets, kBurst);
    for (uint16_t i = 0; i < count; ++i) {
      rte_memcpy(copy, rte_pktmbuf_mtod(packets[i], const void*), kRecord);
      sink = copy[i];
    }
    if (count > 0) rte_pktmbuf_free_bulk(packets, count);
    total += count;
    bench.received.store(total, std::memory_order_relaxed);
  }
  return 0;
}

uint64_t cycles(double seconds) {
  return static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
}

// Keeps `window` packets going round; prints the rate, and with one packet the round trip.
void round_trips(uint16_t window, const char* name) {
  rte_mbuf* packets[64];
  if (rte_pktmbuf_alloc_bulk(bench.pool, packets, window) != 0) return;
  for (uint16_t i = 0; i < window; ++i) rte_pktmbuf_append(packets[i], 64);
  std::vector<uint64_t> times;
  times.reserve(8'000'000);
  const uint64_t begun = rte_rdtsc();
  const uint64_t end = begun + cycles(kSecondsEach);
  uint64_t trips = 0;
  uint64_t sent_at = begun;
  send_all(bench.client, packets, window);
  for (uint64_t now = begun; now < end;) {
    const uint16_t count = rte_eth_rx_burst(bench.client, 0, packets, kBurst);
    now = rte_rdtsc();
    if (count == 0) continue;
    if (times.size() < times.capacity()) times.push_back(now - sent_at);
    sent_at = now;
    trips += count;
    send_all(bench.client, packets, count);
  }
  const double hz = static_cast<double>(rte_get_tsc_hz());
  std::printf("%s.rate %.0f /s\n", name, static_cast<double>(trips) / kSecondsEach);
  if (window > 1 || times.empty()) return;
  std::sort(times.begin(), times.end());
  std::printf("%s.p50 %.1f ns\n", name, static_cast<double>(times[times.size() / 2]) * 1e9 / hz);
}

// Writes packets of a record's length as fast as the other side takes them.
void one_way() {
  rte_mbuf* packets[kBurst];
  const uint64_t end = rte_rdtsc() + cycles(kSecondsEach);
  while (rte_rdtsc() < end) {
    if (rte_pktmbuf_alloc_bulk(bench.pool, packets, kBurst) != 0) continue;
    for (rte_mbuf* packet : packets)
      rte_memcpy(rte_pktmbuf_append(packet, kRecord), payload, kRecord);
    send_all(bench.client, packets, kBurst);
  }
  const double bits = static_cast<double>(bench.received.load()) * kRecord * 8 / kSecondsEach;
  std::printf("raw.one_way_1400 %.0f bit/s\n", bits);
}

void drain(uint16_t port) {
  rte_mbuf* packets[kBurst];
  for (uint16_t count = 1; count > 0;) {
    count = rte_eth_rx_burst(port, 0, packets, kBurst);
    if (count > 0) rte_pktmbuf_free_bulk(packets, count);
  }
}

template <class Client>
void run(int (*server)(void*), Client client) {
  const unsigned worker = rte_get_next_lcore(-1, 1, 0);
  bench.stop = false;
  bench.received = 0;
  rte_eal_remote_launch(server, nullptr, worker);
  client();
  bench.stop = true;
  rte_eal_wait_lcore(worker);
  drain(bench.client);
  drain(bench.server);
}

bool start_port(uint16_t port) {
  const rte_eth_conf config = {};
  return rte_eth_dev_configure(port, 1, 1, &config) == 0 &&
         rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, nullptr, bench.pool) == 0 &&
         rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, nullptr) == 0 &&
         rte_eth_dev_start(port) == 0;
}

bool make_ports() {
  const unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
  bench.pool =
      rte_pktmbuf_pool_create("raw", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  rte_ring* there = rte_ring_create("there", kRingSize, SOCKET_ID_ANY, flags);
  rte_ring* back = rte_ring_create("back", kRingSize, SOCKET_ID_ANY, flags);
  if (bench.pool == nullptr || there == nullptr || back == nullptr) return false;
  const int client = rte_eth_from_rings("client", &back, 1, &there, 1, SOCKET_ID_ANY);
  const int server = rte_eth_from_rings("server", &there, 1, &back, 1, SOCKET_ID_ANY);
  if (client < 0 || server < 0) return false;
  bench.client = static_cast<uint16_t>(client);
  bench.server = static_cast<uint16_t>(server);
  return start_port(bench.client) && start_port(bench.server);
}

}  // namespace

int main(int argc, char** argv) {
  if (rte_eal_init(argc, argv) < 0 || rte_lcore_count() != 2 || !make_ports()) {
    std::fprintf(stderr, "raw_ring: needs two lcores and some memory: -l 0,1 --no-huge -m 128\n");
    return 1;
  }
  run(echo_server, [] { round_trips(1, "raw.one_outstanding"); });
  run(echo_server, [] { round_trips(60, "raw.sixty_outstanding"); });
  run(reading_server, one_way);
  rte_eal_cleanup();
  return 0;
}
