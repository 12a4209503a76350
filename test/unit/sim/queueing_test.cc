// SPDX-License-Identifier: Apache-2.0
//
// The network against what queueing theory says of it.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "sim/network.h"
#include "sim/random.h"

namespace sluice::sim {
namespace {

struct TrafficClass {
  double load = 0;  // Of the bottleneck, by this class of all sources together.
  uint32_t wire_bytes = 1538;
  uint8_t priority = 0;
};

// Waiting times of packets by class.
struct Waits {
  std::vector<double> sum;
  std::vector<uint64_t> count;

  double mean(size_t cls) const { return sum[cls] / static_cast<double>(count[cls]); }
};

// Sends the classes as Poisson streams to one host, which notes how long each packet waited beyond
// the time it takes in an empty network.
class PoissonHost : public HostPort {
 public:
  PoissonHost(Network* network, uint32_t host, uint32_t sink, Waits* waits)
      : network_(network),
        host_(host),
        sink_(sink),
        waits_(waits),
        random_(1, Stream::kFirstFree, host) {}

  // `gap` is the mean time between this host's packets of that class.
  void add(const TrafficClass& traffic, Picos gap) {
    const auto path = path_between(network_->topology(), host_, sink_);
    streams_.push_back({traffic, gap, unloaded_packet(path, traffic.wire_bytes)});
    network_->wake_at(host_, random_.exponential(gap), streams_.size() - 1);
  }

  void on_packet(PacketHandle handle, Picos now) override {
    const Packet& packet = network_->pool()[handle];
    const size_t cls = packet.user >> 32;
    const Picos unloaded(packet.rank);
    const Picos wait = now - packet.born - unloaded;
    if (packet.born > warm_up) {
      waits_->sum[cls] += static_cast<double>(wait.value());
      ++waits_->count[cls];
    }
    network_->pool().release(handle);
  }
  void on_ring_room(Picos) override {}
  void on_wake(Picos now, uint64_t cls) override {
    const PoissonStream& stream = streams_[cls];
    const PacketHandle handle = network_->pool().allocate();
    ASSERT_NE(handle, kNoPacket);
    Packet& packet = network_->pool()[handle];
    packet.wire_bytes = stream.traffic.wire_bytes;
    packet.src = static_cast<uint16_t>(host_);
    packet.dst = static_cast<uint16_t>(sink_);
    packet.priority = stream.traffic.priority;
    packet.user = cls << 32;
    packet.rank = stream.unloaded.value();
    ASSERT_TRUE(network_->send(host_, handle));
    network_->wake_at(host_, now + random_.exponential(stream.gap), cls);
  }

