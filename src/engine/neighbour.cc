// SPDX-License-Identifier: Apache-2.0
#include "engine/neighbour.h"

#include <algorithm>
#include <utility>

namespace sluice::engine {
namespace {

// Whether the first `bits` of both wire forms agree.
bool same_network(const IpPrefix& prefix, const wire::IpAddress& address) {
  if (prefix.address.v4 != address.v4) return false;
  const uint8_t* a = prefix.address.wire_bytes();
  const uint8_t* b = address.wire_bytes();
  const size_t whole = prefix.length / 8;
  if (!std::equal(a, a + whole, b)) return false;
  const unsigned rest = prefix.length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff00u >> rest);
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

// An entry looked up this recently is kept fresh and not thrown out.
constexpr base::Nanos kInUse = base::seconds(120);

}  // namespace

NeighbourTable::NeighbourTable(const NeighbourConfig& config) : config_(config) {}

std::optional<wire::IpAddress> NeighbourTable::own_address(bool v4) const {
  for (const IpPrefix& prefix : config_.addresses) {
    if (prefix.address.v4 == v4) return prefix.address;
  }
  return std::nullopt;
}

std::optional<wire::IpAddress> NeighbourTable::next_hop(const wire::IpAddress& destination) const {
  for (const IpPrefix& prefix : config_.addresses) {
    if (same_network(prefix, destination)) return destination;
  }
  if (!own_address(destination.v4)) return std::nullopt;
  for (const wire::IpAddress& gateway : config_.gateways) {
    if (gateway.v4 == destination.v4) return gateway;
  }
  return std::nullopt;
}

bool NeighbourTable::ours(const wire::IpAddress& address) const {
  return std::any_of(config_.addresses.begin(), config_.addresses.end(),
                     [&](const IpPrefix& prefix) { return prefix.address == address; });
}

std::optional<wire::MacAddress> NeighbourTable::resolve(const wire::IpAddress& neighbour,
                                                        base::Nanos now) {
  auto found = entries_.find(neighbour);
  if (found == entries_.end()) {
    if (!own_address(neighbour.v4)) return std::nullopt;
    if (entries_.size() >= config_.max_entries && !make_room(now)) {
      stats_.limit_entries.add();
      return std::nullopt;
    }
    Entry entry;
    entry.interval = config_.ask_first;
    found = entries_.emplace(neighbour, entry).first;
    found->second.used = now;
    ask(neighbour, &found->second, now);
  }
  found->second.used = now;
  return found->second.mac;
}

bool NeighbourTable::make_room(base::Nanos now) {
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (oldest == entries_.end() || entry->second.used < oldest->second.used) oldest = entry;
  }
  if (oldest == entries_.end()) return false;
  if (oldest->second.mac && base::elapsed(oldest->second.used, now) < kInUse) return false;
  entries_.erase(oldest);
  return true;
}

void NeighbourTable::ask(const wire::IpAddress& neighbour, Entry* entry, base::Nanos now) {
  const auto own = own_address(neighbour.v4);
  NeighbourFrame frame;
  frame.size =
      wire::emit_neighbour_request(frame.bytes.data(), config_.mac, *own, neighbour, config_.vlan);
  frames_.push_back(frame);
  stats_.asked.add();
  entry->due = base::after(now, entry->interval);
  entry->interval = std::min(entry->interval + entry->interval, config_.ask_max);
}

void NeighbourTable::announce(base::Nanos now) {
  for (const IpPrefix& prefix : config_.addresses) {
    NeighbourFrame frame;
    if (prefix.address.v4) {
      frame.size = wire::emit_neighbour_request(frame.bytes.data(), config_.mac, prefix.address,
                                                prefix.address, config_.vlan);
    } else {
      // An advertisement to all nodes, as if an asker without an address had asked.
      wire::NeighbourEvent question;
      question.wanted = prefix.address;
      question.vlan = config_.vlan;
      frame.size = wire::emit_neighbour_reply(frame.bytes.data(), config_.mac, question);
    }
    frames_.push_back(frame);
  }
  // Those that did not answer may be there now.
  for (auto& [address, entry] : entries_) {
    if (entry.mac) continue;
    entry.interval = config_.ask_first;
    ask(address, &entry, now);
  }
}

void NeighbourTable::on_frame(std::span<const uint8_t> frame, const wire::ParsedFrame& parsed,
                              base::Nanos now) {
  const auto event = wire::parse_neighbour(frame.data(), frame.size(), parsed);
  if (!event) {
    stats_.malformed.add();
    return;
  }
  learn(*event, now);
  if (!event->asks || !ours(event->wanted)) return;
  NeighbourFrame reply;
  reply.size = wire::emit_neighbour_reply(reply.bytes.data(), config_.mac, *event);
  frames_.push_back(reply);
  stats_.answered.add();
}

void NeighbourTable::learn(const wire::NeighbourEvent& event, base::Nanos now) {
  if (!event.learned_ip || ours(*event.learned_ip)) return;
  auto found = entries_.find(*event.learned_ip);
  if (found == entries_.end()) {
    // Who asks for us is about to send to us, and answers will be wanted; others are no concern.
    if (!event.asks || !ours(event.wanted) || event.learned_ip->is_unspecified()) return;
    if (entries_.size() >= config_.max_entries && !make_room(now)) {
      stats_.limit_entries.add();
      return;
    }
    found = entries_.emplace(*event.learned_ip, Entry{}).first;
    found->second.used = now;
  }
  Entry& entry = found->second;
  const bool known = entry.mac.has_value();
  const bool same = known && *entry.mac == event.learned_mac;
  entry.interval = config_.ask_first;
  entry.due = base::after(now, config_.refresh);
  if (same) return;
  (known ? stats_.changed : stats_.learned).add();
  entry.mac = event.learned_mac;
  changes_.push_back(found->first);
}

base::Nanos NeighbourTable::next_deadline() const {
  base::Nanos first = base::Nanos::max();
  for (const auto& [address, entry] : entries_) first = std::min(first, entry.due);
  return first;
}

void NeighbourTable::on_deadline(base::Nanos now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    Entry& each = entry->second;
    if (each.due > now) {
      ++entry;
      continue;
    }
    const base::Nanos idle = base::elapsed(each.used, now);
    // Who never answered is asked only while somebody waits for it.
    if (idle > config_.forget || (!each.mac && idle > kInUse)) {
      entry = entries_.erase(entry);
      continue;
    }
    if (each.mac && idle > kInUse) {
      each.due = base::after(now, config_.refresh);
    } else {
      ask(entry->first, &each, now);
    }
    ++entry;
  }
}

std::vector<NeighbourFrame> NeighbourTable::take_frames() { return std::exchange(frames_, {}); }

std::vector<wire::IpAddress> NeighbourTable::take_changes() { return std::exchange(changes_, {}); }

}  // namespace sluice::engine
