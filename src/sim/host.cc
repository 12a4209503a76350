// SPDX-License-Identifier: Apache-2.0
#include "sim/host.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "sim/virtual_crypto.h"
#include "wire/header.h"

namespace sluice::sim {
namespace {

// What messages seem to consist of. Bundles copy the bytes of messages up to bundle_message_max;
// of longer ones the virtual backend takes the address and touches nothing.
alignas(64) constexpr uint8_t kPayload[4096] = {};

uint32_t session_of(uint32_t peer) { return peer + 1; }

uint64_t payload_of(const Packet& packet) {
  const auto data = wire::DataView::parse(packet.bytes, packet.length);
  if (data) return data->retransmission() ? 0 : data->payload_length();
  const auto bundle = wire::BundleView::parse(packet.bytes, packet.length);
  return bundle ? bundle->sealed_length() : 0;
}

// What an ideal network sorts by: the bytes of its message from this packet on, and which message
// that is; of a bundle's messages, which are short, their own.
void set_rank(Packet* packet) {
  const auto data = wire::DataView::parse(packet->bytes, packet->length);
  packet->rank = data ? data->message_length() - data->offset() : packet->length;
  if (!data) return;
  packet->user = 1ull << 62 | uint64_t{packet->src} << 32 | uint64_t{packet->dst} << 16 |
                 uint64_t{data->service()};
}

}  // namespace

Host::Lcore::Lcore(uint32_t index, const transport::EndpointConfig& config,
                   crypto::AeadBackend* backend, uint32_t hosts)
    : number(index),
      endpoint(config, backend, &virtual_primitives()),
      lanes(hosts),
      lane_peer(config.max_lanes) {}

Host::Host(uint32_t index, uint32_t lcores, const transport::EndpointConfig& config,
           crypto::AeadBackend* backend, Network* network, MessageLog* log, Traffic* traffic)
    : index_(index),
      max_packet_(config.max_packet),
      ranked_(network->ranked()),
      pulled_(network->host_model(index).ring_bytes == 0),
      network_(*network),
      log_(*log),
      traffic_(traffic),
      board_(lcores),
      next_service_(network->topology().hosts) {
  SLUICE_CHECK(config.bundle_message_max <= sizeof(kPayload));
  transport::EndpointConfig own = config;
  if (lcores > 1) own.credit_board = &board_;
  for (uint32_t number = 0; number < lcores; ++number) {
    own.credit_member = number;
    own.seed = number == 0 ? config.seed : base::mix64(config.seed, number);
    lcores_.push_back(std::make_unique<Lcore>(number, own, backend, network->topology().hosts));
  }
  network_.attach(index, this);
}

bool Host::idle() const {
  return backlog_.empty() && std::all_of(lcores_.begin(), lcores_.end(),
                                         [](const auto& lcore) { return lcore->endpoint.idle(); });
}

void Host::connect(uint32_t peer) {
  transport::InstallLane command;
  // Each end names a session by the other end, so neither has to tell.
  command.local_session = base::SessionId(session_of(peer));
  command.remote_session = base::SessionId(session_of(index_));
  command.initiator = index_ < peer;
  command.route = peer;
  command.peer_max_packet = max_packet_;
  command.peer_unscheduled_bytes = UINT32_MAX;
  for (const auto& lcore : lcores_) {
    transport::LaneRef& lane = lcore->lanes[peer];
    SLUICE_CHECK(lcore->endpoint.submit(command, to_nanos(network_.now()), &lane) ==
                 base::Code::kOk);
    lcore->lane_peer[lane.index] = static_cast<uint16_t>(peer);
    arm(*lcore, network_.now());
    ++command.lane;
  }
}

void Host::submit(uint32_t dst, uint32_t size) {
  const Waiting message{dst, size, next_service_[dst]++, false};
  log_.submitted(static_cast<uint16_t>(index_), static_cast<uint16_t>(dst), message.service, size,
                 network_.now());
  enqueue(message);
}

void Host::request(uint32_t dst, uint32_t size) { call(dst, size, false); }

void Host::pull(uint32_t dst, uint32_t size) { call(dst, size, true); }

void Host::call(uint32_t dst, uint32_t size, bool pull) {
  const Waiting message{dst, size, next_service_[dst]++, true};
  log_.submitted(static_cast<uint16_t>(dst), static_cast<uint16_t>(index_), message.service, size,
                 network_.now(), pull);
  enqueue(message);
}

void Host::enqueue(const Waiting& message) {
  if (!backlog_.empty() || !try_submit(message)) {
    ++counters_.backlogged;
    backlog_.push_back(message);
  }
  settle(lcore_of(message), network_.now());
}

Host::Lcore& Host::lcore_of(const Waiting& message) {
  if (lcores_.size() == 1) return *lcores_.front();
  const uint64_t name = uint64_t{index_} << 32 | uint64_t{message.dst} << 16 | message.service;
  return *lcores_[base::mix64(name, lcores_.size()) % lcores_.size()];
}

bool Host::try_submit(const Waiting& message) {
  const base::Nanos now = to_nanos(network_.now());
  Lcore& lcore = lcore_of(message);
  base::Code code = base::Code::kOk;
  if (message.request) {
    transport::SendRequest command;
    command.lane = lcore.lanes[message.dst];
    command.service = message.service;
    command.data = kPayload;
    command.length = kRequestBytes;
    code = lcore.endpoint.submit(command, now);
  } else {
    transport::SendOneWay command;
    command.lane = lcore.lanes[message.dst];
    command.service = message.service;
    command.data = kPayload;
    command.length = message.size;
    command.lazy_ack = true;  // Delivery is what counts here.
    code = lcore.endpoint.submit(command, now);
  }
  SLUICE_CHECK(code == base::Code::kOk || code == base::Code::kResourceExhausted);
  return code == base::Code::kOk;
}

// The log knows how long a response the caller wants.
void Host::answer(Lcore& lcore, const transport::Event& event, Picos now) {
  const uint16_t caller = lcore.lane_peer[event.lane.index];
  transport::Respond response;
  response.exchange = event.exchange;
  response.data = kPayload;
  response.length = log_.size_of(static_cast<uint16_t>(index_), caller, event.service);
  const base::Code code = lcore.endpoint.submit(response, to_nanos(now));
  SLUICE_CHECK(code == base::Code::kOk || code == base::Code::kCancelled);
}

void Host::take_response(Lcore& lcore, const transport::Event& event, Picos now) {
  if (event.code == base::Code::kOk) {
    const uint16_t callee = lcore.lane_peer[event.lane.index];
    const MessageRecord& record =
        log_.delivered(callee, static_cast<uint16_t>(index_), event.service, event.length, now);
    if (record.pull) traffic_->on_pulled(index_, now);
  } else {
    ++counters_.failed;
  }
  const transport::ReleaseMessage release{event.exchange};
  SLUICE_CHECK(lcore.endpoint.submit(release, to_nanos(now)) == base::Code::kOk);
}

void Host::wake_traffic(Picos at) {
  if (at >= traffic_at_) return;
  traffic_at_ = at;
  network_.wake_at(index_, at, kTraffic);
}

void Host::on_packet(PacketHandle handle, Picos now) {
  PacketPool& pool = network_.pool();
  Packet& packet = pool[handle];
  const auto header = wire::CommonView::parse(packet.bytes, packet.length);
  SLUICE_CHECK(header && header->lane() < lcores_.size());
  Lcore& lcore = *lcores_[header->lane()];
  if (packet.has(kTrimmed)) {
    ++counters_.trimmed;
  } else {
    const uint64_t payload = payload_of(packet);
    counters_.payload_bytes += payload;
    counters_.data_wire_bytes += payload != 0 ? packet.wire_bytes : 0;
    transport::RxPacket rx;
    rx.data = packet.bytes;
    rx.length = packet.length;
    rx.congestion_experienced = packet.ecn == Ecn::kCongestionExperienced;
    lcore.endpoint.on_rx({&rx, 1}, to_nanos(now));
  }
  pool.release(handle);
  settle(lcore, now);
}

void Host::on_ring_room(Picos now) {
  if (transmit(now)) arm_all(now);
}

void Host::on_wake(Picos now, uint64_t cookie) {
  if (cookie == kTraffic) {
    if (now != traffic_at_) return;  // Replaced by an earlier time since.
    traffic_at_ = Picos::max();
    traffic_->on_time(index_, now);
    return;
  }
  if (cookie == kLink) return on_ring_room(now);
  Lcore& lcore = *lcores_[cookie - kFirstTimer];
  if (now == lcore.armed) lcore.armed = Picos::max();
  if (lcore.endpoint.next_deadline() <= to_nanos(now)) lcore.endpoint.on_deadline(to_nanos(now));
  settle(lcore, now);
}

void Host::settle(Lcore& lcore, Picos now) {
  take_events(lcore, now);
  transmit(now);
  arm_all(now);
}

void Host::take_events(Lcore& lcore, Picos now) {
  transport::Event events[8];
  size_t count;
  do {
    count = lcore.endpoint.poll_events(events);
    for (size_t i = 0; i < count; ++i) on_event(lcore, events[i], now);
  } while (count == std::size(events));
  while (!backlog_.empty() && try_submit(backlog_.front())) backlog_.pop_front();
}

void Host::on_event(Lcore& lcore, const transport::Event& event, Picos now) {
  switch (event.kind) {
    case transport::EventKind::kOneWay: {
      const uint16_t src = lcore.lane_peer[event.lane.index];
      log_.delivered(src, static_cast<uint16_t>(index_), event.service, event.length, now);
      const transport::ReleaseMessage release{event.exchange};
      SLUICE_CHECK(lcore.endpoint.submit(release, to_nanos(now)) == base::Code::kOk);
      if (traffic_ != nullptr) traffic_->on_delivered(src, now);
      return;
    }
    case transport::EventKind::kRequest:
      return answer(lcore, event, now);
    case transport::EventKind::kCallDone:
      return take_response(lcore, event, now);
    case transport::EventKind::kSendDone:
      if (event.code != base::Code::kOk) ++counters_.failed;
      return;
    case transport::EventKind::kLaneDown:
      ++counters_.lanes_down;
      return;
    default:
      return;
  }
}

uint32_t Host::room(Picos now) {
  if (pulled_) {
    const Picos free_at = network_.link_free_at(index_);
    if (free_at <= now) return 1;
    if (free_at > link_wake_) {
      link_wake_ = free_at;
      network_.wake_at(index_, free_at, kLink);
    }
    return 0;
  }
  const uint64_t packets = network_.ring_room(index_) / framed_bytes(max_packet_);
  return static_cast<uint32_t>(std::min<uint64_t>(packets, kSlots));
}

// Fills as much of the ring as is free. Packets go to the ring late and in small numbers, since
// what is in it cannot be overtaken any more.
bool Host::transmit(Picos now) {
  PacketPool& pool = network_.pool();
  bool sent = false;
  while (true) {
    const uint32_t free = room(now);
    while (spares_ < free) {
      const PacketHandle handle = pool.allocate();
      if (handle == kNoPacket) break;
      spare_[spares_++] = handle;
    }
    const uint32_t offered = std::min(free, spares_);
    if (offered == 0) return sent;
    const size_t used = fill(offered, now);
    sent |= used != 0;
    if (used < offered && (used == 0 || lcores_.size() == 1)) return sent;
  }
}

size_t Host::fill(uint32_t free, Picos now) {
  transport::TxPacket slots[kSlots];
  for (uint32_t i = 0; i < free; ++i) {
    slots[i].data = network_.pool()[spare_[spares_ - 1 - i]].bytes;
    slots[i].capacity = max_packet_;
  }
  for (size_t tried = 0; tried < lcores_.size(); ++tried) {
    Lcore& lcore = *lcores_[turn_];
    turn_ = (turn_ + 1) % lcores_.size();
    const size_t used = lcore.endpoint.poll_tx({slots, free}, to_nanos(now));
    for (size_t i = 0; i < used; ++i) hand_over(slots[i], spare_[--spares_]);
    if (used != 0) return used;
  }
  return 0;
}

void Host::hand_over(const transport::TxPacket& slot, PacketHandle handle) {
  Packet& packet = network_.pool()[handle];
  packet.length = slot.length;
  packet.stored = std::min(slot.length, network_.pool().buffer_bytes());
  packet.wire_bytes = framed_bytes(slot.length);
  packet.src = static_cast<uint16_t>(index_);
  packet.dst = static_cast<uint16_t>(slot.route);
  packet.entropy = slot.entropy;
  packet.priority = slot.priority;
  packet.ecn = Ecn::kEct0;
  if (ranked_) set_rank(&packet);
  SLUICE_CHECK(network_.send(index_, handle));
}

void Host::arm(Lcore& lcore, Picos now) {
  const Picos at = std::max(to_picos(lcore.endpoint.next_deadline()), now);
  if (at >= lcore.armed || at == Picos::max()) return;
  lcore.armed = at;
  network_.wake_at(index_, at, kFirstTimer + lcore.number);
}

void Host::arm_all(Picos now) {
  for (const auto& lcore : lcores_) arm(*lcore, now);
}

}  // namespace sluice::sim