  Picos warm_up{1'000'000'000};

 private:
  struct PoissonStream {
    TrafficClass traffic;
    Picos gap;
    Picos unloaded;
  };

  Network* network_;
  uint32_t host_;
  uint32_t sink_;
  Waits* waits_;
  Random random_;
  std::vector<PoissonStream> streams_;
};

constexpr uint32_t kBottleneckPicosPerByte = 800;  // 10 Gb/s

double service(const TrafficClass& traffic) {
  return double{kBottleneckPicosPerByte} * traffic.wire_bytes;
}

// `sources` hosts on fast links, and a sink on a link of 10 Gb/s, which is the one queue; with a
// single source its own link is the slow one, too, and its ring is the queue.
Waits run(uint32_t sources, const std::vector<TrafficClass>& classes, uint64_t packets) {
  Topology topology = single_switch("bottleneck", {.hosts = sources + 1, .gbps = 800});
  topology.links[sources].gbps = 10;
  if (sources == 1) topology.links[0].gbps = 10;
  NetworkConfig config;
  config.hosts.ring_bytes = 1ull << 40;
  config.packets = 1u << 16;
  config.buffer_bytes = 64;
  Network network(topology, config);
  Waits waits{std::vector<double>(classes.size()), std::vector<uint64_t>(classes.size())};
  std::vector<std::unique_ptr<PoissonHost>> hosts;
  double rate = 0;  // Packets per picosecond, of all.
  for (uint32_t h = 0; h <= sources; ++h) {
    hosts.push_back(std::make_unique<PoissonHost>(&network, h, sources, &waits));
    network.attach(h, hosts.back().get());
    for (const TrafficClass& traffic : classes) {
      if (h == sources) break;
      const double gap = service(traffic) / traffic.load * sources;
      hosts.back()->add(traffic, Picos(static_cast<uint64_t>(gap)));
      rate += 1 / gap;
    }
  }
  network.run_until(Picos(static_cast<uint64_t>(static_cast<double>(packets) / rate)));
  EXPECT_TRUE(network.conserved());
  return waits;
}

// M/D/1 waits for load * service / (2 (1 - load)) on average (Pollaczek and Khinchine).
void expect_m_d_1(uint32_t sources, double load, uint64_t packets) {
  const TrafficClass traffic{.load = load};
  const Waits waits = run(sources, {traffic}, packets);
  const double theory = load * service(traffic) / (2 * (1 - load));
  EXPECT_NEAR(waits.mean(0), theory, 0.02 * theory) << sources << " sources, load " << load;
}

TEST(Queueing, a_ring_is_m_d_1_at_half_load) { expect_m_d_1(1, 0.5, 500'000); }
TEST(Queueing, a_ring_is_m_d_1_at_high_load) { expect_m_d_1(1, 0.8, 2'000'000); }
TEST(Queueing, a_switch_port_is_m_d_1_at_half_load) { expect_m_d_1(20, 0.5, 500'000); }
TEST(Queueing, a_switch_port_is_m_d_1_at_high_load) { expect_m_d_1(20, 0.8, 2'000'000); }

// Cobham's formula for non-preemptive priorities: class k waits for R / ((1 - s(k-1)) (1 - s(k))),
// where s(k) is the load of classes 1 to k, and R what is left of the packet under way, half the
// sum over all classes of rate times the service time squared.
void expect_cobham(const std::vector<TrafficClass>& classes, uint64_t packets) {
  const Waits waits = run(20, classes, packets);
  double left = 0;
  for (const TrafficClass& traffic : classes) left += traffic.load * service(traffic) / 2;
  double before = 0;
  for (size_t cls = 0; cls < classes.size(); ++cls) {
    const double with = before + classes[cls].load;
    const double theory = left / ((1 - before) * (1 - with));
    EXPECT_NEAR(waits.mean(cls), theory, 0.02 * theory) << "class " << cls;
    before = with;
  }
}

TEST(Queueing, priorities_follow_cobham_at_half_load) {
  expect_cobham({{.load = 0.1, .wire_bytes = 200, .priority = 7},
                 {.load = 0.15, .wire_bytes = 1538, .priority = 4},
                 {.load = 0.25, .wire_bytes = 1538, .priority = 0}},
                2'000'000);
}

TEST(Queueing, priorities_follow_cobham_at_high_load) {
  expect_cobham({{.load = 0.2, .wire_bytes = 200, .priority = 7},
                 {.load = 0.3, .wire_bytes = 1538, .priority = 4},
                 {.load = 0.3, .wire_bytes = 1538, .priority = 0}},
                3'000'000);
}

// The gauge of the port agrees with the packets: Little's law, waiting bytes = rate * bytes * wait.
TEST(Queueing, the_mean_queue_is_littles) {
  Topology topology = single_switch("pair", {.hosts = 2, .gbps = 10});
  NetworkConfig config;
  config.hosts.ring_bytes = 1ull << 40;
  Network network(topology, config);
  Waits waits{std::vector<double>(1), std::vector<uint64_t>(1)};
  PoissonHost source(&network, 0, 1, &waits);
  PoissonHost sink(&network, 1, 1, &waits);
  sink.warm_up = source.warm_up = Picos(0);
  network.attach(0, &source);
  network.attach(1, &sink);
  const TrafficClass traffic{.load = 0.7};
  source.add(traffic, Picos(static_cast<uint64_t>(service(traffic) / traffic.load)));
  const Picos end(400'000'000'000);
  network.run_until(end);
  const double bytes_times_wait = waits.sum[0] * traffic.wire_bytes;
  const double mean = network.ports()[0].mean_queue_bytes;
  EXPECT_NEAR(mean, bytes_times_wait / static_cast<double>(end.value()), 0.001 * mean);
}

}  // namespace
}  // namespace sluice::sim
