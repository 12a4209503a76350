// SPDX-License-Identifier: Apache-2.0
//
// Handshakes under an arbitrary network. The first byte picks the target: a parser alone, or two
// connectors between which the input decides what is delivered, damaged, repeated, lost, forged
// and when. What must hold in the end: bounded state, and no session that only one side believes
// to share a secret with the other.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <vector>

#include "base/prng.h"
#include "crypto/boringssl/module.h"
#include "crypto/psk.h"
#include "crypto/psk_handshake.h"
#include "crypto/psk_messages.h"
#include "transport/connector.h"

namespace {

using namespace sluice;

constexpr size_t kMaxHeldPackets = 256;

void require(bool condition) {
  if (!condition) std::abort();
}

// The input, read from the front; zeros once it is used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}
  bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t out = rest_[0];
    rest_ = rest_.subspan(1);
    return out;
  }
  uint16_t word() {
    const unsigned high = byte();
    return static_cast<uint16_t>((high << 8) | byte());
  }
  std::span<const uint8_t> take(size_t size) {
    const auto out = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  std::span<const uint8_t> rest() const { return rest_; }

 private:
  std::span<const uint8_t> rest_;
};

void fill_random(void* context, uint8_t* out, size_t size) {
  auto* prng = static_cast<base::Prng*>(context);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(prng->next_u64());
}

transport::ConnectorConfig config_of(bool accept) {
  transport::ConnectorConfig out;
  out.parameters.base_port = 4000;
  out.parameters.aeads = {crypto::AeadAlgorithm::kAes128Gcm};
  out.accept = accept;
  out.max_sessions = 8;
  out.max_attempts = 4;
  out.max_pending = 4;
  return out;
}

struct Node {
  Node(uint32_t host, uint64_t seed, bool accept)
      : address{wire::IpAddress::from_v4(0x0a000000 | host), 4000},
        prng(seed),
        mechanism({crypto::Psk(std::vector<uint8_t>(32, 7))}, primitives(), source(), false),
        connector(config_of(accept), &mechanism, primitives(), source()) {}

  static const crypto::Primitives* primitives() { return &sluice_boringssl_v1()->primitives; }
  crypto::RandomSource source() { return {&fill_random, &prng}; }

  transport::PeerAddress address;
  base::Prng prng;
  crypto::PskMechanism mechanism;
  transport::Connector connector;
};

class World {
 public:
  void run(Input* input) {
    client_.connector.connect(server_.address, base::after(now_, base::seconds(5)), now_);
    for (int step = 0; step < 400 && !input->empty(); ++step) {
      act(input);
      gather(&client_);
      gather(&server_);
      check_bounds();
    }
    check_sessions();
  }

 private:
  struct Packet {
    transport::PeerAddress from;
    transport::HandshakePacket packet;
  };

  void act(Input* input) {
    const uint8_t action = input->byte();
    switch (action % 8) {
      case 0:
      case 1:
        return deliver(input->byte(), true);
      case 2:
        return deliver(input->byte(), false);
      case 3:
        return damage(input);
      case 4:
        if (!held_.empty()) held_.erase(held_.begin() + pick(input->byte()));
        return;
      case 5:
        now_ = base::after(now_, base::micros(uint64_t{input->word()} * 50));
        client_.connector.on_deadline(now_);
        return server_.connector.on_deadline(now_);
      case 6: {
        Node& to = (action & 8) != 0 ? client_ : server_;
        Node& from = (action & 8) != 0 ? server_ : client_;
        return to.connector.on_packet(from.address, input->take(input->word() % 1300), now_);
      }
      default:
        client_.connector.connect(server_.address, base::after(now_, base::seconds(1)), now_);
    }
  }

  ptrdiff_t pick(uint8_t choice) const { return static_cast<ptrdiff_t>(choice % held_.size()); }

  void deliver(uint8_t choice, bool remove) {
    if (held_.empty()) return;
    const ptrdiff_t at = pick(choice);
    const Packet packet = held_[static_cast<size_t>(at)];
    if (remove) held_.erase(held_.begin() + at);
    Node& to = packet.packet.to == client_.address ? client_ : server_;
    to.connector.on_packet(packet.from, packet.packet.bytes, now_);
  }

