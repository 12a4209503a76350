// SPDX-License-Identifier: Apache-2.0
#include "engine/paths.h"

#include <algorithm>
#include <utility>

namespace sluice::engine {
namespace {

// Control packets go before data: a session that comes up serves all of its calls.
constexpr uint8_t kControlPriority = 7;

}  // namespace

Paths::Paths(Setup setup) : setup_(std::move(setup)), entries_(limits::kMaxRoutes) {
  for (const PortFacts& port : setup_.ports) tables_.emplace_back(port.neighbours);
  for (uint32_t i = limits::kMaxRoutes; i > 0; --i) free_.push_back(i - 1);
}

int Paths::find_port(const wire::IpAddress& destination) const {
  int found = -1;
  for (size_t port = 0; port < tables_.size(); ++port) {
    const auto next_hop = tables_[port].next_hop(destination);
    if (!next_hop) continue;
    if (*next_hop == destination) return static_cast<int>(port);
    if (found < 0) found = static_cast<int>(port);
  }
  return found;
}

void Paths::announce(uint8_t port, base::Nanos now) {
  tables_[port].announce(now);
  after_neighbours(port, now);
}

void Paths::on_neighbour_frame(uint8_t port, std::span<const uint8_t> frame,
                               const wire::ParsedFrame& parsed, base::Nanos now) {
  tables_[port].on_frame(frame, parsed, now);
  after_neighbours(port, now);
}

void Paths::after_neighbours(uint8_t port, base::Nanos now) {
  NeighbourTable& table = tables_[port];
  for (const wire::IpAddress& changed : table.take_changes()) {
    const auto mac = table.resolve(changed, now);
    if (!mac) continue;
    for (uint32_t handle = 0; handle < entries_.size(); ++handle) {
      auto& entry = entries_[handle];
      if (!entry || entry->route.port != port || !(entry->next_hop == changed)) continue;
      entry->route.frame.set_destination_mac(*mac);
      entry->route.valid = true;
      setup_.set_route(handle, entry->route);
    }
    send_waiting(port, changed, *mac);
  }
  for (const NeighbourFrame& frame : table.take_frames()) {
    setup_.send_frame(port, {frame.bytes.data(), frame.size});
  }
}

void Paths::send_waiting(uint8_t port, const wire::IpAddress& next_hop,
                         const wire::MacAddress& mac) {
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    if (each->port == port && each->next_hop == next_hop) {
      send_on(port, each->to, mac, each->packet);
      each = waiting_.erase(each);
    } else {
      ++each;
    }
  }
}

wire::FramePath Paths::frame_path(uint8_t port, const transport::PeerAddress& to,
                                  const wire::MacAddress& mac) const {
  const NeighbourConfig& own = setup_.ports[port].neighbours;
  return {.source_mac = own.mac,
          .destination_mac = mac,
          .vlan = own.vlan,
          .source = tables_[port].own_address(to.ip.v4).value_or(wire::IpAddress{}),
          .destination = to.ip,
          .destination_port = to.port,
          .encapsulation = setup_.encapsulation,
          .native_protocol = setup_.native_protocol};
}

void Paths::send_on(uint8_t port, const transport::PeerAddress& to, const wire::MacAddress& mac,
                    std::span<const uint8_t> packet) {
  std::vector<uint8_t> buffer(wire::kMaxFrameHeaderSize + packet.size());
  uint8_t* start = buffer.data() + wire::kMaxFrameHeaderSize;
  std::copy(packet.begin(), packet.end(), start);
  const wire::FrameTemplate frame(frame_path(port, to, mac));
  const size_t header =
      frame.prepend(start, packet.size(), setup_.base_port, kControlPriority, false);
  setup_.send_frame(port, {start - header, header + packet.size()});
}

bool Paths::send_packet(const transport::PeerAddress& to, std::span<const uint8_t> packet,
                        base::Nanos now) {
  const int found = find_port(to.ip);
  if (found < 0) return false;
  const auto port = static_cast<uint8_t>(found);
  const wire::IpAddress next_hop = *tables_[port].next_hop(to.ip);
  const auto mac = tables_[port].resolve(next_hop, now);
  after_neighbours(port, now);
  if (mac) {
    send_on(port, to, *mac, packet);
  } else if (waiting_.size() < limits::kMaxWaitingFrames) {
    waiting_.push_back(
        {port, next_hop, to, {packet.begin(), packet.end()}, base::after(now, kPatience)});
  } else {
    setup_.stats->drop_tx.add();
  }
  return true;
}

std::optional<uint32_t> Paths::acquire(const transport::PeerAddress& to, base::Nanos now) {
  const auto known = by_peer_.find(to);
  if (known != by_peer_.end()) {
    ++entries_[known->second]->users;
    return known->second;
  }
  const int found = find_port(to.ip);
  if (found < 0) return std::nullopt;
  if (free_.empty()) {
    setup_.stats->limit_routes.add();
    return std::nullopt;
  }
  const auto port = static_cast<uint8_t>(found);
  const uint32_t handle = free_.back();
  free_.pop_back();
  Entry entry;
  entry.peer = to;
  entry.next_hop = *tables_[port].next_hop(to.ip);
  entry.users = 1;
  const auto mac = tables_[port].resolve(entry.next_hop, now);
  entry.route.frame =
      wire::FrameTemplate(frame_path(port, to, mac.value_or(wire::MacAddress::broadcast())));
  entry.route.port = port;
  entry.route.checksum_offload =
      setup_.ports[port].checksum_offload && setup_.encapsulation == wire::Encapsulation::kUdp;
  entry.route.valid = mac.has_value();
  entries_[handle] = entry;
  by_peer_[to] = handle;
  setup_.set_route(handle, entry.route);
  after_neighbours(port, now);
  return handle;
}

void Paths::release(uint32_t handle) {
  auto& entry = entries_[handle];
  if (!entry || --entry->users > 0) return;
  setup_.set_route(handle, Route{});
  by_peer_.erase(entry->peer);
  entry.reset();
  free_.insert(free_.begin(), handle);  // The last to be used again.
}

base::Nanos Paths::next_deadline() const {
  base::Nanos first = by_peer_.empty() ? base::Nanos::max() : next_touch_;
  for (const NeighbourTable& table : tables_) first = std::min(first, table.next_deadline());
  for (const Waiting& each : waiting_) first = std::min(first, each.expires);
  return first;
}

void Paths::on_deadline(base::Nanos now) {
  if (next_touch_ <= now) {
    next_touch_ = base::after(now, kTouch);
    for (const auto& [peer, handle] : by_peer_) {
      const Entry& entry = *entries_[handle];
      tables_[entry.route.port].resolve(entry.next_hop, now);
    }
  }
  for (size_t port = 0; port < tables_.size(); ++port) {
    tables_[port].on_deadline(now);
    after_neighbours(static_cast<uint8_t>(port), now);
  }
  const size_t before = waiting_.size();
  std::erase_if(waiting_, [&](const Waiting& each) { return each.expires <= now; });
  setup_.stats->drop_tx.add(before - waiting_.size());
}

}  // namespace sluice::engine
