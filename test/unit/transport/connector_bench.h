// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_UNIT_TRANSPORT_CONNECTOR_BENCH_H_
#define SLUICE_TEST_UNIT_TRANSPORT_CONNECTOR_BENCH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../crypto/handshake_support.h"
#include "base/prng.h"
#include "crypto/boringssl/module.h"
#include "crypto/psk_handshake.h"
#include "transport/connector.h"
#include "wire/header.h"

namespace sluice::transport::connector_test {

inline constexpr base::Nanos kStart = base::seconds(1000);

inline PeerAddress address_of(uint32_t host, uint16_t port = 4000) {
  return {wire::IpAddress::from_v4(0x0a000000 | host), port};
}

inline ConnectorConfig config_of(bool accept) {
  ConnectorConfig out;
  out.parameters.base_port = 4000;
  out.parameters.lanes = 2;
  out.parameters.aeads = {crypto::AeadAlgorithm::kAes128Gcm, crypto::AeadAlgorithm::kAes256Gcm};
  out.accept = accept;
  return out;
}

// One endpoint's connector with all that it needs; events are gathered as they come.
class Node {
 public:
  Node(PeerAddress where, const ConnectorConfig& config, uint64_t seed, uint8_t key = 1,
       bool allow_self = false)
      : address(where),
        random_(seed),
        mechanism_({crypto::test::psk_of(key)}, &sluice_boringssl_v1()->primitives,
                   random_.source(), allow_self),
        connector(config, &mechanism_, &sluice_boringssl_v1()->primitives, random_.source()) {}

  // With a mechanism of the test's, which outlives the node.
  Node(PeerAddress where, const ConnectorConfig& config, uint64_t seed,
       crypto::HandshakeMechanism* other)
      : address(where),
        random_(seed),
        mechanism_({crypto::test::psk_of(1)}, &sluice_boringssl_v1()->primitives, random_.source(),
                   false),
        connector(config, other, &sluice_boringssl_v1()->primitives, random_.source()) {}

  void collect() {
    ConnectorEvent slots[8];
    for (size_t n; (n = connector.poll_events(slots)) > 0;) {
      for (size_t i = 0; i < n; ++i) events.push_back(std::move(slots[i]));
    }
  }
  std::vector<const ConnectorEvent*> of_kind(ConnectorEventKind kind) const {
    std::vector<const ConnectorEvent*> out;
    for (const auto& event : events) {
      if (event.kind == kind) out.push_back(&event);
    }
    return out;
  }
  std::vector<const ConnectorEvent*> established() const {
    return of_kind(ConnectorEventKind::kEstablished);
  }
  std::vector<const ConnectorEvent*> failed() const { return of_kind(ConnectorEventKind::kFailed); }
  std::vector<HandshakePacket> drain() {
    std::vector<HandshakePacket> out;
    HandshakePacket slots[16];
    for (size_t n; (n = connector.poll_tx(slots)) > 0;) {
      for (size_t i = 0; i < n; ++i) out.push_back(std::move(slots[i]));
    }
    return out;
  }

  const PeerAddress address;
  std::vector<ConnectorEvent> events;

 private:
  crypto::test::SeededRandom random_;
  crypto::PskMechanism mechanism_;

 public:
  Connector connector;
};

// What the network does to packets, in parts per million each.
struct Faults {
  uint32_t loss = 0;
  uint32_t duplicate = 0;
  uint32_t corrupt = 0;
  base::Nanos delay_min = base::micros(10);
  base::Nanos delay_max = base::micros(10);
};

// Joins nodes on virtual time.
class Network {
 public:
  explicit Network(uint64_t seed = 1, Faults with = {}) : faults(with), prng_(seed) {}

  void attach(Node* node) { nodes_[node->address] = node; }
  void detach(const PeerAddress& address) { nodes_.erase(address); }

  // Called for each packet that enters the network; false swallows it.
  std::function<bool(const PeerAddress& from, HandshakePacket* packet)> tap;

  // Puts a packet into the network as if `from` had sent it.
  void inject(const PeerAddress& from, HandshakePacket packet) {
    const uint64_t spread = faults.delay_max.value() - faults.delay_min.value() + 1;
    const base::Nanos arrival =
        base::after(now, faults.delay_min + base::Nanos(prng_.uniform(spread)));
    in_flight_.emplace(arrival, std::make_pair(from, std::move(packet)));
  }

  // Runs until `end`, or until nothing is left to happen before it.
  void run_until(base::Nanos end) {
    for (;;) {
      gather();
      base::Nanos next = base::Nanos::max();
      if (!in_flight_.empty()) next = in_flight_.begin()->first;
      for (const auto& [address, node] : nodes_) {
        next = std::min(next, node->connector.next_deadline());
      }
      if (next > end) break;
      now = std::max(now, next);
      step();
    }
    now = std::max(now, end);
  }
  void run_for(base::Nanos time) { run_until(base::after(now, time)); }

  base::Nanos now = kStart;
  Faults faults;

 private:
  void gather() {
    for (const auto& [address, node] : nodes_) {
      for (HandshakePacket& packet : node->drain()) {
        if (tap && !tap(address, &packet)) continue;
        send(address, std::move(packet));
      }
      node->collect();
    }
  }

  void send(const PeerAddress& from, HandshakePacket packet) {
    if (prng_.chance_ppm(faults.loss)) return;
    if (prng_.chance_ppm(faults.corrupt)) {
      const size_t at = prng_.uniform(packet.bytes.size());
      packet.bytes[at] = static_cast<uint8_t>(packet.bytes[at] ^ (1u << prng_.uniform(8)));
    }
    if (prng_.chance_ppm(faults.duplicate)) inject(from, packet);
    inject(from, std::move(packet));
  }

  void step() {
    while (!in_flight_.empty() && in_flight_.begin()->first <= now) {
      auto [from, packet] = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      const auto to = nodes_.find(packet.to);
      if (to != nodes_.end()) to->second->connector.on_packet(from, packet.bytes, now);
    }
    for (const auto& [address, node] : nodes_) node->connector.on_deadline(now);
  }

  base::Prng prng_;
  std::map<PeerAddress, Node*> nodes_;
  std::multimap<base::Nanos, std::pair<PeerAddress, HandshakePacket>> in_flight_;
};

inline crypto::HandshakeType type_of(const HandshakePacket& packet) {
  return static_cast<crypto::HandshakeType>(packet.bytes.at(wire::offsets::kMessageType));
}

inline uint64_t attempt_of(const HandshakePacket& packet) {
  return wire::HandshakeHeader::parse(packet.bytes.data(), packet.bytes.size())->connection_id;
}

// A client at 10.0.0.1 and a server at 10.0.0.2, in one network.
struct Bench {
  explicit Bench(uint64_t seed = 1, Faults faults = {}, uint8_t client_key = 1,
                 uint8_t server_key = 1, const ConnectorConfig& client_config = config_of(false),
                 const ConnectorConfig& server_config = config_of(true))
      : network(seed, faults),
        client(address_of(1), client_config, 2 * seed + 1000, client_key),
        server(address_of(2), server_config, 2 * seed + 1001, server_key) {
    network.attach(&client);
    network.attach(&server);
  }

  ConnectId connect(base::Nanos within = base::seconds(5)) {
    const auto result =
        client.connector.connect(server.address, base::after(network.now, within), network.now);
    return result.code == base::Code::kOk ? result.id : ConnectId();
  }

  Network network;
  Node client;
  Node server;
};

}  // namespace sluice::transport::connector_test

#endif  // SLUICE_TEST_UNIT_TRANSPORT_CONNECTOR_BENCH_H_