  // Writes over a stretch of a held packet, and perhaps cuts it.
  void damage(Input* input) {
    if (held_.empty()) return;
    auto& bytes = held_[static_cast<size_t>(pick(input->byte()))].packet.bytes;
    if (bytes.empty()) return;
    const size_t at = input->word() % bytes.size();
    const auto patch = input->take(input->byte() % 16);
    for (size_t i = 0; i < patch.size() && at + i < bytes.size(); ++i) bytes[at + i] = patch[i];
    if (input->byte() % 8 == 0) bytes.resize(at);
  }

  void gather(Node* node) {
    transport::HandshakePacket packets[16];
    for (size_t n; (n = node->connector.poll_tx(packets)) > 0;) {
      for (size_t i = 0; i < n && held_.size() < kMaxHeldPackets; ++i) {
        held_.push_back({node->address, std::move(packets[i])});
      }
    }
    transport::ConnectorEvent events[8];
    for (size_t n; (n = node->connector.poll_events(events)) > 0;) {
      for (size_t i = 0; i < n; ++i) {
        if (events[i].kind != transport::ConnectorEventKind::kEstablished) continue;
        auto& side = node == &client_ ? client_sessions_ : server_sessions_;
        require(side.emplace(events[i].result.local.session_id, events[i].result).second);
      }
    }
  }

  void check_bounds() const {
    for (const Node* node : {&client_, &server_}) {
      require(node->connector.session_ids().used() <= 8);
      require(node->connector.attempts() <= 4);
      require(node->connector.pending() <= 4);
      require(node->connector.lingering() <= 4);
    }
  }

  // The client establishes last, so each of its sessions has its other half.
  void check_sessions() const {
    for (const auto& [id, result] : client_sessions_) {
      const auto other = server_sessions_.find(result.peer.session_id);
      require(other != server_sessions_.end());
      require(other->second.secrets.secret.bytes == result.secrets.secret.bytes);
      require(other->second.agreement == result.agreement);
      require(other->second.peer == result.local && other->second.local == result.peer);
    }
  }

  base::Nanos now_ = base::seconds(100);
  Node client_{1, 11, false};
  Node server_{2, 12, true};
  std::vector<Packet> held_;
  std::map<base::SessionId, crypto::HandshakeResult> client_sessions_;
  std::map<base::SessionId, crypto::HandshakeResult> server_sessions_;
};

void parse_block(std::span<const uint8_t> bytes) {
  const auto decoded = crypto::decode_parameters(bytes);
  if (!decoded) return;
  const auto* selection = decoded->selection ? &*decoded->selection : nullptr;
  const auto encoded = crypto::encode_parameters(decoded->parameters, selection);
  const auto again = crypto::decode_parameters(encoded);
  require(again && again->parameters == decoded->parameters &&
          again->selection == decoded->selection);
}

void parse_messages(std::span<const uint8_t> bytes) {
  if (const auto hello = crypto::decode_hello(bytes)) {
    const auto joined = crypto::join_hello(hello->core, hello->padding, hello->binder);
    require(std::equal(joined.begin(), joined.end(), bytes.begin(), bytes.end()));
  }
  if (const auto server = crypto::decode_server_hello(bytes)) {
    require(server->core.size() + server->mac.size() == bytes.size());
  }
  if (const auto hello = transport::split_hello_fragment(bytes)) {
    require(1 + hello->token.size() + hello->fragment.size() == bytes.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  switch (input.byte() % 8) {
    case 0:
      parse_block(input.rest());
      return 0;
    case 1:
      parse_messages(input.rest());
      return 0;
    case 2: {
      const auto result = crypto::parse_psk(input.rest());
      require(result.ok() == (result.key.size() >= base::limits::kMinPskBytes));
      return 0;
    }
    default: {
      World world;
      world.run(&input);
      return 0;
    }
  }
}
