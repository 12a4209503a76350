// SPDX-License-Identifier: Apache-2.0
//
// What a garbage packet costs its receiver, for counting instructions: an endpoint with one
// session, a connector that accepts, and packets of one kind that a stranger can send, made
// beforehand. perf/instructions runs it under callgrind, which counts inside counted_work() only.
// usage: garbage_path KIND COUNT, where KIND is one of test/attack/flood.h's, or
//   good   a request of 64 bytes and its answer, which take the same way and are opened and sealed
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "crypto/boringssl/module.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "crypto/psk_handshake.h"
#include "test/attack/flood.h"
#include "transport/connector.h"
#include "transport/endpoint.h"

namespace {

using namespace sluice;
using namespace sluice::transport;

constexpr size_t kBurst = 32;
constexpr uint32_t kPacketCapacity = 1452;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "garbage_path: %s\n", what);
  std::exit(1);
}

void fill_bytes(void* prng, uint8_t* out, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    out[i] = static_cast<uint8_t>(static_cast<base::Prng*>(prng)->next_u64());
  }
}

ConnectorConfig connector_config() {
  ConnectorConfig config;
  config.accept = true;
  config.parameters.base_port = 4791;
  config.parameters.lanes = 1;
  config.parameters.aeads = {crypto::AeadAlgorithm::kAes128Gcm};
  return config;
}

EndpointConfig endpoint_config() {
  EndpointConfig config;
  config.arena_bytes = 16u << 20;
  return config;
}

class Bench {
 public:
  Bench()
      : module_(sluice_boringssl_v1()),
        backend_(crypto::make_ipsec_mb_backend()),
        random_{fill_bytes, &prng_},
        mechanism_({crypto::Psk(std::vector<uint8_t>(32, 7))}, &module_->primitives, random_,
                   false),
        connector_(connector_config(), &mechanism_, &module_->primitives, random_) {
    for (int side = 0; side < 2; ++side) {
      sides_[side] =
          std::make_unique<Endpoint>(endpoint_config(), backend_.get(), &module_->primitives);
      install(side);
    }
  }

  // Makes so many packets of this kind, or requests.
  void make(std::string_view kind, size_t count);
  // Gives them to the server, in bursts.
  void run();
  uint64_t dropped() const;

 private:
  void install(int side);
  std::vector<uint8_t> request();
  void answer();

  const crypto::BoringsslModule* module_;
  std::unique_ptr<crypto::AeadBackend> backend_;
  base::Prng prng_{1};
  crypto::RandomSource random_;
  crypto::PskMechanism mechanism_;
  Connector connector_;
  std::unique_ptr<Endpoint> sides_[2];
  LaneRef lanes_[2];
  std::vector<uint8_t> payload_ = std::vector<uint8_t>(64, 0x5a);
  std::vector<std::vector<uint8_t>> packets_;
  bool good_ = false;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kBurst * kPacketCapacity);
  base::Nanos now_ = base::seconds(1);
};

void Bench::install(int side) {
  crypto::Secret secret;
  secret.bytes.fill(9);
  InstallLane command;
  command.local_session = base::SessionId(static_cast<uint32_t>(100 + side));
  command.remote_session = base::SessionId(static_cast<uint32_t>(101 - side));
  command.initiator = side == 0;
  crypto::derive_lane_secrets(module_->primitives, secret, command.initiator, 0, &command.secrets);
  if (sides_[side]->submit(command, now_, &lanes_[side]) != base::Code::kOk) fail("no lane");
}

// The packet of a request, as the client would send it.
std::vector<uint8_t> Bench::request() {
  SendRequest command;
  command.lane = lanes_[0];
  command.data = payload_.data();
  command.length = static_cast<uint32_t>(payload_.size());
  if (sides_[0]->submit(command, now_) != base::Code::kOk) fail("a request was not taken");
  TxPacket slot{.data = out_.data(), .capacity = kPacketCapacity};
  if (sides_[0]->poll_tx({&slot, 1}, now_) != 1) fail("a request was not sent");
  return {slot.data, slot.data + slot.length};
}

