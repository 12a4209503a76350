// SPDX-License-Identifier: Apache-2.0
//
// A network whose hosts send what a test says and remember what comes.
#ifndef SLUICE_TEST_UNIT_SIM_NETWORK_RIG_H_
#define SLUICE_TEST_UNIT_SIM_NETWORK_RIG_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/network.h"
#include "sim/random.h"

namespace sluice::sim {

inline constexpr Picos kMicrosecond(1'000'000);

struct ArrivalRecord {
  Picos time;
  Packet packet;  // As it was; its bytes are gone.
};

class RecordingHost : public HostPort {
 public:
  explicit RecordingHost(Network* network) : network_(network) {}

  void on_packet(PacketHandle handle, Picos now) override {
    EXPECT_EQ(now, network_->now());
    arrivals.push_back({now, network_->pool()[handle]});
    network_->pool().release(handle);
  }
  void on_ring_room(Picos now) override {
    room_calls.push_back(now);
    if (when_room) when_room();
  }
  void on_wake(Picos now, uint64_t cookie) override {
    EXPECT_EQ(now, network_->now());
    wakes.push_back({now, cookie});
    if (when_woken) when_woken(now, cookie);
  }

  std::vector<ArrivalRecord> arrivals;
  std::vector<Picos> room_calls;
  std::vector<std::pair<Picos, uint64_t>> wakes;
  std::function<void()> when_room;
  std::function<void(Picos, uint64_t)> when_woken;

 private:
  Network* network_;
};

struct Rig {
  Rig(const Topology& topology, const NetworkConfig& config)
      : network(topology, with_small_pool(config)) {
    for (uint32_t h = 0; h < topology.hosts; ++h) {
      hosts.push_back(std::make_unique<RecordingHost>(&network));
      network.attach(h, hosts.back().get());
    }
  }
  explicit Rig(absl::string_view topology, const NetworkConfig& config = {})
      : Rig(*topology_named(topology), config) {}

  // Sends now; what the host's ring refuses is released. `mend` may change the packet before.
  bool send(uint32_t src, uint32_t dst, uint32_t wire_bytes = 1538,
            const std::function<void(Packet&)>& mend = nullptr) {
    const PacketHandle handle = network.pool().allocate();
    EXPECT_NE(handle, kNoPacket);
    Packet& packet = network.pool()[handle];
    packet.wire_bytes = wire_bytes;
    packet.length = wire_bytes > kFramingBytes ? wire_bytes - kFramingBytes : 0;
    packet.src = static_cast<uint16_t>(src);
    packet.dst = static_cast<uint16_t>(dst);
    if (mend) mend(packet);
    if (network.send(src, handle)) return true;
    network.pool().release(handle);
    return false;
  }

  // Sanitizers look at every byte of what is allocated.
  static NetworkConfig with_small_pool(NetworkConfig config) {
    config.packets = 1u << 15;
    config.buffer_bytes = 64;
    return config;
  }

  // Everything that is under way arrives or is lost.
  void drain() {
    network.run_until(Picos::max());
    EXPECT_TRUE(network.conserved());
    EXPECT_EQ(network.in_flight(), 0u);
    EXPECT_EQ(network.pool().live(), 0u);
  }

  uint64_t arrivals() const {
    uint64_t count = 0;
    for (const auto& host : hosts) count += host->arrivals.size();
    return count;
  }

  Network network;
  std::vector<std::unique_ptr<RecordingHost>> hosts;
};

// Sends packets to random other hosts at random times until a time, on every host of a rig.
class UniformTraffic {
 public:
  UniformTraffic(Rig* rig, Picos mean_gap, Picos until, uint64_t seed) : rig_(rig) {
    const uint32_t hosts = static_cast<uint32_t>(rig->hosts.size());
    for (uint32_t h = 0; h < hosts; ++h) {
      auto random = std::make_shared<Random>(seed, Stream::kFirstFree, h);
      rig->hosts[h]->when_woken = [this, h, hosts, random, mean_gap, until](Picos now, uint64_t) {
        const uint64_t other = random->below(hosts - 1);
        const uint64_t draw = random->next();
        send(h, static_cast<uint32_t>(other + (other >= h)), draw);
        const Picos next = now + random->exponential(mean_gap);
        if (next < until) rig_->network.wake_at(h, next, 0);
      };
      rig->network.wake_at(h, Picos(h), 0);
    }
  }

 private:
  void send(uint32_t src, uint32_t dst, uint64_t draw) {
    const uint32_t bytes = (draw & 1) != 0 ? 1538 : 84 + static_cast<uint32_t>(draw >> 32) % 1400;
    rig_->send(src, dst, bytes, [&](Packet& packet) {
      packet.priority = (draw >> 8) & 7;
      packet.entropy = static_cast<uint16_t>(draw >> 16) % 4;
      packet.user = sent_++;
    });
  }

  Rig* rig_;
  uint64_t sent_ = 0;
};

}  // namespace sluice::sim

#endif  // SLUICE_TEST_UNIT_SIM_NETWORK_RIG_H_
