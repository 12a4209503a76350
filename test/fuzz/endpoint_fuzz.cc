// SPDX-License-Identifier: Apache-2.0
//
// Two endpoints at work on virtual time, between which the input decides everything: what the
// applications do, what is delivered, lost, damaged, repeated and forged, and what a peer that
// holds the keys may say beside the truth. What must hold in the end: once the lanes are closed
// and the applications have let go, nothing is held any more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "crypto/boringssl/module.h"
#include "test/unit/transport/peer.h"
#include "transport/endpoint.h"

namespace {

using namespace sluice;
using transport::Event;
using transport::EventKind;
using transport::PacketData;

constexpr size_t kMaxHeldPackets = 64;
constexpr uint64_t kArenaBytes = 1u << 18;
constexpr uint16_t kStreamed = 2;
constexpr uint16_t kOffered = 3;

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
  // Small numbers mostly, and any number sometimes.
  uint32_t number() {
    const uint8_t width = byte();
    if (width < 200) return width;
    const uint32_t high = word();
    return high << 16 | word();
  }
  PacketData bytes() {
    const size_t size = std::min<size_t>(word() % 1600, rest_.size());
    PacketData out(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(size));
    rest_ = rest_.subspan(size);
    return out;
  }

 private:
  std::span<const uint8_t> rest_;
};

transport::EndpointConfig small_config() {
  transport::EndpointConfig config;
  config.max_exchanges = 24;
  config.max_lanes = 2;
  config.max_reassemblies = 4;
  config.arena_bytes = kArenaBytes;
  config.max_buffered_message = 20000;
  config.unscheduled_bytes = 5000;
  config.max_incoming_bytes = 30000;
  config.grant_increment = 3000;
  config.overcommit = 2;
  config.record_mode = true;
  config.unverified_bytes = 40000;
  return config;
}

class Session {
 public:
  Session() : backend_(crypto::make_boringssl_backend(sluice_boringssl_v1())) {
    const auto& primitives = sluice_boringssl_v1()->primitives;
    const crypto::Secret secret = transport::session_secret(7);
    for (int side = 0; side < 2; ++side) {
      sides_[side] =
          std::make_unique<transport::Endpoint>(small_config(), backend_.get(), &primitives);
      sides_[side]->set_landing(kStreamed, transport::LandingMode::kStream, 16384);
      sides_[side]->set_landing(kOffered, transport::LandingMode::kAsk, 0);
      transport::InstallLane command;
      command.local_session = base::SessionId(100 + side);
      command.remote_session = base::SessionId(101 - side);
      command.initiator = side == 0;
      crypto::derive_lane_secrets(primitives, secret, side == 0, 0, &command.secrets);
      command.peer_max_packet = 1452;
      command.records = true;
      require(sides_[side]->submit(command, now_, &lanes_[side]) == base::Code::kOk);
      liars_.emplace_back(&primitives, backend_.get(), secret, uint8_t{0}, side == 0,
                          crypto::AeadAlgorithm::kAes128Gcm, base::SessionId(101 - side));
      // Its bundles run ahead of the honest ones, within the replay window.
      liars_.back().counter = 1000;
    }
  }

  void act(Input& in) {
    const uint8_t what = in.byte();
    const int side = what & 1;
    switch (what >> 1 & 15) {
      case 0:
        return inject(side, in.bytes());
      case 1: {
        const PacketData clear = in.bytes();
        return inject(1 - side, liars_[side].sealed_bundle(clear, in.bytes()));
      }
      case 2:
        return inject(1 - side, lie(side, in));
      case 3:
        return message(side, in);
      case 10:
        return lie_in_a_record(side, in);
      case 4:
      case 5:
        return start(side, in);
      case 6:
        return answer(side, in);
      case 7:
        return command(side, in);
      case 8:
        return disturb(in);
      case 9:
        deliver(in.byte());
        return;
      default:
        now_ += base::micros(1 + in.byte() * (what & 0x40 ? 200u : 2u));
        deliver(kMaxHeldPackets);
    }
  }

  void finish() {
    for (int side = 0; side < 2; ++side) {
      sides_[side]->submit(transport::CloseLane{lanes_[side], base::Code::kClosed, false}, now_);
      drain(side);
      for (const transport::ExchangeRef& ref : held_[side]) release(side, ref);
      drain(side);
      require(sides_[side]->idle());
      uint8_t* all = sides_[side]->allocate(kArenaBytes);
      require(all != nullptr);
      sides_[side]->release(all);
    }
  }

