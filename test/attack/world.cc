// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <algorithm>
#include <cstring>

#include "base/byte_order.h"
#include "base/hash.h"
#include "crypto/boringssl/module.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "crypto/psk_handshake.h"
#include "tls_support.h"

namespace sluice::attack {
namespace {

constexpr base::Nanos kDelay = base::micros(10);
constexpr base::Nanos kCallTimeout = base::seconds(20);
constexpr uint16_t kService = 1;
constexpr char kServerName[] = "server.example";

transport::PeerAddress address_of(int side) {
  return {wire::IpAddress::from_v4(0x0a000001 + static_cast<uint32_t>(side)), 4000};
}

}  // namespace

Bytes payload(uint64_t tag, size_t size) {
  Bytes out(size);
  base::Prng prng(tag);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(prng.next_u64());
  for (size_t at = 0; at + 16 <= size; at += 64) {
    std::memcpy(&out[at], sim::kPlaintextMarker, sizeof(sim::kPlaintextMarker));
  }
  base::store_be64(&out[8], tag);
  return out;
}

uint64_t tag_of(const uint8_t* data, size_t size) {
  return size < kSmallestPayload ? 0 : base::load_be64(data + 8);
}

struct World::Certificates {
  Certificates()
      : ca(crypto::test::issue_pair(nullptr, {})),
        client(crypto::test::issue_pair(&ca, {"client.example"})),
        server(crypto::test::issue_pair(&ca, {kServerName})) {}
  crypto::test::SetClock clock;
  crypto::test::PemPair ca;
  crypto::test::PemPair client;
  crypto::test::PemPair server;
};

World::World(const WorldOptions& options)
    : options_(options),
      random_(base::mix64(options.seed, 1)),
      backend_(crypto::make_ipsec_mb_backend()) {
  if (options.tls) certificates_ = std::make_shared<Certificates>();
  for (int side = 0; side < 2; ++side) {
    mechanisms_[side] = new_mechanism(side);
    hosts_[side] = new_host(side);
  }
}

std::unique_ptr<crypto::HandshakeMechanism> World::new_mechanism(int side) {
  if (!options_.tls) {
    return std::make_unique<crypto::PskMechanism>(std::vector<crypto::Psk>{crypto::test::psk_of(1)},
                                                  &sluice_boringssl_v1()->primitives,
                                                  random_.source(), false);
  }
  return crypto::test::make_tls(side == 0 ? certificates_->client : certificates_->server,
                                {{certificates_->ca.certificate, ""}}, &certificates_->clock);
}

std::unique_ptr<Host> World::new_host(int side) {
  HostConfig config;
  config.address = address_of(side);
  config.endpoint.record_mode = options_.record_mode;
  config.endpoint.esp = config.connector.esp = options_.esp;
  config.endpoint.arena_bytes = 4u << 20;
  config.endpoint.max_exchanges = 1024;
  config.endpoint.max_lanes = 64;
  config.endpoint.unscheduled_bytes = 16384;
  config.connector.accept = side == 1;
  config.connector.parameters.base_port = config.address.port;
  config.connector.parameters.lanes = 1;
  config.connector.parameters.aeads = {crypto::AeadAlgorithm::kAes128Gcm};
  config.connector.parameters.records = options_.record_mode;
  config.connector.parameters.unscheduled_bytes = config.endpoint.unscheduled_bytes;
  config.seed = base::mix64(options_.seed, 100 + lives_++);
  auto host = std::make_unique<Host>(config, mechanisms_[side].get(), backend_.get());
  host->on_event = [this, side](Host& from, const transport::Event& event, base::Nanos now) {
    if (side == 0) {
      on_client_event(from, event, now);
    } else {
      on_server_event(from, event, now);
    }
  };
  if (side == 0) {
    host->on_session = [this](Host& from, const transport::ConnectorEvent& event,
                              transport::LaneRef lane,
                              base::Nanos now) { on_client_session(from, event, lane, now); };
  }
  return host;
}

void World::restart_server() {
  check_shown();
  shown_.clear();
  hosts_[1].reset();
  mechanisms_[1] = new_mechanism(1);
  hosts_[1] = new_host(1);
}

void World::connect(bool early) {
  crypto::ClientOffer offer;
  if (early) {
    early_tag_ = next_tag_++;
    asked_[early_tag_] = payload(early_tag_, 200);
    offer.early.push_back({kService, asked_[early_tag_]});
  }
  client().connector().connect(server().address(), options_.tls ? kServerName : "",
                               base::after(now_, base::seconds(20)), now_, std::move(offer));
}

void World::on_client_session(Host& /*host*/, const transport::ConnectorEvent& event,
                              transport::LaneRef lane, base::Nanos now) {
  lane_ = lane;
  if (early_tag_ == 0) return;
  submit(std::exchange(early_tag_, 0), event.result.early_taken, now);
}

bool World::submit(uint64_t tag, uint64_t early_id, base::Nanos now) {
  transport::SendRequest command;
  command.lane = lane_;
  command.service = kService;
  command.data = asked_[tag].data();
  command.length = static_cast<uint32_t>(asked_[tag].size());
  command.deadline = base::after(now, kCallTimeout);
  command.user = tag;
  command.early_id = early_id;
  return client().endpoint().submit(command, now) == base::Code::kOk;
}

bool World::call(size_t size) {
  const uint64_t tag = next_tag_;
  asked_[tag] = payload(tag, std::max(size, kSmallestPayload));
  if (!submit(tag, 0, now_)) return false;
  ++next_tag_;
  return true;
}

void World::on_client_event(Host& host, const transport::Event& event, base::Nanos now) {
  if (event.kind != transport::EventKind::kCallDone) return;
  Outcome& outcome = outcomes_[event.user];
  if (++outcome.completions > 1) accuse("a call ended twice");
  outcome.code = event.code;
  const Bytes& asked = asked_[event.user];
  outcome.intact = event.data != nullptr && event.length == asked.size() &&
                   std::equal(asked.begin(), asked.end(), event.data);
  if (event.code == base::Code::kOk && !outcome.intact) accuse("a response was not what was said");
  host.endpoint().submit(transport::ReleaseMessage{event.exchange}, now);
}

void World::on_server_event(Host& host, const transport::Event& event, base::Nanos now) {
  if (event.kind == transport::EventKind::kSendDone) return;
  if (event.kind == transport::EventKind::kLaneDown) {
    // What a lane has shown is the application's until it answers.
    return;
  }
  if (event.kind != transport::EventKind::kRequest || event.data == nullptr) return;
  const uint64_t tag = tag_of(event.data, event.length);
  const auto asked = asked_.find(tag);
  if (asked == asked_.end() || asked->second.size() != event.length ||
      !std::equal(asked->second.begin(), asked->second.end(), event.data)) {
    accuse("a request was delivered that nobody has made");
  }
  if (++executed_[tag] > 1) accuse("a request was executed twice");
  shown_.push_back({event.exchange, event.data, {event.data, event.data + event.length}});
  // Long ones lie in place for a while, and are looked at again.
  while (shown_.size() > options_.held_requests) answer_oldest(now);
  (void)host;
}

void World::check_shown() {
  for (const Shown& shown : shown_) {
    if (!std::equal(shown.copy.begin(), shown.copy.end(), shown.data)) {
      accuse("bytes changed after they had been delivered");
    }
  }
}

void World::answer_oldest(base::Nanos now) {
  check_shown();
  Shown oldest = std::move(shown_.front());
  shown_.erase(shown_.begin());
  transport::Respond respond;
  respond.exchange = oldest.exchange;
  respond.length = static_cast<uint32_t>(oldest.copy.size());
  respond.data = oldest.copy.data();
  uint8_t* memory = nullptr;
  if (respond.length > transport::kInlineBytes) {
    memory = server().endpoint().allocate(respond.length);
    if (memory == nullptr) {
      server().endpoint().submit(transport::Reject{oldest.exchange, base::Code::kResourceExhausted},
                                 now);
      return;
    }
    std::memcpy(memory, oldest.copy.data(), oldest.copy.size());
    respond.data = memory;
    respond.owned = true;
  }
  const base::Code code = server().endpoint().submit(respond, now);
  // Where the caller has given up, the endpoint has taken it; with any other error it has not.
  if (memory != nullptr && code != base::Code::kOk && code != base::Code::kCancelled) {
    server().endpoint().release(memory);
  }
}

void World::say(int side, const transport::PeerAddress& to, Bytes bytes, bool esp) {
  const transport::PeerAddress& other = hosts_[1 - side]->address();
  if (to.ip != wire::IpAddress{} && to.ip != other.ip) {
    if (strangers) strangers(to, bytes);
    return;
  }
  ++packets_;
  if (esp) {
    watch_.inspect_esp(side, bytes);
  } else {
    watch_.inspect(side, bytes);
  }
  const Packet packet{side == 0 ? Way::kToServer : Way::kToClient, std::move(bytes), esp};
  if (!attacker) return send_later(packet, base::Nanos());
  for (const Packet& passed : attacker(packet)) send_later(passed, base::Nanos());
}

void World::send_later(const Packet& packet, base::Nanos delay) {
  wire_.emplace(base::after(base::after(now_, kDelay), delay), packet);
}

void World::inject(const Packet& packet) {
  inject(packet, receiver(reverse(packet.way)).address());
}

void World::inject(const Packet& packet, const transport::PeerAddress& from) {
  receiver(packet.way).arrive(from, packet.bytes, packet.esp, now_);
}

void World::step(base::Nanos end) {
  for (int side = 0; side < 2; ++side) {
    hosts_[side]->work(now_, [this, side](const transport::PeerAddress& to, Bytes bytes, bool esp) {
      say(side, to, std::move(bytes), esp);
    });
  }
  base::Nanos next = end;
  if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
  for (const auto& host : hosts_) next = std::min(next, host->next_deadline());
  now_ = std::max(next, base::after(now_, base::nanos(1)));
  while (!wire_.empty() && wire_.begin()->first <= now_) {
    const Packet packet = std::move(wire_.begin()->second);
    wire_.erase(wire_.begin());
    inject(packet);
  }
}

bool World::run(const std::function<bool()>& done, base::Nanos limit) {
  const base::Nanos end = base::after(now_, limit);
  while (!done()) {
    if (now_ >= end) return false;
    step(end);
  }
  return true;
}

void World::run_for(base::Nanos time) {
  run([] { return false; }, time);
}

bool World::settle() {
  const bool ended = run(
      [this] {
        // Nobody asks any more that would push these out.
        if (!shown_.empty()) answer_oldest(now_);
        return completed() == asked();
      },
      base::seconds(60));
  check_shown();
  return ended;
}

uint64_t World::completed_well() const {
  return static_cast<uint64_t>(std::count_if(
      outcomes_.begin(), outcomes_.end(),
      [](const auto& each) { return each.second.code == base::Code::kOk && each.second.intact; }));
}

uint64_t World::executions() const {
  uint64_t out = 0;
  for (const auto& [tag, times] : executed_) out += times;
  return out;
}

std::string World::violation() const {
  return violation_.empty() ? watch_.violation() : violation_;
}

}  // namespace sluice::attack
