// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_host.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::sim {
namespace {

// What Packet::user says of a TCP packet; Sluice leaves it 0.
constexpr uint64_t kIsTcp = 1ull << 63;
constexpr uint64_t kIsAck = 1ull << 62;
constexpr uint64_t kEcho = 1ull << 61;  // Of a mark.
constexpr uint32_t kFlowShift = 44;
constexpr uint64_t kFlowMask = (1u << 17) - 1;
constexpr uint64_t kNumberMask = (1ull << kFlowShift) - 1;

}  // namespace

TcpFlows::TcpFlows(const TcpFlowConfig& config, uint32_t mtu, uint8_t priority)
    : config_(config), mtu_(mtu), priority_(priority) {}

void TcpFlows::add(uint32_t src, uint32_t dst) {
  SLUICE_CHECK(flows_.size() <= kFlowMask);
  flows_.emplace_back(static_cast<uint16_t>(src), static_cast<uint16_t>(dst), config_);
}

uint64_t TcpFlows::received_bytes() const {
  uint64_t segments = 0;
  for (const Flow& flow : flows_) segments += flow.receiver.received();
  return segments * segment_bytes();
}

uint64_t TcpFlows::repeated() const {
  uint64_t sum = 0;
  for (const Flow& flow : flows_) sum += flow.sender.repeated();
  return sum;
}

uint64_t TcpFlows::timeouts() const {
  uint64_t sum = 0;
  for (const Flow& flow : flows_) sum += flow.sender.timeouts();
  return sum;
}

TcpHost::TcpHost(uint32_t index, HostPort* sluice, Network* network, TcpFlows* flows)
    : index_(index), sluice_(*sluice), network_(*network), all_(*flows) {
  SLUICE_CHECK(network->host_model(index).ring_bytes == 0);
  for (uint32_t i = 0; i < flows->flows().size(); ++i) {
    if (flows->flows()[i].src == index) mine_.push_back(i);
  }
  network->attach(index, this);
}

void TcpHost::start(Picos now) { settle(now); }

void TcpHost::on_packet(PacketHandle handle, Picos now) {
  const Packet packet = network_.pool()[handle];
  if ((packet.user & kIsTcp) == 0) {
    take_turn(now);
    const bool was_free = link_is_free(now);
    sluice_.on_packet(handle, now);
    note_turn(was_free, now);
    return settle(now);
  }
  network_.pool().release(handle);
  const auto index = static_cast<uint32_t>(packet.user >> kFlowShift & kFlowMask);
  const uint64_t number = packet.user & kNumberMask;
  TcpFlows::Flow& flow = all_.flows()[index];
  if ((packet.user & kIsAck) != 0) {
    flow.sender.on_ack(number, (packet.user & kEcho) != 0, now);
  } else {
    const bool marked = packet.ecn == Ecn::kCongestionExperienced;
    acks_.push_back({index, flow.receiver.on_segment(number), marked});
  }
  settle(now);
}

void TcpHost::on_ring_room(Picos now) { sluice_.on_ring_room(now); }

void TcpHost::on_wake(Picos now, uint64_t cookie) {
  take_turn(now);
  if (cookie == kTimer) {
    if (now == armed_) armed_ = Picos::max();
    for (const uint32_t flow : mine_) all_.flows()[flow].sender.on_timer(now);
  } else {
    const bool was_free = link_is_free(now);
    if (cookie == kLink) {
      if (was_free) sluice_.on_ring_room(now);
    } else {
      sluice_.on_wake(now, cookie);
    }
    note_turn(was_free, now);
  }
  settle(now);
}

void TcpHost::take_turn(Picos now) {
  if (my_turn_ && link_is_free(now) && send_one(now)) my_turn_ = false;
}

void TcpHost::note_turn(bool was_free, Picos now) {
  if (was_free && !link_is_free(now)) my_turn_ = true;
}

// What the link has no turn for now waits until it is free.
void TcpHost::settle(Picos now) {
  while (link_is_free(now) && send_one(now)) my_turn_ = false;
  const Picos free_at = network_.link_free_at(index_);
  if (free_at > link_wake_ && has_packet()) {
    link_wake_ = free_at;
    network_.wake_at(index_, free_at, kLink);
  }
  arm(now);
}

bool TcpHost::has_packet() {
  return !acks_.empty() || std::any_of(mine_.begin(), mine_.end(), [this](uint32_t flow) {
    return all_.flows()[flow].sender.has_segment();
  });
}

bool TcpHost::send_one(Picos now) {
  if (!acks_.empty()) {
    const Ack ack = acks_.front();
    acks_.pop_front();
    put(ack.flow, ack.next_expected, kIsAck | (ack.marked ? kEcho : 0), kMinWireBytes);
    return true;
  }
  for (size_t i = 0; i < mine_.size(); ++i) {
    const uint32_t flow = mine_[(next_flow_ + i) % mine_.size()];
    TcpSender& sender = all_.flows()[flow].sender;
    if (!sender.has_segment()) continue;
    next_flow_ = (next_flow_ + i + 1) % mine_.size();
    put(flow, sender.take_segment(now), 0, all_.wire_bytes());
    return true;
  }
  return false;
}

void TcpHost::put(uint32_t flow, uint64_t number, uint64_t flags, uint32_t wire_bytes) {
  const TcpFlows::Flow& ends = all_.flows()[flow];
  const bool is_ack = (flags & kIsAck) != 0;
  const PacketHandle handle = network_.pool().allocate();
  SLUICE_CHECK(handle != kNoPacket);
  Packet& packet = network_.pool()[handle];
  packet.length = wire_bytes - kFramingBytes;
  packet.wire_bytes = wire_bytes;
  packet.src = static_cast<uint16_t>(index_);
  packet.dst = is_ack ? ends.src : ends.dst;
  packet.entropy = static_cast<uint16_t>(flow);
  packet.keeps_path = true;
  packet.priority = all_.priority();
  // Acknowledgements are not marked (RFC 3168, section 6.1.4).
  const bool marks = !is_ack && ends.sender.control().wants_marks();
  packet.ecn = marks ? Ecn::kEct0 : Ecn::kNotEct;
  packet.user = kIsTcp | flags | uint64_t{flow} << kFlowShift | (number & kNumberMask);
  SLUICE_CHECK(network_.send(index_, handle));
}

void TcpHost::arm(Picos now) {
  Picos first = Picos::max();
  for (const uint32_t flow : mine_) {
    first = std::min(first, all_.flows()[flow].sender.deadline());
  }
  first = std::max(first, now);
  if (first >= armed_ || first == Picos::max()) return;
  armed_ = first;
  network_.wake_at(index_, first, kTimer);
}

}  // namespace sluice::sim
