// SPDX-License-Identifier: Apache-2.0
//
// The transport alone, to be counted or timed: two endpoints joined back to back in one thread, on
// virtual time, without a device or an application.
#ifndef SLUICE_PERF_TRANSPORT_BENCH_H_
#define SLUICE_PERF_TRANSPORT_BENCH_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "crypto/boringssl/module.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "transport/endpoint.h"

namespace sluice::transport {

inline constexpr size_t kBurst = 32;
inline constexpr uint32_t kPacketBytes = 2048;
inline constexpr uint32_t kPacketCapacity = 1452;

struct Work {
  uint32_t message = 64;
  uint32_t outstanding = 1;
  bool one_way = false;
  bool bundling = true;
  uint32_t peers = 1;   // The client's side has a lane to each of so many, all on the other side,
  uint32_t active = 1;  // and uses the first so many of them, at random.
  base::Nanos step = base::nanos(500);  // Virtual time of one side's turn.
};

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "transport bench: %s\n", what);
  std::exit(1);
}

// What sealing is measured against: an AEAD that costs nothing, with the same keys, headers and
// tags of 16 bytes, that copies what the other would have sealed. For benchmarks alone: no product
// links it.
class NullAead final : public crypto::AeadBackend {
 public:
  const char* name() const override { return "null"; }
  const char* detail() const override { return "copies"; }
  bool supports(crypto::AeadAlgorithm algorithm) const override {
    return algorithm == crypto::AeadAlgorithm::kAes128Gcm;
  }
  bool expand_key(crypto::AeadAlgorithm algorithm, std::span<const uint8_t>,
                  std::span<const uint8_t, crypto::kNonceSize>, crypto::AeadKey* out) override {
    out->algorithm = algorithm;
    return supports(algorithm);
  }
  void submit_seal(std::span<crypto::AeadJob> jobs) override {
    for (crypto::AeadJob& job : jobs) {
      if (job.in != job.out) std::memcpy(job.out, job.in, job.length);
      std::memset(job.out + job.length, 0, crypto::kTagSize);
      job.ok = true;
    }
  }
  void submit_open(std::span<crypto::AeadJob> jobs) override {
    for (crypto::AeadJob& job : jobs) {
      if (job.in != job.out) std::memcpy(job.out, job.in, job.length);
      job.ok = true;
    }
  }
  size_t poll(std::span<crypto::AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(crypto::AeadKey* key) override { key->wipe(); }
};

class Bench {
 public:
  Bench(const Work& work, std::unique_ptr<crypto::AeadBackend> backend)
      : work_(work),
        module_(sluice_boringssl_v1()),
        backend_(std::move(backend)),
        payload_(work.message, 0x5a) {
    EndpointConfig config;
    config.bundling = work.bundling;
    config.max_buffered_message = 2u << 20;
    config.max_lanes = std::max(config.max_lanes, work.peers);
    // A response waits for its release.
    config.max_exchanges = std::max(config.max_exchanges, 2 * work.outstanding);
    config.arena_bytes = std::max<uint64_t>(16u << 20, std::bit_ceil(256ull * work.outstanding));
    for (int side = 0; side < 2; ++side) {
      sides_[side] = std::make_unique<Endpoint>(config, backend_.get(), &module_->primitives);
      for (uint32_t peer = 0; peer < work.peers; ++peer) install(side, peer, config);
      wires_[side].buffers.resize(kBurst * kPacketBytes);
    }
  }

  // Until so many more messages are done.
  void run(uint64_t count);
  // Until nothing has been sent for a while: what installing the lanes has begun is over.
  void settle();
  // Both sides of the first peer begin a new epoch, of their own accord.
  void update_keys() {
    for (int side = 0; side < 2; ++side) {
      sides_[side]->submit(UpdateKeys{lanes_[side].front()}, now_);
    }
  }
  uint64_t key_updates() const { return sides_[0]->stats().key_updates.value(); }
  uint64_t packets() const { return packets_; }

 private:
  // What one side has sent and the other has not yet read.
  struct Wire {
    std::vector<uint8_t> buffers;
    std::array<TxPacket, kBurst> packets;
    size_t count = 0;      // Not yet read.
    size_t used = kBurst;  // Slots to make ready before they are filled again.
  };

  void install(int side, uint32_t peer, const EndpointConfig& config) {
    crypto::Secret secret;
    base::Prng bytes(7 + peer);
    for (auto& b : secret.bytes) b = static_cast<uint8_t>(bytes.next_u64());
    InstallLane command;
    const uint32_t first = 100 + 2 * peer;
    command.local_session = base::SessionId(first + static_cast<uint32_t>(side));
    command.remote_session = base::SessionId(first + 1 - static_cast<uint32_t>(side));
    command.initiator = side == 0;
    crypto::derive_lane_secrets(module_->primitives, secret, command.initiator, 0,
                                &command.secrets);
    command.peer_max_packet = config.max_packet;
    command.peer_unscheduled_bytes = config.unscheduled_bytes;
    command.peer_max_message = config.max_message;
    LaneRef lane;
    if (sides_[side]->submit(command, now_, &lane) != base::Code::kOk) fail("no lane");
    lanes_[side].push_back(lane);
  }
  void begin();
  void on_event(int side, const Event& event);
  void turn(int side);

