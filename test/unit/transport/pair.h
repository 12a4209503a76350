// SPDX-License-Identifier: Apache-2.0
//
// The first test bench: two endpoints joined back to back on virtual time, by a link that can
// lose, duplicate, reorder, corrupt and delay, all from one seed.
#ifndef SLUICE_TEST_UNIT_TRANSPORT_PAIR_H_
#define SLUICE_TEST_UNIT_TRANSPORT_PAIR_H_

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "crypto/boringssl/module.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "transport/endpoint.h"
#include "wire/esp.h"

namespace sluice::transport {

// Faults of one direction, in parts per million of packets.
struct LinkFaults {
  uint32_t loss_ppm = 0;
  uint32_t duplicate_ppm = 0;
  uint32_t reorder_ppm = 0;
  uint32_t corrupt_ppm = 0;
  base::Nanos delay = base::micros(5);
  base::Nanos reorder_by = base::micros(20);
  uint32_t mtu = 1452;  // Larger Sluice packets vanish.
};

// Payload as a function of (seed, offset), so that any byte can be checked without being stored.
inline uint8_t content_byte(uint64_t seed, uint64_t offset) {
  uint64_t z = seed + (offset >> 3) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  return static_cast<uint8_t>(z >> ((offset & 7) * 8));
}
inline std::vector<uint8_t> content(uint64_t seed, uint32_t length) {
  std::vector<uint8_t> bytes(length);
  for (uint32_t i = 0; i < length; ++i) bytes[i] = content_byte(seed, i);
  return bytes;
}
inline bool content_matches(uint64_t seed, const uint8_t* bytes, uint32_t length,
                            uint32_t offset = 0) {
  for (uint32_t i = 0; i < length; ++i) {
    if (bytes[i] != content_byte(seed, offset + i)) return false;
  }
  return true;
}

// What became of a command that starts an exchange.
struct SubmitResult {
  ExchangeRef exchange;
  base::Code code = base::Code::kOk;
  bool ok() const { return code == base::Code::kOk; }
};

class Pair {
 public:
  static constexpr int kClient = 0;
  static constexpr int kServer = 1;

  // Called for every event of a side; the default server echoes requests and releases one-ways.
  using EventHandler = std::function<void(const Event&)>;

  explicit Pair(EndpointConfig client = {}, EndpointConfig server = {}, uint64_t seed = 1)
      : prng_(seed) {
    module_ = sluice_boringssl_v1();
    backend_ = crypto::make_ipsec_mb_backend();
    for (EndpointConfig* config : {&client, &server}) {
      config->arena_bytes = std::min<uint64_t>(config->arena_bytes, 16u << 20);
      config->max_exchanges = std::min(config->max_exchanges, 4096u);
      config->max_lanes = std::min(config->max_lanes, 8u);
    }
    configs_[0] = client;
    configs_[1] = server;
    for (int side = 0; side < 2; ++side) restart(side);
    handlers_[kClient] = [this](const Event& event) { default_client(event); };
    handlers_[kServer] = [this](const Event& event) { default_server(event); };
  }

  // Throws the side's endpoint away and makes a new, empty one.
  void restart(int side) {
    sides_[side] = std::make_unique<Endpoint>(configs_[side], backend_.get(), &module_->primitives);
    lanes_[side] = {};
  }

  // Seals with another backend from now on; both sides begin anew.
  void use_backend(std::unique_ptr<crypto::AeadBackend> backend) {
    for (auto& side : sides_) side.reset();
    backend_ = std::move(backend);
    for (int side = 0; side < 2; ++side) restart(side);
  }

