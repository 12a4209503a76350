// SPDX-License-Identifier: Apache-2.0
//
// The roles of an endpoint laid open on a bench: one lane, its peer played by hand, time by hand.
#ifndef SLUICE_TEST_UNIT_TRANSPORT_ROLES_H_
#define SLUICE_TEST_UNIT_TRANSPORT_ROLES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "crypto/boringssl/module.h"
#include "test/unit/transport/peer.h"
#include "transport/answer_timeout.h"
#include "transport/context.h"
#include "transport/control.h"
#include "transport/events.h"
#include "transport/inbound.h"
#include "transport/lifecycle.h"
#include "transport/receiver.h"
#include "transport/recovery_policy.h"
#include "transport/sender.h"
#include "transport/timers.h"
#include "wire/esp.h"
#include "wire/frame.h"

namespace sluice::transport {

inline EndpointConfig bench_config() {
  EndpointConfig config;
  config.max_exchanges = 64;
  config.max_lanes = 4;
  config.max_reassemblies = 8;
  config.arena_bytes = 1u << 20;
  config.max_buffered_message = 256u << 10;
  return config;
}

inline PacketData pattern(size_t size, uint8_t first = 1) {
  PacketData bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(first + i * 7);
  return bytes;
}

inline uint32_t length_of(const Lane& lane, const PacketData& bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  return lane.padded ? static_cast<uint32_t>(wire::padded_length(size)) : size;
}

class Roles {
 public:
  static constexpr base::SessionId kLocal{101};
  static constexpr base::SessionId kRemote{202};
  static constexpr uint8_t kLane = 3;
  static constexpr uint32_t kLocalBase = 0x00765600;  // Where EndpointConfig::esp is set.
  static constexpr uint32_t kRemoteBase = 0x00abce00;

  explicit Roles(const EndpointConfig& config = bench_config(),
                 crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kAes128Gcm,
                 crypto::InlineCrypto* ports = nullptr)
      : backend_(crypto::make_boringssl_backend(sluice_boringssl_v1())),
        ctx(config, backend_.get(), &sluice_boringssl_v1()->primitives, ports),
        policy(make_grant_policy(config)),
        lifecycle(&ctx, policy.get()),
        sender(&ctx),
        inbound(&ctx, &lifecycle, &sender, policy.get(), &recovery),
        control(&ctx, &lifecycle, &sender, &inbound),
        receiver(&ctx, &lifecycle, &inbound, &control),
        timers(&ctx, &lifecycle, &sender, &inbound, &control),
        events(&ctx, &lifecycle),
        peer(ctx.primitives, backend_.get(), session_secret(7), kLane, false, algorithm, kLocal) {
    lifecycle.set_sender(&sender);
    ctx.now = now;
    EXPECT_EQ(lifecycle.open_lane(lane_command(algorithm), now, &lane_ref), base::Code::kOk);
    lane = ctx.find_lane(lane_ref);
  }

  InstallLane lane_command(
      crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kAes128Gcm) const {
    InstallLane command;
    command.local_session = kLocal;
    command.remote_session = kRemote;
    command.lane = kLane;
    command.initiator = true;
    command.algorithm = algorithm;
    crypto::derive_lane_secrets(*ctx.primitives, session_secret(7), true, kLane, &command.secrets);
    command.peer_max_packet = ctx.config.max_packet;
    command.padded = ctx.config.padding;
    command.records = true;  // Without EndpointConfig::record_mode it means nothing.
    if (ctx.config.esp) command.esp = {kLocalBase, kRemoteBase, wire::kProtocolNative};
    return command;
  }

  // The burst arrives now.
  void give(std::vector<PacketData> packets, bool congestion = false) {
    std::vector<RxPacket> burst(packets.size());
    for (size_t i = 0; i < packets.size(); ++i) {
      burst[i].data = packets[i].data();
      burst[i].length = static_cast<uint32_t>(packets[i].size());
      burst[i].congestion_experienced = congestion;
    }
    ctx.now = now;
    receiver.on_rx(burst, now);
    verdict = burst.empty() ? Verdict::kConsumed : burst.back().verdict;
  }
  // The same, as ESP.
  void give_esp(std::vector<PacketData> packets) {
    std::vector<RxPacket> burst(packets.size());
    for (size_t i = 0; i < packets.size(); ++i) {
      burst[i].data = packets[i].data();
      burst[i].esp_length = static_cast<uint16_t>(packets[i].size());
    }
    ctx.now = now;
    receiver.on_rx(burst, now);
    for (const RxPacket& packet : burst) {
      EXPECT_EQ(packet.esp_length, 0u);
      EXPECT_EQ(packet.verdict, Verdict::kConsumed);
    }
  }
  void give(PacketData packet) { give(std::vector<PacketData>{std::move(packet)}); }

