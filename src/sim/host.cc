// SPDX-License-Identifier: Apache-2.0
#include "sim/host.h"

#include <algorithm>

#include "base/check.h"
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

Host::Host(uint32_t index, const transport::EndpointConfig& config, crypto::AeadBackend* backend,
           Network* network, MessageLog* log, Traffic* traffic)
    : index_(index),
      max_packet_(config.max_packet),
      ranked_(network->ranked()),
      pulled_(network->host_model(index).ring_bytes == 0),
      network_(*network),
      log_(*log),
      traffic_(traffic),
      endpoint_(config, backend, &virtual_primitives()),
      peers_(network->topology().hosts),
      lane_peer_(config.max_lanes) {
  SLUICE_CHECK(config.bundle_message_max <= sizeof(kPayload));
  network_.attach(index, this);
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
  transport::LaneRef& lane = peers_[peer].lane;
  SLUICE_CHECK(endpoint_.submit(command, to_nanos(network_.now()), &lane) == base::Code::kOk);
  lane_peer_[lane.index] = static_cast<uint16_t>(peer);
  arm(network_.now());
}

void Host::submit(uint32_t dst, uint32_t size) {
  const Waiting message{dst, size, peers_[dst].next_service++, false};
  log_.submitted(static_cast<uint16_t>(index_), static_cast<uint16_t>(dst), message.service, size,
                 network_.now());
  enqueue(message);
}

void Host::request(uint32_t dst, uint32_t size) { call(dst, size, false); }

void Host::pull(uint32_t dst, uint32_t size) { call(dst, size, true); }

void Host::call(uint32_t dst, uint32_t size, bool pull) {
  const Waiting message{dst, size, peers_[dst].next_service++, true};
  log_.submitted(static_cast<uint16_t>(dst), static_cast<uint16_t>(index_), message.service, size,
                 network_.now(), pull);
  enqueue(message);
}

void Host::enqueue(const Waiting& message) {
  if (!backlog_.empty() || !try_submit(message)) {
    ++counters_.backlogged;
    backlog_.push_back(message);
  }
  settle(network_.now());
}

bool Host::try_submit(const Waiting& message) {
  const base::Nanos now = to_nanos(network_.now());
  transport::SubmitResult result;
  if (message.request) {
    transport::SendRequest command;
    command.lane = peers_[message.dst].lane;
    command.service = message.service;
    command.data = kPayload;
    command.length = kRequestBytes;
    result = endpoint_.submit(command, now);
  } else {
    transport::SendOneWay command;
    command.lane = peers_[message.dst].lane;
    command.service = message.service;
    command.data = kPayload;
    command.length = message.size;
    command.lazy_ack = true;  // Delivery is what counts here.
    result = endpoint_.submit(command, now);
  }
  SLUICE_CHECK(result.ok() || result.code == base::Code::kResourceExhausted);
  return result.ok();
}

// The log knows how long a response the caller wants.
void Host::answer(const transport::Event& event, Picos now) {
  const uint16_t caller = lane_peer_[event.lane.index];
  transport::Respond response;
  response.exchange = event.exchange;
  response.data = kPayload;
  response.length = log_.size_of(static_cast<uint16_t>(index_), caller, event.service);
  const base::Code code = endpoint_.submit(response, to_nanos(now));
  SLUICE_CHECK(code == base::Code::kOk || code == base::Code::kCancelled);
}

void Host::take_response(const transport::Event& event, Picos now) {
  if (event.code == base::Code::kOk) {
    const uint16_t callee = lane_peer_[event.lane.index];
    const MessageRecord& record =
        log_.delivered(callee, static_cast<uint16_t>(index_), event.service, event.length, now);
    if (record.pull) traffic_->on_pulled(index_, now);
  } else {
    ++counters_.failed;
  }
  const transport::ReleaseMessage release{event.exchange};
  SLUICE_CHECK(endpoint_.submit(release, to_nanos(now)) == base::Code::kOk);
}

void Host::wake_traffic(Picos at) {
  if (at >= traffic_at_) return;
  traffic_at_ = at;
  network_.wake_at(index_, at, kTraffic);
}

void Host::on_packet(PacketHandle handle, Picos now) {
  PacketPool& pool = network_.pool();
  Packet& packet = pool[handle];
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
    endpoint_.on_rx({&rx, 1}, to_nanos(now));
  }
  pool.release(handle);
  settle(now);
}

void Host::on_ring_room(Picos now) {
  if (transmit(now)) arm(now);
}

void Host::on_wake(Picos now, uint64_t cookie) {
  if (cookie == kTraffic) {
    if (now != traffic_at_) return;  // Replaced by an earlier time since.
    traffic_at_ = Picos::max();
    traffic_->on_time(index_, now);
    return;
  }
  if (cookie == kLink) return on_ring_room(now);
  if (now == armed_) armed_ = Picos::max();
  if (endpoint_.next_deadline() <= to_nanos(now)) endpoint_.on_deadline(to_nanos(now));
  settle(now);
}

void Host::settle(Picos now) {
  take_events(now);
  transmit(now);
  arm(now);
}

void Host::take_events(Picos now) {
  transport::Event events[8];
  size_t count;
  do {
    count = endpoint_.poll_events(events);
    for (size_t i = 0; i < count; ++i) on_event(events[i], now);
  } while (count == std::size(events));
  while (!backlog_.empty() && try_submit(backlog_.front())) backlog_.pop_front();
}

void Host::on_event(const transport::Event& event, Picos now) {
  switch (event.kind) {
    case transport::EventKind::kOneWay: {
      const uint16_t src = lane_peer_[event.lane.index];
      log_.delivered(src, static_cast<uint16_t>(index_), event.service, event.length, now);
      const transport::ReleaseMessage release{event.exchange};
      SLUICE_CHECK(endpoint_.submit(release, to_nanos(now)) == base::Code::kOk);
      if (traffic_ != nullptr) traffic_->on_delivered(src, now);
      return;
    }
    case transport::EventKind::kRequest:
      return answer(event, now);
    case transport::EventKind::kCallDone:
      return take_response(event, now);
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
    transport::TxPacket slots[kSlots];
    for (uint32_t i = 0; i < offered; ++i) {
      slots[i].data = pool[spare_[spares_ - 1 - i]].bytes;
      slots[i].capacity = max_packet_;
    }
    const size_t used = endpoint_.poll_tx({slots, offered}, to_nanos(now));
    for (size_t i = 0; i < used; ++i) hand_over(slots[i], spare_[--spares_]);
    sent |= used != 0;
    if (used < offered) return sent;
  }
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

void Host::arm(Picos now) {
  const Picos at = std::max(to_picos(endpoint_.next_deadline()), now);
  if (at >= armed_ || at == Picos::max()) return;
  armed_ = at;
  network_.wake_at(index_, at, kTimer);
}

}  // namespace sluice::sim