  // Installs one lane on both sides, as a handshake would, from a secret made of `seed`.
  void connect(uint64_t seed = 7, uint8_t lane = 0,
               crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kAes128Gcm) {
    for (int side = 0; side < 2; ++side) install(side, seed, lane, algorithm);
  }
  void install(int side, uint64_t seed, uint8_t lane,
               crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kAes128Gcm) {
    crypto::Secret secret;
    base::Prng bytes(seed);
    for (auto& b : secret.bytes) b = static_cast<uint8_t>(bytes.next_u64());
    InstallLane command;
    const auto base = static_cast<uint32_t>(1000 + seed);
    const uint32_t id[2] = {base, equal_session_ids ? base : base + 1000};
    command.local_session = base::SessionId(id[side]);
    command.remote_session = base::SessionId(id[1 - side]);
    command.lane = lane;
    command.initiator = side == kClient;
    command.algorithm = algorithm;
    crypto::derive_lane_secrets(module_->primitives, secret, command.initiator, lane,
                                &command.secrets);
    command.peer_max_packet = configs_[1 - side].max_packet;
    command.peer_unscheduled_bytes = configs_[1 - side].unscheduled_bytes;
    command.peer_max_message = configs_[1 - side].max_message;
    command.records = configs_[1 - side].record_mode;
    command.padded = configs_[0].padding || configs_[1].padding;
    if (configs_[0].esp && configs_[1].esp) {
      command.esp = {wire::kEspSpis * id[side], wire::kEspSpis * id[1 - side], 253};
    }
    ASSERT_EQ(sides_[side]->submit(command, now_, &lanes_[side]), base::Code::kOk);
  }

  Endpoint& client() { return *sides_[kClient]; }
  Endpoint& server() { return *sides_[kServer]; }
  Endpoint& side(int which) { return *sides_[which]; }
  LaneRef lane(int which) const { return lanes_[which]; }
  base::Nanos now() const { return now_; }
  void set_handler(int which, EventHandler handler) { handlers_[which] = std::move(handler); }
  LinkFaults& faults(int from) { return faults_[from]; }
  void set_faults(const LinkFaults& faults) { faults_[0] = faults_[1] = faults; }
  // Sees every packet before the faults do; may change it; false drops it.
  std::function<bool(int from, std::vector<uint8_t>*)> tap;
  // Both sides happen to choose the same session id.
  bool equal_session_ids = false;
  // The lane that call() and send_one_way() use from now on: the latest installed otherwise.
  void use_lane(int side, LaneRef lane) { lanes_[side] = lane; }

  // Starts an RPC with known content; the tag names it in calls().
  SubmitResult call(uint64_t tag, uint32_t length, base::Nanos timeout = base::seconds(10),
                    Landing landing = {}, uint16_t service = 1, uint64_t early_id = 0) {
    sent_[tag] = content(tag, length);
    SendRequest command;
    command.lane = lanes_[kClient];
    command.service = service;
    command.data = sent_[tag].data();
    command.length = length;
    command.deadline = base::after(now_, timeout);
    command.user = tag;
    command.response = landing;
    command.early_id = early_id;
    SubmitResult result;
    result.code = client().submit(command, now_, &result.exchange);
    return result;
  }
  // As if the handshake had brought the request of `tag` to the server.
  base::Code take_early(uint64_t tag, uint32_t length, uint64_t id) {
    const std::vector<uint8_t> bytes = content(tag, length);
    return server().submit(TakeEarly{.lane = lanes_[kServer],
                                     .id = id,
                                     .service = 1,
                                     .data = bytes.data(),
                                     .length = static_cast<uint16_t>(length)},
                           now_);
  }
  SubmitResult send_one_way(uint64_t tag, uint32_t length, bool lazy_ack = false) {
    sent_[tag] = content(tag, length);
    SendOneWay command;
    command.lane = lanes_[kClient];
    command.data = sent_[tag].data();
    command.length = length;
    command.user = tag;
    command.lazy_ack = lazy_ack;
    SubmitResult result;
    result.code = client().submit(command, now_, &result.exchange);
    return result;
  }

  struct Outcome {
    base::Code code = base::Code::kOk;
    bool intact = false;
    bool may_have_executed = false;
    uint32_t length = 0;
    int completions = 0;
  };
  std::map<uint64_t, Outcome>& outcomes() { return outcomes_; }
  size_t completed() const { return outcomes_.size(); }
  uint64_t executed = 0;  // Requests that the default server answered.
  uint64_t oneways_received = 0;
  bool server_saw_corruption = false;