void Bench::make(std::string_view kind, size_t count) {
  good_ = kind == "good";
  if (good_) {
    for (size_t i = 0; i < count; ++i) packets_.push_back(request());
    return;
  }
  const auto found =
      std::find_if(std::begin(attack::kAllGarbage), std::end(attack::kAllGarbage),
                   [&](attack::Garbage each) { return kind == attack::garbage_name(each); });
  if (found == std::end(attack::kAllGarbage)) fail("no such kind of garbage");
  // A packet that has arrived.
  const attack::Packet seen{attack::Way::kToServer, request()};
  packets_.push_back(seen.bytes);
  run();
  packets_.clear();
  for (size_t i = 0; i < count; ++i) {
    packets_.push_back(attack::garbage(*found, seen, i, &prng_));
  }
}

void Bench::answer() {
  Event events[kBurst];
  for (size_t count = sides_[1]->poll_events(events); count > 0;
       count = sides_[1]->poll_events(events)) {
    for (size_t i = 0; i < count; ++i) {
      if (events[i].kind != EventKind::kRequest) continue;
      sides_[1]->submit(
          Respond{
              .exchange = events[i].exchange, .data = events[i].data, .length = events[i].length},
          now_);
    }
  }
  TxPacket slots[kBurst];
  for (size_t i = 0; i < kBurst; ++i) {
    slots[i] = {.data = &out_[i * kPacketCapacity], .capacity = kPacketCapacity};
  }
  while (sides_[1]->poll_tx(slots, now_) == kBurst) {
  }
}

void Bench::run() {
  const PeerAddress from{wire::IpAddress::from_v4(0x0b000001), 4791};
  for (size_t begin = 0; begin < packets_.size(); begin += kBurst) {
    // As slowly as first packets are all answered, which costs the most.
    now_ = base::after(now_, base::micros(50) * kBurst);
    RxPacket burst[kBurst];
    const size_t count = std::min(kBurst, packets_.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      burst[i] = {.data = packets_[begin + i].data(),
                  .length = static_cast<uint32_t>(packets_[begin + i].size())};
    }
    sides_[1]->on_rx({burst, count}, now_);
    for (size_t i = 0; i < count; ++i) {
      if (burst[i].verdict != Verdict::kHandshake) continue;
      connector_.on_packet(from, {burst[i].data, burst[i].length}, now_);
    }
    answer();
    HandshakePacket handshake;
    while (connector_.poll_tx({&handshake, 1}) == 1) {
    }
  }
}

uint64_t Bench::dropped() const {
  uint64_t out = 0;
  const auto add = [&](const char* name, const char*, uint64_t value) {
    if (std::string_view(name).find("dropped.") != std::string_view::npos) out += value;
  };
  for_each_counter(sides_[1]->stats(), add);
  for_each_counter(connector_.stats(), add);
  return out + connector_.stats().retries_sent.value() +
         connector_.stats().limit_unproved_rate.value();
}

}  // namespace

// The name that callgrind switches its counting by.
extern "C" __attribute__((noinline)) void counted_work(void* bench) {
  static_cast<Bench*>(bench)->run();
}

int main(int argc, char** argv) {
  const unsigned long count = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (count == 0) {
    std::fprintf(stderr, "usage: garbage_path KIND COUNT\n");
    return 2;
  }
  Bench bench;
  bench.make(argv[1], count);
  const uint64_t before = bench.dropped();
  counted_work(&bench);
  const uint64_t dropped = bench.dropped() - before;
  const bool good = std::string_view(argv[1]) == "good";
  if (good ? dropped != 0 : dropped < count) fail("not what it was meant to be");
  std::printf("%lu packets, %lu dropped\n", count, static_cast<unsigned long>(dropped));
}
