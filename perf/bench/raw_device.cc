// SPDX-License-Identifier: Apache-2.0
//
// The raw device with nothing on top of it, in the shapes of the measurements of sluice: one packet
// going round, 60 packets going round, and a one-way flow of packets that are written by one side
// and read by the other.
// usage: raw_device [EAL arguments] -- ring [--seconds=S]
//        raw_device [EAL arguments] --vdev=net_memif0,... -- serve
//        raw_device [EAL arguments] --vdev=net_memif0,... -- call [--seconds=S]
// `ring` is two lcores of one process; `serve` and `call` are one lcore each, on EAL's only port.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_memcpy.h>
#include <rte_ring.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "arguments.h"
#include "latencies.h"

namespace {

using sluice::bench::Arguments;
using sluice::bench::Latencies;

constexpr uint16_t kBurst = 32;
constexpr uint16_t kMostOutstanding = 64;
constexpr unsigned kRingSize = 1024;
constexpr double kDefaultSeconds = 0.5;  // Of each shape.
constexpr double kLinkSeconds = 10;
// What the server does with a packet depends on its length.
constexpr uint16_t kEchoed = 64;
constexpr uint16_t kRecord = 1400;
constexpr uint16_t kStop = 60;

uint8_t payload[kRecord];
volatile uint8_t sink;

struct End {
  uint16_t port = 0;
  rte_mempool* pool = nullptr;
};

// Sends all, trying again while the device is full.
void send_all(uint16_t port, rte_mbuf** packets, uint16_t count) {
  for (uint16_t sent = 0; sent < count;) {
    sent = static_cast<uint16_t>(
        sent + rte_eth_tx_burst(port, 0, packets + sent, static_cast<uint16_t>(count - sent)));
  }
}

// Echoes short packets and reads long ones, until it is told to stop.
int serve(void* argument) {
  const uint16_t port = static_cast<End*>(argument)->port;
  rte_mbuf* packets[kBurst];
  uint8_t copy[kRecord];
  for (;;) {
    const uint16_t count = rte_eth_rx_burst(port, 0, packets, kBurst);
    uint16_t echoed = 0;
    bool stop = false;
    for (uint16_t i = 0; i < count; ++i) {
      const uint16_t length = rte_pktmbuf_data_len(packets[i]);
      if (length == kEchoed) {
        packets[echoed++] = packets[i];
        continue;
      }
      stop = stop || length == kStop;
      rte_memcpy(copy, rte_pktmbuf_mtod(packets[i], const void*), length);
      sink = copy[length - 1];
      rte_pktmbuf_free(packets[i]);
    }
    if (echoed > 0) send_all(port, packets, echoed);
    if (stop) return 0;
  }
}

uint64_t cycles(double seconds) {
  return static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
}

// Packets of one length, all their bytes there.
void make_packets(const End& end, rte_mbuf** packets, uint16_t count, uint16_t length) {
  while (rte_pktmbuf_alloc_bulk(end.pool, packets, count) != 0) {
  }
  for (uint16_t i = 0; i < count; ++i) rte_pktmbuf_append(packets[i], length);
}

// Keeps `window` packets going round; prints the rate, and with one packet the round trip.
void round_trips(const End& end, uint16_t window, double seconds, const char* name) {
  static Latencies trips;
  rte_mbuf* packets[kMostOutstanding];
  make_packets(end, packets, window, kEchoed);
  const uint64_t begun = rte_rdtsc();
  const uint64_t until = begun + cycles(seconds);
  uint64_t received = 0;
  uint64_t sent_at = begun;
  send_all(end.port, packets, window);
  for (uint64_t now = begun; now < until;) {
    const uint16_t count = rte_eth_rx_burst(end.port, 0, packets, kBurst);
    now = rte_rdtsc();
    if (count == 0) continue;
    if (window == 1) trips.record(now - sent_at);
    sent_at = now;
    received += count;
    send_all(end.port, packets, count);
  }
  for (uint16_t left = window; left > 0;) {
    const uint16_t count = rte_eth_rx_burst(end.port, 0, packets, kBurst);
    if (count > 0) rte_pktmbuf_free_bulk(packets, count);
    left = static_cast<uint16_t>(left - count);
  }
  const double hz = static_cast<double>(rte_get_tsc_hz());
  std::printf("%s.rate %.0f packets/s\n", name, static_cast<double>(received) / seconds);
  if (window > 1) return;
  std::printf("%s.p50 %.1f ns\n", name, trips.quantile(0.5) * 1e9 / hz);
  std::printf("%s.p99 %.1f ns\n", name, trips.quantile(0.99) * 1e9 / hz);
}

// Writes packets of a record's length as fast as the other side takes them. What was sent has been
// read but for one ring's worth.
void one_way(const End& end, double seconds) {
  rte_mbuf* packets[kBurst];
  uint64_t sent = 0;
  const uint64_t until = rte_rdtsc() + cycles(seconds);
  while (rte_rdtsc() < until) {
    make_packets(end, packets, kBurst, kRecord);
    for (rte_mbuf* packet : packets) {
      rte_memcpy(rte_pktmbuf_mtod(packet, void*), payload, kRecord);
    }
    send_all(end.port, packets, kBurst);
    sent += kBurst;
  }
  std::printf("raw.one_way_1400 %.0f bit/s\n", static_cast<double>(sent) * kRecord * 8 / seconds);
}

void measure(const End& end, double seconds) {
  round_trips(end, 1, seconds, "raw.one_outstanding");
  round_trips(end, 60, seconds, "raw.sixty_outstanding");
  one_way(end, seconds);
  rte_mbuf* last[1];
  make_packets(end, last, 1, kStop);
  send_all(end.port, last, 1);
}

bool start_port(const End& end) {
  const rte_eth_conf config = {};
  return rte_eth_dev_configure(end.port, 1, 1, &config) == 0 &&
         rte_eth_rx_queue_setup(end.port, 0, kRingSize, SOCKET_ID_ANY, nullptr, end.pool) == 0 &&
         rte_eth_tx_queue_setup(end.port, 0, kRingSize, SOCKET_ID_ANY, nullptr) == 0 &&
         rte_eth_dev_start(end.port) == 0;
}

// Both ends in this process, joined by two rings.
int run_ring(rte_mempool* pool, double seconds) {
  const unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
  rte_ring* there = rte_ring_create("there", kRingSize, SOCKET_ID_ANY, flags);
  rte_ring* back = rte_ring_create("back", kRingSize, SOCKET_ID_ANY, flags);
  if (there == nullptr || back == nullptr || rte_lcore_count() != 2) return 1;
  const int client = rte_eth_from_rings("client", &back, 1, &there, 1, SOCKET_ID_ANY);
  const int server = rte_eth_from_rings("server", &there, 1, &back, 1, SOCKET_ID_ANY);
  if (client < 0 || server < 0) return 1;
  const End here = {static_cast<uint16_t>(client), pool};
  End other = {static_cast<uint16_t>(server), pool};
  if (!start_port(here) || !start_port(other)) return 1;
  rte_eal_remote_launch(serve, &other, rte_get_next_lcore(-1, 1, 0));
  measure(here, seconds);
  rte_eal_mp_wait_lcore();
  return 0;
}

bool wait_for_link(uint16_t port) {
  const uint64_t until = rte_rdtsc() + cycles(kLinkSeconds);
  rte_eth_link link = {};
  while (rte_rdtsc() < until) {
    if (rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// One end of EAL's port. The driver unmaps the memory of a peer that goes under whoever polls it,
// so the server leaves first, when it is told, and the client polls no more by then.
int run_port(End end, bool server, double seconds) {
  if (!start_port(end)) return 1;
  if (server) {
    std::printf("ready\n");
    std::fflush(stdout);
  }
  if (!wait_for_link(end.port)) return 1;
  if (server) return serve(&end);
  measure(end, seconds);
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  return 0;
}

int run(const std::string& role, const Arguments& arguments) {
  rte_mempool* pool =
      rte_pktmbuf_pool_create("raw", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool == nullptr) return 1;
  if (role != "ring" && rte_eth_dev_count_avail() != 1) return 1;
  const double seconds = arguments.real("seconds", kDefaultSeconds);
  if (role == "ring") return run_ring(pool, seconds);
  const End end = {0, pool};
  const int status = run_port(end, role == "serve", seconds);
  // EAL's own clean-up would leave the socket's file behind, which the next server trips over.
  rte_eth_dev_stop(end.port);
  rte_eth_dev_close(end.port);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const int taken = rte_eal_init(argc, argv);
  const std::string role = taken >= 0 && argc > taken + 1 ? argv[taken + 1] : "";
  if (role != "ring" && role != "serve" && role != "call") {
    std::fprintf(stderr, "usage: raw_device [EAL arguments] -- ring|serve|call [--seconds=S]\n");
    return 2;
  }
  const int status = run(role, Arguments(argc - taken, argv + taken, 2));
  if (status != 0) {
    std::fprintf(stderr,
                 "raw_device: no port, no peer or no memory: give -m 128, for ring two lcores, "
                 "else one --vdev with a peer\n");
  }
  rte_eal_cleanup();
  return status;
}