  // Drives both sides until `done` or until `limit` of virtual time has passed.
  bool run(const std::function<bool()>& done, base::Nanos limit = base::seconds(30)) {
    const base::Nanos end = base::after(now_, limit);
    while (!done()) {
      if (now_ >= end) return false;
      step(end);
    }
    return true;
  }
  void run_for(base::Nanos time) {
    run([] { return false; }, time);
  }
  // The side is not driven for so long, as when its thread has lost its CPU: its timers wait, and
  // what arrives lies in its port and is received after the timers have fired.
  void stall(int side, base::Nanos time) { stalled_until_[side] = base::after(now_, time); }
  bool quiet() const { return sides_[0]->idle() && sides_[1]->idle() && wire_.empty(); }

  // Gives a packet to a side now, as if it had arrived.
  Verdict inject(int to, std::vector<uint8_t> bytes) {
    RxPacket packet;
    packet.data = bytes.data();
    packet.length = static_cast<uint32_t>(bytes.size());
    sides_[to]->on_rx({&packet, 1}, now_);
    pump_events(to);
    return packet.verdict;
  }
  uint64_t packets_carried() const { return packets_; }
  uint64_t esp_packets_carried() const { return esp_packets_; }  // Among them.
  const EndpointConfig& config(int which) const { return configs_[which]; }

  crypto::AeadBackend* backend() { return backend_.get(); }
  const crypto::Primitives* primitives() const { return &module_->primitives; }

 private:
  struct InFlight {
    int to;
    std::vector<uint8_t> bytes;
    bool esp = false;
  };

  bool stalled(int side) const { return now_ < stalled_until_[side]; }

  void step(base::Nanos end) {
    for (int side = 0; side < 2; ++side) {
      if (stalled(side)) continue;
      sides_[side]->on_deadline(now_);
      pump_events(side);
      transmit(side);
    }
    base::Nanos next = end;
    if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
    for (int side = 0; side < 2; ++side) {
      next = std::min(next, stalled(side) ? stalled_until_[side] : sides_[side]->next_deadline());
    }
    now_ = std::max(next, base::after(now_, base::nanos(1)));
    deliver();
  }

  void deliver() {
    std::vector<RxPacket> bursts[2];
    std::vector<std::vector<uint8_t>> keep;
    keep.reserve(64);
    while (!wire_.empty() && wire_.begin()->first <= now_ && keep.size() < 64) {
      InFlight packet = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      if (now_ <= stalled_until_[packet.to]) {
        wire_.emplace(base::after(stalled_until_[packet.to], base::nanos(1)), std::move(packet));
        continue;
      }
      keep.push_back(std::move(packet.bytes));
      RxPacket rx;
      rx.data = keep.back().data();
      if (packet.esp) {
        rx.esp_length = static_cast<uint16_t>(keep.back().size());
      } else {
        rx.length = static_cast<uint32_t>(keep.back().size());
      }
      bursts[packet.to].push_back(rx);
    }
    for (int side = 0; side < 2; ++side) {
      if (bursts[side].empty()) continue;
      sides_[side]->on_rx(bursts[side], now_);
      pump_events(side);
    }
  }

  void transmit(int from) {
    size_t used;
    do {
      std::array<TxPacket, kSlots> slots{};
      for (size_t i = 0; i < kSlots; ++i) {
        slots[i].data = &buffers_[i * kBufferBytes + wire::kEspHeaderSize];
        slots[i].capacity = configs_[from].max_packet;
      }
      used = sides_[from]->poll_tx(slots, now_);
      for (size_t i = 0; i < used; ++i) {
        carry(from, {slots[i].data, slots[i].data + slots[i].length}, slots[i].piece == kWholeEsp);
      }
    } while (used == kSlots);
  }