  Work work_;
  const crypto::BoringsslModule* module_;
  std::unique_ptr<crypto::AeadBackend> backend_;
  std::vector<uint8_t> payload_;
  std::unique_ptr<Endpoint> sides_[2];
  std::vector<LaneRef> lanes_[2];  // By peer.
  base::Prng choice_{11};
  Wire wires_[2];  // By sender.
  base::Nanos now_ = base::seconds(1);
  std::array<RxPacket, kBurst> burst_;
  std::array<Event, 64> events_;
  uint64_t packets_ = 0;
  uint64_t to_begin_ = 0;
  uint64_t outstanding_ = 0;
};

inline void Bench::begin() {
  for (; to_begin_ > 0 && outstanding_ < work_.outstanding; --to_begin_, ++outstanding_) {
    const LaneRef lane = lanes_[0][work_.active == 1 ? 0 : choice_.uniform(work_.active)];
    base::Code code = base::Code::kOk;
    if (work_.one_way) {
      SendOneWay command;
      command.lane = lane;
      command.data = payload_.data();
      command.length = work_.message;
      code = sides_[0]->submit(command, now_);
    } else {
      SendRequest command;
      command.lane = lane;
      command.data = payload_.data();
      command.length = work_.message;
      command.deadline = base::after(now_, base::seconds(10));
      code = sides_[0]->submit(command, now_);
    }
    // All lanes ask about their round trip when they begin: more are busy then than may be.
    if (code == base::Code::kResourceExhausted) return;
    if (code != base::Code::kOk) fail("a message was not taken");
  }
}

inline void Bench::on_event(int side, const Event& event) {
  Endpoint& endpoint = *sides_[side];
  switch (event.kind) {
    case EventKind::kRequest: {
      Respond respond;
      respond.exchange = event.exchange;
      respond.data = event.data;
      respond.length = event.length;
      if (endpoint.submit(respond, now_) != base::Code::kOk) fail("an answer was not taken");
      break;
    }
    case EventKind::kOneWay:
      endpoint.submit(ReleaseMessage{event.exchange}, now_);
      break;
    case EventKind::kCallDone:
      if (event.code != base::Code::kOk) fail("a call failed");
      endpoint.submit(ReleaseMessage{event.exchange}, now_);
      --outstanding_;
      break;
    case EventKind::kSendDone:
      if (side != 0) break;
      if (event.code != base::Code::kOk) fail("a message failed");
      --outstanding_;
      break;
    case EventKind::kLaneUp:
      break;
    default:
      fail("an event that nothing here causes");
  }
}

// What the loop of an lcore does, in the same order.
inline void Bench::turn(int side) {
  Endpoint& endpoint = *sides_[side];
  Wire& in = wires_[1 - side];
  for (size_t i = 0; i < in.count; ++i) burst_[i] = {in.packets[i].data, in.packets[i].length};
  if (in.count > 0) endpoint.on_rx({burst_.data(), in.count}, now_);
  in.count = 0;
  if (now_ >= endpoint.next_deadline()) endpoint.on_deadline(now_);
  for (size_t count = endpoint.poll_events(events_); count > 0;
       count = endpoint.poll_events(events_)) {
    for (size_t i = 0; i < count; ++i) on_event(side, events_[i]);
  }
  if (side == 0) begin();
  Wire& out = wires_[side];
  for (size_t i = 0; i < out.used; ++i) {
    out.packets[i] = {.data = &out.buffers[i * kPacketBytes], .capacity = kPacketCapacity};
  }
  out.count = out.used = endpoint.poll_tx(out.packets, now_);
  packets_ += out.count;
}

inline void Bench::run(uint64_t count) {
  to_begin_ = count;
  while (to_begin_ > 0 || outstanding_ > 0) {
    for (int side = 0; side < 2; ++side) {
      now_ = base::after(now_, work_.step);
      turn(side);
    }
  }
}

inline void Bench::settle() {
  constexpr base::Nanos kQuiet = base::millis(50);
  for (base::Nanos sent = now_; base::elapsed(sent, now_) < kQuiet;) {
    const uint64_t before = packets_;
    for (int side = 0; side < 2; ++side) {
      now_ = base::after(now_, base::micros(5));
      turn(side);
    }
    if (packets_ != before) sent = now_;
  }
}

}  // namespace sluice::transport

#endif  // SLUICE_PERF_TRANSPORT_BENCH_H_