 private:
  void inject(int to, PacketData packet) {
    transport::RxPacket rx;
    rx.data = packet.data();
    rx.length = static_cast<uint32_t>(packet.size());
    rx.congestion_experienced = (packet.size() & 1) != 0;
    sides_[to]->on_rx({&rx, 1}, now_);
    drain(to);
  }

  // Some of its packets may not come.
  void lie_in_a_record(int side, Input& in) {
    const uint32_t lost = in.byte();
    transport::DataSpec spec;
    const PacketData payload = lie_of(in, &spec);
    uint32_t place = 0;
    for (PacketData& packet : liars_[side].record(spec, payload, in.byte(), 300)) {
      if ((lost >> place++ % 8 & 1) == 0) inject(1 - side, std::move(packet));
    }
  }

  PacketData lie(int side, Input& in) {
    transport::DataSpec spec;
    const PacketData payload = lie_of(in, &spec);
    return liars_[side].data(spec, payload);
  }

  PacketData lie_of(Input& in, transport::DataSpec* out) {
    transport::DataSpec& spec = *out;
    const uint8_t bits = in.byte();
    spec.id = in.number();
    spec.offset = in.number();
    spec.initiator = (bits & 1) != 0;
    spec.one_way = (bits & 2) != 0;
    spec.service = bits >> 2 & 3;
    spec.floor_delta = in.number();
    spec.response_credit = in.number();
    spec.attempt = bits >> 4;
    PacketData payload = in.bytes();
    if (payload.empty()) payload.push_back(0);
    spec.offset %= 1u << 20;  // So that its record index fits.
    spec.message_length = spec.offset + static_cast<uint32_t>(payload.size()) + in.number();
    return payload;
  }

  void message(int side, Input& in) {
    wire::MsgFrame frame{};
    frame.bits = in.byte();
    frame.service = in.byte() & 3;
    frame.id = in.number();
    frame.floor_delta = in.number();
    frame.response_credit = in.number();
    PacketData payload = in.bytes();
    if (payload.empty()) payload.push_back(0);
    inject(1 - side, liars_[side].message(frame, payload));
  }

  void start(int side, Input& in) {
    const uint8_t kind = in.byte();
    const uint32_t length = 1 + in.word() % kMessageBytes;
    const base::Nanos deadline =
        (kind & 0x10) != 0 ? now_ + base::micros(1 + in.word()) : base::Nanos::max();
    if ((kind & 0x20) != 0) {
      sides_[side]->submit(transport::SendOneWay{lanes_[side], uint16_t(kind & 3), message_.data(),
                                                 length, deadline, 1},
                           now_);
      return;
    }
    transport::Landing landing;
    if ((kind & 0x40) != 0) landing = {transport::LandingMode::kStream, 1024, nullptr};
    if ((kind & 0x80) != 0) {
      landing = {transport::LandingMode::kNamed, kMessageBytes, named_.data()};
    }
    transport::ExchangeRef exchange;
    const base::Code code =
        sides_[side]->submit(transport::SendRequest{lanes_[side], uint16_t(kind & 3),
                                                    message_.data(), length, deadline, 1, landing},
                             now_, &exchange);
    if (code == base::Code::kOk) calls_[side].push_back(exchange);
  }

  void answer(int side, Input& in) {
    if (held_[side].empty()) return;
    const transport::ExchangeRef ref = held_[side][in.byte() % held_[side].size()];
    const uint8_t kind = in.byte();
    const uint32_t length = 1 + in.word() % kMessageBytes;
    switch (kind & 3) {
      case 0: {
        uint8_t* memory = sides_[side]->allocate(length);
        if (memory == nullptr) return;
        std::memset(memory, 7, length);
        const auto code =
            sides_[side]->submit(transport::Respond{ref, memory, length, true, 0}, now_);
        // Refused for another cause, the memory is still the application's.
        if (code != base::Code::kOk && code != base::Code::kCancelled) {
          sides_[side]->release(memory);
        }
        return;
      }
      case 1:
        sides_[side]->submit(transport::Respond{ref, message_.data(), length, false, 2}, now_);
        return;
      case 2:
        sides_[side]->submit(transport::Reject{ref, static_cast<base::Code>(kind >> 2 & 15)}, now_);
        return;
      default: {
        const transport::Landing landing =
            (kind & 4) != 0
                ? transport::Landing{transport::LandingMode::kNamed, kMessageBytes, named_.data()}
                : transport::Landing{transport::LandingMode::kStream, 4096, nullptr};
        sides_[side]->submit(transport::Land{ref, landing}, now_);
      }
    }
  }

