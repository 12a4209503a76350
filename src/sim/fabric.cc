// SPDX-License-Identifier: Apache-2.0
#include "sim/fabric.h"

namespace sluice::sim {
namespace {

constexpr uint8_t kind_of(EventKind kind) { return static_cast<uint8_t>(kind); }

}  // namespace

Fabric::Fabric(const Topology& topology, const NetworkConfig& config)
    : model_(config.switches),
      hosts_(topology.hosts),
      pool_(config.packets, config.buffer_bytes),
      router_(topology, config.routing, config.seed),
      host_ports_(topology.hosts),
      switches_(topology.switches) {
  ports_.reserve(2 * topology.links.size());
  for (PortId id = 0; id < 2 * topology.links.size(); ++id) {
    const LinkSpec& link = topology.links[id / 2];
    const NodeId node = id % 2 == 0 ? link.a : link.b;
    // A host's ring is a FIFO whatever the switches are.
    Port& port = ports_.emplace_back(
        topology.is_host(node) ? Discipline::kStrict : model_.discipline, config.seed, id);
    port.node = node;
    port.peer = id % 2 == 0 ? link.b : link.a;
    port.picos_per_byte = picos_per_byte(link.gbps);
    port.from_host = topology.is_host(node);
    port.to_host = topology.is_host(port.peer);
    port.after_wire = link.delay;
    port.after_wire += port.from_host ? topology.host_transmit : Picos();
    port.after_wire += port.to_host ? topology.host_receive : topology.switch_latency;
    const uint64_t mark = port.to_host ? model_.ecn_host_bytes : model_.ecn_fabric_bytes;
    if (!port.from_host && mark != 0) port.mark_above = mark;
    port.loss.set_model(config.loss);
    port.lossy = port.loss.is_active();
    if (port.from_host) host_ports_[node] = id;
    far_ends_.push_back({port.peer, 0});
  }
}

void Fabric::send(uint32_t host, PacketHandle handle, Picos now) {
  const PortId id = host_ports_[host];
  Port& port = ports_[id];
  if (port.is_idle(now)) return start(id, port, handle, now);
  wait(id, port, handle, 0, now);
}

uint32_t Fabric::on_arrival(const Event& event) {
  const FarEnd end = far_ends_[static_cast<uint32_t>(event.b)];
  const PacketHandle handle = event.a;
  --wire_packets_;
  wire_bytes_ -= pool_[handle].wire_bytes;
  if (end.generation != event.b >> 32) [[unlikely]] {
    drop(handle, Drop::kLinkDown);
    return kNoHost;
  }
  if (end.peer < hosts_) return end.peer;
  forward(end.peer - hosts_, handle, event.time);
  return kNoHost;
}

void Fabric::forward(uint32_t switch_index, PacketHandle handle, Picos now) {
  Packet& packet = pool_[handle];
  const PortId id = router_.choose(switch_index, packet);
  if (id == kNoPort) [[unlikely]]
    return drop(handle, Drop::kNoRoute);
  ++packet.hops;
  Port& port = ports_[id];
  if (port.is_idle(now)) return start(id, port, handle, now);
  queue_at_switch(id, handle, now);
}

void Fabric::queue_at_switch(PortId id, PacketHandle handle, Picos now) {
  Port& port = ports_[id];
  SwitchState& state = switches_[port.node - hosts_];
  Packet& packet = pool_[handle];
  uint32_t cls = class_of(packet);
  if (!has_room(state, port, cls, packet.wire_bytes)) [[unlikely]] {
    if (model_.when_full == WhenFull::kDrop || !trim(packet)) {
      return drop(handle, Drop::kQueueFull);
    }
    cls = class_of(packet);
    if (!has_room_for_cut(state, port, packet.wire_bytes)) return drop(handle, Drop::kQueueFull);
  }
  if (port.gauge.bytes() > port.mark_above && packet.ecn != Ecn::kNotEct &&
      packet.ecn != Ecn::kCongestionExperienced) {
    packet.ecn = Ecn::kCongestionExperienced;
    ++totals_.marked_packets;
  }
  state.waiting += packet.wire_bytes;
  state.max_waiting = std::max(state.max_waiting, state.waiting);
  if (port.to_host) {
    state.downlinks += packet.wire_bytes;
    state.max_downlinks = std::max(state.max_downlinks, state.downlinks);
  }
  wait(id, port, handle, cls, now);
}

bool Fabric::has_room(const SwitchState& state, const Port& port, uint32_t cls,
                      uint64_t bytes) const {
  if (model_.port_bytes != 0 && port.gauge.bytes() + bytes > model_.port_bytes) return false;
  if (model_.buffer_bytes == 0) return true;
  const uint64_t free = model_.buffer_bytes - state.waiting;
  if (bytes > free) return false;
  return model_.alpha_sixteenths == 0 ||
         port.queue.class_bytes(cls) + bytes <= free * model_.alpha_sixteenths / 16;
}

// What is left of a cut packet passes by the limit of its queue, and may double what its port
// holds.
bool Fabric::has_room_for_cut(const SwitchState& state, const Port& port, uint64_t bytes) const {
  if (model_.port_bytes != 0 && port.gauge.bytes() + bytes > 2 * model_.port_bytes) return false;
  return model_.buffer_bytes == 0 || state.waiting + bytes <= model_.buffer_bytes;
}

// Cuts a packet that is longer than what a cut leaves; false if it is not.
bool Fabric::trim(Packet& packet) {
  if (packet.length <= model_.trim_bytes || packet.has(kTrimmed)) return false;
  const uint32_t before = packet.wire_bytes;
  packet.wire_bytes = std::min(before, framed_bytes(model_.trim_bytes));
  packet.length = model_.trim_bytes;
  packet.stored = std::min(packet.stored, packet.length);
  packet.priority = kMaxPriorities - 1;
  packet.flags |= kTrimmed;
  ++totals_.trimmed_packets;
  totals_.trimmed_bytes += before - packet.wire_bytes;
  return true;
}

void Fabric::wait(PortId id, Port& port, PacketHandle handle, uint32_t cls, Picos now) {
  port.gauge.add(pool_[handle].wire_bytes, now);
  port.queue.push(pool_, handle, cls);
  if (port.free_pending) return;
  port.free_pending = true;
  queue_.push(port.busy_until, kind_of(EventKind::kPortFree), id, 0);
}

void Fabric::on_port_free(PortId id, Picos now) {
  Port& port = ports_[id];
  const PacketHandle handle = port.queue.pop(pool_);
  const uint64_t bytes = pool_[handle].wire_bytes;
  port.gauge.subtract(bytes, now);
  if (!port.from_host) {
    SwitchState& state = switches_[port.node - hosts_];
    state.waiting -= bytes;
    if (port.to_host) state.downlinks -= bytes;
  }
  start(id, port, handle, now);
  port.free_pending = !port.queue.empty();
  if (port.free_pending) queue_.push(port.busy_until, kind_of(EventKind::kPortFree), id, 0);
}

// Begins to serialise the packet: the port is busy for that long, and one event brings the packet
// to the other end.
void Fabric::start(PortId id, Port& port, PacketHandle handle, Picos now) {
  Packet& packet = pool_[handle];
  port.busy_until = now + Picos(uint64_t{port.picos_per_byte} * packet.wire_bytes);
  if (!port.up) [[unlikely]]
    return drop(handle, Drop::kLinkDown);
  ++port.sent_packets;
  port.sent_bytes += packet.wire_bytes;
  if (port.lossy) [[unlikely]] {
    const WireFate fate = port.loss.next();
    if (fate == WireFate::kLost) return drop(handle, Drop::kLoss);
    if (fate == WireFate::kCorrupt) {
      packet.flags |= kCorrupt;
      ++totals_.corrupted_packets;
    }
  }
  ++wire_packets_;
  wire_bytes_ += packet.wire_bytes;
  queue_.push(port.busy_until + port.after_wire, kind_of(EventKind::kArrival), handle,
              uint64_t{far_ends_[id].generation} << 32 | id);
}

void Fabric::drop(PacketHandle handle, Drop cause) {
  ++totals_.dropped_packets[static_cast<uint32_t>(cause)];
  totals_.dropped_bytes[static_cast<uint32_t>(cause)] += pool_[handle].wire_bytes;
  pool_.release(handle);
}

bool Fabric::set_link(LinkId link, bool up) {
  if (link_is_up(link) == up) return false;
  for (const PortId id : {2 * link, 2 * link + 1}) {
    ports_[id].up = up;
    if (!up) ++far_ends_[id].generation;
  }
  return true;
}

void Fabric::set_rate(LinkId link, uint32_t gbps) {
  for (const PortId id : {2 * link, 2 * link + 1}) {
    ports_[id].picos_per_byte = picos_per_byte(gbps);
  }
}

void Fabric::set_loss(LinkId link, const LossModel& model) {
  for (const PortId id : {2 * link, 2 * link + 1}) {
    ports_[id].loss.set_model(model);
    ports_[id].lossy = ports_[id].loss.is_active();
  }
}

void Fabric::reroute() {
  std::vector<bool> up(ports_.size() / 2);
  for (LinkId link = 0; link < up.size(); ++link) up[link] = link_is_up(link);
  router_.recompute(up);
}

void Fabric::start_window(Picos now) {
  for (Port& port : ports_) port.gauge.start_window(now);
  for (SwitchState& state : switches_) {
    state.max_waiting = state.waiting;
    state.max_downlinks = state.downlinks;
  }
}

uint64_t Fabric::packets_inside() const {
  uint64_t packets = wire_packets_;
  for (const Port& port : ports_) packets += port.queue.packets();
  return packets;
}

uint64_t Fabric::bytes_inside() const {
  uint64_t bytes = wire_bytes_;
  for (const Port& port : ports_) bytes += port.gauge.bytes();
  return bytes;
}

}  // namespace sluice::sim
