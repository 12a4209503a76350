// SPDX-License-Identifier: Apache-2.0
#include "transport/connector.h"

#include <algorithm>

#include "base/check.h"
#include "transport/config.h"

namespace sluice::transport {
namespace {

// Fits the rate over any tenth of a second.
uint32_t burst_of(uint32_t rate) { return rate / 10 + 1; }

bool rate_usable(uint32_t rate) { return rate >= 1 && rate <= 1'000'000'000; }

}  // namespace

const char* connector_config_error(const ConnectorConfig& config) {
  crypto::SessionParameters parameters = config.parameters;
  parameters.session_id = base::SessionId(1);
  if (parameters.aeads.empty()) return "no AEAD algorithm is offered: name at least one";
  if (parameters.base_port == 0) return "the base UDP port is 0: choose one from 1 to 65535";
  if (!crypto::parameters_valid(parameters)) {
    return "the session parameters are out of range (lanes, packet size, message size, versions, "
           "plaintext beside other algorithms)";
  }
  if (config.max_sessions < 1 || config.max_sessions > SessionIds::kMaxSlots) {
    return "max_sessions must be 1 to 65536";
  }
  if (!rate_usable(config.unproved_rate) || !rate_usable(config.proved_rate)) {
    return "unproved_rate and proved_rate must be 1 to 1000000000 a second";
  }
  if (config.max_queued_packets < 2 * wire::kMaxHandshakeFragments) {
    return "max_queued_packets must be at least 32";
  }
  if (config.retry_initial == base::Nanos::zero() || config.retry_max < config.retry_initial) {
    return "retry_initial must be above 0 and not above retry_max";
  }
  return nullptr;
}

Connector::Connector(const ConnectorConfig& config, crypto::HandshakeMechanism* mechanism,
                     const crypto::Primitives* primitives, crypto::RandomSource random)
    : config_(config),
      mechanism_(mechanism),
      random_(random),
      cookies_(primitives, random),
      ids_(config.max_sessions, random),
      unproved_(config.unproved_rate, burst_of(config.unproved_rate)),
      proved_(config.proved_rate, burst_of(config.proved_rate)) {
  SLUICE_CHECK(connector_config_error(config) == nullptr);
  random_(instance_.data(), instance_.size());
}

Connector::~Connector() = default;

bool Connector::release_session(base::SessionId local) { return ids_.release(local); }

void Connector::on_packet(const PeerAddress& from, std::span<const uint8_t> packet,
                          base::Nanos now) {
  stats_.rx_packets.add();
  const auto view = wire::HandshakeView::parse(packet.data(), packet.size());
  if (!view || packet.size() > kHandshakePacketSize) return stats_.drop_malformed.add();
  const auto type = static_cast<crypto::HandshakeType>(view->message_type());
  if (crypto::sent_by_client(type)) return on_client_packet(from, *view, now);
  if (crypto::sent_by_server(type)) return on_server_packet(from, *view, now);
  stats_.drop_type.add();
}

bool Connector::prepare() {
  if (!mechanism_->prepare()) return false;
  stats_.prepared.add();
  return true;
}

size_t Connector::poll_tx(std::span<HandshakePacket> slots) {
  const size_t count = std::min(slots.size(), queue_.size());
  for (size_t i = 0; i < count; ++i) {
    slots[i] = std::move(queue_.front());
    queue_.pop_front();
  }
  stats_.tx_packets.add(count);
  return count;
}

base::Nanos Connector::next_deadline() const {
  base::Nanos out = base::Nanos::max();
  if (!client_timers_.empty()) out = std::min(out, client_timers_.begin()->first);
  if (!server_timers_.empty()) out = std::min(out, server_timers_.begin()->first);
  for (const Farewell& each : farewells_) out = std::min(out, each.next);
  return out;
}

// A share of the shortest wait that ends for a peer's silence.
base::Nanos Connector::stall_limit() const {
  return std::min(config_.refused_patience, config_.pending_timeout) / kOwnStallShare;
}

// Moves on what ends for a peer's silence, so that its packets, which may lie unread in a queue,
// are heard before. Deadlines of connects are their callers' and stay.
void Connector::excuse(base::Nanos late, base::Nanos now) {
  stats_.stalls.add();
  const base::Nanos soonest = base::after(now, stall_limit());
  for (auto client = clients_.begin(); client != clients_.end(); ++client) {
    ClientAttempt& state = client->second;
    if (state.patience_end == base::Nanos::max()) continue;
    state.patience_end = std::max(base::after(state.patience_end, late), soonest);
    arm_client(client);
  }
  for (auto& [key, state] : servers_) {
    if (state.ended) continue;
    server_timers_.erase({state.expires, key});
    state.expires = std::max(base::after(state.expires, late), soonest);
    server_timers_.emplace(state.expires, key);
  }
}

void Connector::on_deadline(base::Nanos now) {
  const base::Nanos late = base::elapsed(next_deadline(), now);
  if (late > stall_limit()) excuse(late, now);
  repeat_refusals(now);
  while (!client_timers_.empty() && client_timers_.begin()->first <= now) {
    on_client_timer(clients_.find(client_timers_.begin()->second), now);
  }
  while (!server_timers_.empty() && server_timers_.begin()->first <= now) {
    const auto server = servers_.find(server_timers_.begin()->second);
    if (!server->second.ended) stats_.pending_expired.add();
    erase_server(server);
  }
}

size_t Connector::poll_events(std::span<ConnectorEvent> slots) {
  const size_t count = std::min(slots.size(), events_.size());
  for (size_t i = 0; i < count; ++i) {
    if (events_.front().kind == ConnectorEventKind::kRefusedPeer) --refusal_events_;
    slots[i] = std::move(events_.front());
    events_.pop_front();
  }
  return count;
}

void Connector::send_packets(const PeerAddress& to, const std::vector<PacketBytes>& packets,
                             size_t queue_limit) {
  for (const PacketBytes& packet : packets) {
    if (queue_.size() >= queue_limit) {
      stats_.limit_queue.add();
      continue;
    }
    queue_.push_back({to, packet});
  }
}

void Connector::send_message(const PeerAddress& to, uint64_t attempt, crypto::HandshakeType type,
                             std::span<const uint8_t> bytes, size_t queue_limit) {
  std::vector<PacketBytes> packets;
  SLUICE_CHECK(split_message(attempt, type, {}, bytes, &packets));
  send_packets(to, packets, queue_limit);
}

void Connector::count_ignored(crypto::IgnoreCause cause) {
  switch (cause) {
    case crypto::IgnoreCause::kMalformed:
      return stats_.drop_malformed.add();
    case crypto::IgnoreCause::kNotAuthentic:
      return stats_.drop_not_authentic.add();
    case crypto::IgnoreCause::kUnexpected:
    case crypto::IgnoreCause::kNone:
      return stats_.drop_unexpected.add();
  }
}

std::optional<std::vector<uint8_t>> Connector::join(MessageJoiner* joiner,
                                                    const wire::HandshakeView& packet,
                                                    std::span<const uint8_t> fragment) {
  auto message = joiner->add(packet, fragment);
  if (joiner->pushed_out()) stats_.limit_joins.add();
  return message;
}

crypto::SessionParameters Connector::parameters_for(base::SessionId session) const {
  crypto::SessionParameters out = config_.parameters;
  out.session_id = session;
  if (config_.esp) out.esp_base = SessionIds::esp_base(session);
  out.instance = instance_;
  return out;
}

// A session that its server has before the client's end of the handshake replaces none yet: that
// takes a client that is there (MUST-H15).
void Connector::establish(const crypto::HandshakeResult& result, const PeerAddress& peer,
                          ConnectId connect) {
  ConnectorEvent event;
  event.early = !result.early.empty() || result.early_taken != 0;
  event.kind = ConnectorEventKind::kEstablished;
  event.connect = connect;
  event.initiator = connect.value() != 0;
  event.peer = peer;
  event.result = result;
  if (event.initiator || !event.early) {
    event.replaced = ids_.establish(result.local.session_id, peer, result.peer.instance);
    stats_.replaced.add(event.replaced.size());
  }
  if (result.resumed) stats_.resumed.add();
  (event.initiator ? stats_.established_client : stats_.established_server).add();
  events_.push_back(std::move(event));
}

void Connector::withdraw(base::SessionId session, const PeerAddress& peer, std::string reason) {
  stats_.early_withdrawn.add();
  ConnectorEvent event;
  event.kind = ConnectorEventKind::kWithdrawn;
  event.peer = peer;
  event.code = base::Code::kUnavailable;
  event.reason = std::move(reason);
  event.result.local.session_id = session;
  events_.push_back(std::move(event));
}

}  // namespace sluice::transport