  void command(int side, Input& in) {
    const uint8_t kind = in.byte();
    if ((kind & 7) == 0) sides_[side]->submit(transport::UpdateKeys{lanes_[side]}, now_);
    if ((kind & 7) == 1) sides_[side]->submit(transport::Suspect{lanes_[side]}, now_);
    if ((kind & 7) == 2 && kind > 250) {
      sides_[side]->submit(transport::CloseLane{lanes_[side]}, now_);
    }
    if ((kind & 7) > 2 && !calls_[side].empty()) {
      const auto& ref = calls_[side][in.byte() % calls_[side].size()];
      if ((kind & 7) < 5) {
        sides_[side]->submit(transport::Cancel{ref}, now_);
      } else {
        sides_[side]->submit(transport::ReleaseMessage{ref}, now_);
      }
    }
    drain(side);
  }

  void disturb(Input& in) {
    if (wire_.empty()) return;
    auto& packet = wire_[in.byte() % wire_.size()];
    const uint8_t kind = in.byte();
    if (kind < 60) packet.bytes.clear();
    if (kind >= 60 && kind < 120 && !packet.bytes.empty()) {
      packet.bytes[in.word() % packet.bytes.size()] ^= static_cast<uint8_t>(kind | 1);
    }
    if (kind >= 120 && kind < 180) wire_.push_back(packet);
    if (kind >= 180) std::swap(packet, wire_.front());
  }

  void deliver(size_t most) {
    for (int side = 0; side < 2; ++side) {
      sides_[side]->on_deadline(now_);
      drain(side);
      transmit(side);
    }
    for (size_t i = 0; i < most && !wire_.empty(); ++i) {
      Flying packet = std::move(wire_.front());
      wire_.pop_front();
      inject(packet.to, std::move(packet.bytes));
    }
  }

  void transmit(int from) {
    PacketData buffer(1452);
    transport::TxPacket slot;
    slot.data = buffer.data();
    slot.capacity = 1452;
    for (int i = 0; i < 200 && sides_[from]->poll_tx({&slot, 1}, now_) == 1; ++i) {
      if (wire_.size() >= kMaxHeldPackets) continue;
      wire_.push_back({1 - from, {buffer.begin(), buffer.begin() + slot.length}});
    }
  }

  void drain(int side) {
    Event event;
    while (sides_[side]->poll_events({&event, 1}) == 1) on_event(side, event);
  }

  void on_event(int side, const Event& event) {
    switch (event.kind) {
      case EventKind::kRequest:
      case EventKind::kOffer:
        held_[side].push_back(event.exchange);
        read(event);
        break;
      case EventKind::kOneWay:
        read(event);
        if (event.last) {
          sides_[side]->submit(transport::ReleaseMessage{event.exchange}, now_);
        } else {
          held_[side].push_back(event.exchange);
        }
        break;
      case EventKind::kCallDone:
        read(event);
        require(sides_[side]->submit(transport::ReleaseMessage{event.exchange}, now_) ==
                base::Code::kOk);
        break;
      case EventKind::kStream:
        read(event);
        if (!event.last) {
          sides_[side]->submit(transport::Consume{event.exchange, event.length}, now_);
        }
        break;
      default:
        break;
    }
  }

  // Every byte shown must be readable.
  static void read(const Event& event) {
    uint32_t sum = 0;
    for (uint32_t i = 0; event.data != nullptr && i < event.length; ++i) sum += event.data[i];
    volatile uint32_t sink = sum;
    static_cast<void>(sink);
  }

  void release(int side, const transport::ExchangeRef& ref) {
    if (sides_[side]->submit(transport::ReleaseMessage{ref}, now_) == base::Code::kOk) return;
    sides_[side]->submit(transport::Reject{ref, base::Code::kCancelled}, now_);
  }

  static constexpr uint32_t kMessageBytes = 40000;
  struct Flying {
    int to;
    PacketData bytes;
  };

  std::unique_ptr<crypto::AeadBackend> backend_;
  std::unique_ptr<transport::Endpoint> sides_[2];
  transport::LaneRef lanes_[2];
  std::vector<transport::Peer> liars_;
  std::vector<transport::ExchangeRef> held_[2];
  std::vector<transport::ExchangeRef> calls_[2];
  std::deque<Flying> wire_;
  std::vector<uint8_t> message_ = std::vector<uint8_t>(kMessageBytes, 3);
  std::vector<uint8_t> named_ = std::vector<uint8_t>(kMessageBytes);
  base::Nanos now_ = base::seconds(1);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, std::min<size_t>(size, 16384));
  Session session;
  while (!in.empty()) session.act(in);
  session.finish();
  return 0;
}