  // Everything that waits goes out now, and the peer opens it.
  std::vector<Opened> sent() {
    std::vector<Opened> out;
    ctx.now = now;
    for (const PacketData& packet : raw()) {
      auto opened = peer.open(packet);
      EXPECT_TRUE(opened.has_value()) << "the peer cannot open what was sent";
      if (opened) out.push_back(std::move(*opened));
    }
    return out;
  }
  // The same, sealed, up to `most` packets.
  std::vector<PacketData> raw(size_t most = SIZE_MAX) {
    std::vector<PacketData> out;
    slots.clear();
    while (out.size() < most) {
      PacketData buffer(wire::kEspHeaderSize + ctx.config.max_packet);
      TxPacket slot;
      slot.data = buffer.data() + wire::kEspHeaderSize;
      slot.capacity = ctx.config.max_packet;
      if (sender.fill({&slot, 1}, now) == 0) break;
      EXPECT_EQ(slot.route, lane->route);
      last_slot = slot;
      slots.push_back(slot);
      out.emplace_back(slot.data, slot.data + slot.length);
    }
    return out;
  }
  // Time passes; timers that come due fire at their deadlines.
  void pass(base::Nanos time) {
    const base::Nanos end = now + time;
    while (ctx.wheel.next_deadline() <= end) {
      now = std::max(now, ctx.wheel.next_deadline());
      ctx.now = now;
      if (timers.advance(now) > 0) inbound.settle(now);
    }
    ctx.now = now = end;
  }
  // Time passes in which nobody drives this side; what came due fires at the end of it.
  void stall(base::Nanos time) {
    ctx.now = now = now + time;
    if (timers.advance(now) > 0) inbound.settle(now);
  }
  std::vector<Event> polled() {
    std::vector<Event> out;
    Event event;
    while (events.poll({&event, 1}) == 1) out.push_back(event);
    return out;
  }

  // This side calls: what Endpoint::submit() does.
  Exchange& call(const PacketData& bytes, bool one_way = false, const Landing& landing = {}) {
    Exchange* exchange = lifecycle.allocate(*lane, true);
    SLUICE_CHECK(exchange != nullptr);
    exchange->one_way = one_way;
    exchange->service = 1;
    exchange->started = exchange->last_progress = now;
    exchange->set_landing(landing);
    Outgoing& out = exchange->out;
    out.data = bytes.data();
    if (lane->padded) exchange->cold->content = static_cast<uint32_t>(bytes.size());
    out.length = length_of(*lane, bytes);
    out.small = out.length <= ctx.config.bundle_message_max;
    out.granted = sender.unasked(*lane, out.length);
    if (!one_way) lifecycle.solicit(*exchange);
    lifecycle.enlist(*exchange, lane->own_ids.take());
    ctx.wheel.arm(exchange->timer, first_look(ctx.config, *exchange, now));
    sender.start(*exchange);
    return *exchange;
  }
  // The callee's exchange of this id, or nullptr.
  Exchange* served(uint64_t id) { return ctx.find_exchange(*lane, false, id); }
  // Nothing is held: no exchange, no reassembly, no byte of the arena, no byte granted.
  bool empty() const {
    return ctx.exchanges.in_use() == 0 && ctx.reassemblies.in_use() == 0 &&
           ctx.arena.bytes_free() == ctx.arena.bytes_total() && policy->outstanding() == 0;
  }

 private:
  std::unique_ptr<crypto::AeadBackend> backend_;

 public:
  base::Nanos now = base::seconds(1);
  Context ctx;
  std::unique_ptr<GrantPolicy> policy;
  GapRecovery recovery;
  Lifecycle lifecycle;
  Sender sender;
  Inbound inbound;
  Control control;
  Receiver receiver;
  Timers timers;
  Events events;
  Peer peer;
  Lane* lane = nullptr;
  LaneRef lane_ref;
  Verdict verdict = Verdict::kConsumed;  // Of the last packet given.
  TxPacket last_slot;
  std::vector<TxPacket> slots;  // Of the last raw(); their bytes are what that returned.
};

// Answers a request as Endpoint::submit(Respond) does, with bytes that stay where they are.
inline void respond(Roles& roles, Exchange& exchange, const PacketData& bytes) {
  Outgoing& out = exchange.out;
  out.data = bytes.data();
  if (roles.lane->padded) exchange.cold->content = static_cast<uint32_t>(bytes.size());
  out.length = length_of(*roles.lane, bytes);
  out.lent = true;
  out.small = out.length <= roles.ctx.config.bundle_message_max;
  out.granted =
      std::min(out.length, std::max(exchange.response_credit, roles.lane->record_bytes()));
  exchange.state = ExchangeState::kResponding;
  roles.lifecycle.release_request(exchange);
  roles.ctx.wheel.cancel(exchange.timer);
  roles.sender.start(exchange);
}

}  // namespace sluice::transport

#endif  // SLUICE_TEST_UNIT_TRANSPORT_ROLES_H_