  void carry(int from, std::vector<uint8_t> bytes, bool esp) {
    ++packets_;
    esp_packets_ += esp ? 1 : 0;
    const LinkFaults& f = faults_[from];
    if (tap && !tap(from, &bytes)) return;
    const size_t most = f.mtu + (esp ? wire::kEspOverheadMax : 0);
    if (bytes.size() > most || chance(f.loss_ppm)) return;
    if (chance(f.corrupt_ppm)) {
      bytes[prng_.uniform(bytes.size())] ^= static_cast<uint8_t>(1u << prng_.uniform(8));
    }
    base::Nanos at = base::after(now_, f.delay);
    if (chance(f.reorder_ppm)) {
      at = base::after(at, base::Nanos(prng_.uniform(f.reorder_by.value() + 1)));
    }
    if (chance(f.duplicate_ppm)) {
      wire_.emplace(base::after(at, base::Nanos(prng_.uniform(20000))),
                    InFlight{1 - from, bytes, esp});
    }
    wire_.emplace(at, InFlight{1 - from, std::move(bytes), esp});
  }
  bool chance(uint32_t ppm) { return ppm != 0 && prng_.uniform(1'000'000) < ppm; }

  void pump_events(int which) {
    Event events[16];
    size_t count;
    do {
      count = sides_[which]->poll_events(events);
      for (size_t i = 0; i < count; ++i) handlers_[which](events[i]);
    } while (count != 0);
  }

  void default_client(const Event& event) {
    if (event.kind != EventKind::kCallDone && event.kind != EventKind::kSendDone) return;
    Outcome& outcome = outcomes_[event.user];
    ++outcome.completions;
    outcome.code = event.code;
    outcome.may_have_executed = event.may_have_executed;
    outcome.length = event.length;
    outcome.intact = event.data != nullptr && event.length == sent_[event.user].size() &&
                     std::memcmp(event.data, sent_[event.user].data(), event.length) == 0;
    if (event.kind == EventKind::kCallDone) {
      EXPECT_EQ(client().submit(ReleaseMessage{event.exchange}, now_), base::Code::kOk);
    }
  }

  // Echoes. A long response is copied to the arena, as a handler that fills its answer would.
  void default_server(const Event& event) {
    if (event.kind == EventKind::kOneWay) {
      ++oneways_received;
      EXPECT_EQ(server().submit(ReleaseMessage{event.exchange}, now_), base::Code::kOk);
    }
    if (event.kind != EventKind::kRequest || event.data == nullptr) return;
    ++executed;
    Respond respond;
    respond.exchange = event.exchange;
    respond.data = event.data;
    respond.length = event.length;
    if (event.length > kInlineBytes) {
      uint8_t* copy = server().allocate(event.length);
      if (copy == nullptr) {
        --executed;
        const Reject refusal{event.exchange, base::Code::kResourceExhausted};
        EXPECT_EQ(server().submit(refusal, now_), base::Code::kOk);
        return;
      }
      std::memcpy(copy, event.data, event.length);
      respond.data = copy;
      respond.owned = true;
    }
    server().submit(respond, now_);
  }

  static constexpr size_t kSlots = 32;
  static constexpr size_t kBufferBytes = 9216;

  EndpointConfig configs_[2];
  std::vector<uint8_t> buffers_ = std::vector<uint8_t>(kSlots * kBufferBytes);
  const crypto::BoringsslModule* module_ = nullptr;
  std::unique_ptr<crypto::AeadBackend> backend_;
  std::unique_ptr<Endpoint> sides_[2];
  LaneRef lanes_[2];
  EventHandler handlers_[2];
  LinkFaults faults_[2];
  base::Prng prng_;
  base::Nanos now_ = base::seconds(1);
  base::Nanos stalled_until_[2];
  std::multimap<base::Nanos, InFlight> wire_;
  std::map<uint64_t, std::vector<uint8_t>> sent_;
  std::map<uint64_t, Outcome> outcomes_;
  uint64_t packets_ = 0;
  uint64_t esp_packets_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_TEST_UNIT_TRANSPORT_PAIR_H_
