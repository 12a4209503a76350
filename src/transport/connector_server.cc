// SPDX-License-Identifier: Apache-2.0
//
// The connector's server side: proof of address, proof of key, and answers to repetitions. It
// never repeats anything by itself.
#include <algorithm>

#include "base/check.h"
#include "transport/connector.h"

namespace sluice::transport {

void Connector::on_client_packet(const PeerAddress& from, const wire::HandshakeView& packet,
                                 base::Nanos now) {
  const ServerKey key{from, packet.connection_id()};
  const auto type = static_cast<crypto::HandshakeType>(packet.message_type());
  if (type == crypto::HandshakeType::kClientHello) return on_hello_packet(key, packet, now);
  const auto server = servers_.find(key);
  if (server == servers_.end() || !server->second.handshake) return stats_.drop_unknown.add();
  const auto message = join(&server->second.joiner, packet, packet.fragment());
  if (!message) return;
  const bool repeated = server->second.ended;
  mechanism_->advance(now);
  server_outcome(server, server->second.handshake->on_message(type, *message), repeated, now);
}

void Connector::on_hello_packet(const ServerKey& key, const wire::HandshakeView& packet,
                                base::Nanos now) {
  const auto hello = split_hello_fragment(packet.fragment());
  if (!hello) return stats_.drop_malformed.add();
  if (!hello->token.empty() && config_.accept && address_proved(key, hello->token, now)) {
    return on_proved_hello(key, *hello, packet, now);
  }
  if (packet.fragment_index() == 0) answer_unproved(key, packet.size(), now);
}

// By the cookie of this handshake, or by the token of an earlier one.
bool Connector::address_proved(const ServerKey& key, std::span<const uint8_t> token,
                               base::Nanos now) {
  const auto address = key.peer.encode();
  auto verdict = cookies_.check(token, address, key.attempt, now);
  if (verdict == crypto::CookieVerdict::kForged) {
    verdict = cookies_.check_token(token, key.peer.encode_host(), now);
    if (verdict == crypto::CookieVerdict::kValid) stats_.tokens_used.add();
  }
  if (verdict == crypto::CookieVerdict::kForged) stats_.drop_cookie_forged.add();
  if (verdict == crypto::CookieVerdict::kExpired) stats_.drop_cookie_expired.add();
  return verdict == crypto::CookieVerdict::kValid;
}

// Everything said to an address that has proved nothing: far shorter than what came from it, at a
// bounded rate, and in no more than half of the queue.
void Connector::answer_unproved(const ServerKey& key, size_t packet_size, base::Nanos now) {
  // PROTOCOL MUST-H7
  if (packet_size < kHandshakePacketSize) return stats_.drop_short_hello.add();
  if (!unproved_.take(now)) return stats_.limit_unproved_rate.add();
  const size_t queue_limit = config_.max_queued_packets / 2;
  if (!config_.accept) {
    const auto reason = static_cast<uint8_t>(crypto::RefuseReason::kNotAccepting);
    stats_.refuses_sent.add();
    return send_message(key.peer, key.attempt, crypto::HandshakeType::kRefuse, {&reason, 1},
                        queue_limit);
  }
  const crypto::Cookie cookie = cookies_.make(key.peer.encode(), key.attempt, now);
  std::vector<uint8_t> body{static_cast<uint8_t>(cookie.size())};
  body.insert(body.end(), cookie.begin(), cookie.end());
  stats_.retries_sent.add();
  send_message(key.peer, key.attempt, crypto::HandshakeType::kHelloRetry, body, queue_limit);
}

void Connector::on_proved_hello(const ServerKey& key, const HelloFragment& hello,
                                const wire::HandshakeView& packet, base::Nanos now) {
  if (!proved_.take(now)) return stats_.limit_proved_rate.add();
  if (packet.fragment_count() > mechanism_->max_hello_fragments()) {
    return stats_.drop_malformed.add();
  }
  auto server = servers_.find(key);
  if (server == servers_.end()) {
    const crypto::RefuseReason reason = admit(key);
    if (reason != crypto::RefuseReason::kNone) return refuse(key, reason);
    server = insert_pending(key, now);
  }
  PendingServer& state = server->second;
  const auto message = join(&state.joiner, packet, hello.fragment);
  if (!message) return;
  const bool repeated = state.handshake != nullptr;
  if (!repeated) {
    if ((*message)[0] != static_cast<uint8_t>(mechanism_->id())) {
      erase_server(server);
      return refuse(key, crypto::RefuseReason::kMechanism);
    }
    mechanism_->advance(now);
    state.handshake = mechanism_->new_server(key.attempt, parameters_for(state.session));
    state.handshake->give_address_token(cookies_.make_token(key.peer.encode_host(), now));
  }
  server_outcome(server, state.handshake->on_hello(hello.token, *message), repeated, now);
}

crypto::RefuseReason Connector::admit(const ServerKey& key) {
  if (pending() >= config_.max_pending) {
    stats_.limit_pending.add();
    return crypto::RefuseReason::kBusy;
  }
  // The map is ordered by address, so one address's entries stand together.
  uint32_t same = 0;
  for (auto at = servers_.lower_bound({{key.peer.ip, 0}, 0});
       at != servers_.end() && at->first.peer.ip == key.peer.ip; ++at) {
    if (!at->second.ended) ++same;
  }
  if (same >= config_.max_pending_per_address) {
    stats_.limit_address.add();
    return crypto::RefuseReason::kBusy;
  }
  if (ids_.used() == ids_.capacity()) {
    stats_.limit_sessions.add();
    return crypto::RefuseReason::kBusy;
  }
  return crypto::RefuseReason::kNone;
}

Connector::Servers::iterator Connector::insert_pending(const ServerKey& key, base::Nanos now) {
  const auto session = ids_.allocate();
  SLUICE_CHECK(session.has_value());
  const auto server = servers_.try_emplace(key).first;
  server->second.session = *session;
  server->second.expires = base::after(now, config_.pending_timeout);
  server_timers_.emplace(server->second.expires, key);
  return server;
}

void Connector::count_early(crypto::EarlyVerdict verdict) {
  switch (verdict) {
    case crypto::EarlyVerdict::kTaken:
      return stats_.early_taken.add();
    case crypto::EarlyVerdict::kReplayed:
      return stats_.early_replayed.add();
    case crypto::EarlyVerdict::kFull:
      return stats_.limit_strikes.add();
    case crypto::EarlyVerdict::kRefused:
      return stats_.early_refused.add();
    case crypto::EarlyVerdict::kNone:
      return;
  }
}

void Connector::server_established(Servers::iterator server) {
  const PeerAddress& peer = server->first.peer;
  const crypto::HandshakeResult& result = server->second.handshake->result();
  if (!server->second.early) return establish(result, peer, ConnectId());
  // The session may have ended meanwhile, like any other.
  if (!ids_.in_use(result.local.session_id)) return;
  ConnectorEvent event;
  event.kind = ConnectorEventKind::kConfirmed;
  event.peer = peer;
  event.result = result;
  event.replaced = ids_.establish(result.local.session_id, peer, result.peer.instance);
  stats_.replaced.add(event.replaced.size());
  events_.push_back(std::move(event));
}

void Connector::server_outcome(Servers::iterator server, const crypto::HandshakeOutcome& outcome,
                               bool repeated, base::Nanos now) {
  const ServerKey key = server->first;
  switch (outcome.step) {
    case crypto::HandshakeStep::kIgnored:
      return count_ignored(outcome.cause);
    case crypto::HandshakeStep::kRefused:
      return server_refused(server, outcome, now);
    case crypto::HandshakeStep::kNeedMore:
    case crypto::HandshakeStep::kEstablished:
      break;
  }
  if (repeated) stats_.duplicates.add();
  for (const auto& message : outcome.send) {
    send_message(key.peer, key.attempt, message.type, message.bytes, config_.max_queued_packets);
  }
  if (!repeated) count_early(outcome.early);
  if (outcome.usable && !repeated) {
    establish(server->second.handshake->result(), key.peer, ConnectId());
    server->second.early = true;
  }
  if (outcome.step != crypto::HandshakeStep::kEstablished) return;
  server_established(server);
  linger(server, now);
}

// A refusal that the client can verify is repeated as often as it asks, like any last message; a
// plain one is told once. One that came from the client needs no answer.
void Connector::server_refused(Servers::iterator server, const crypto::HandshakeOutcome& outcome,
                               base::Nanos now) {
  const ServerKey key = server->first;
  if (outcome.send.empty()) {
    erase_server(server);
    if (!outcome.by_peer) return refuse(key, outcome.reason);
  } else {
    for (const auto& message : outcome.send) {
      send_message(key.peer, key.attempt, message.type, message.bytes, config_.max_queued_packets);
    }
    stats_.refuses_sent.add();
    give_up_session(server, refusal_text(outcome));
    linger(server, now);
  }
  stats_.unauthorized.add();
  report_refusal(key, outcome.reason, !outcome.by_peer, refusal_text(outcome));
}

// Keeps the ended handshake for repetitions of the client's last message, in case the answer is
// lost. The session's id now belongs to the session, or is free again.
void Connector::linger(Servers::iterator server, base::Nanos now) {
  if (lingering_.size() >= config_.max_pending && !lingering_.empty()) {
    stats_.limit_linger.add();
    erase_server(servers_.find(lingering_.front()));
  }
  PendingServer& state = server->second;
  server_timers_.erase({state.expires, server->first});
  state.ended = true;
  state.expires = base::after(now, config_.linger);
  server_timers_.emplace(state.expires, server->first);
  lingering_.push_back(server->first);
}

void Connector::refuse(const ServerKey& key, crypto::RefuseReason reason) {
  switch (reason) {
    case crypto::RefuseReason::kKey:
      stats_.wrong_key.add();
      break;
    case crypto::RefuseReason::kMalformed:
      stats_.drop_malformed.add();
      break;
    case crypto::RefuseReason::kBusy:
      break;
    default:
      stats_.incompatible.add();
      break;
  }
  const auto body = static_cast<uint8_t>(reason);
  stats_.refuses_sent.add();
  send_message(key.peer, key.attempt, crypto::HandshakeType::kRefuse, {&body, 1},
               config_.max_queued_packets / 2);
  report_refusal(key, reason, true,
                 std::string("a peer was refused: ") + crypto::refuse_reason_text(reason));
}

void Connector::report_refusal(const ServerKey& key, crypto::RefuseReason reason, bool here,
                               std::string text) {
  if (refusal_events_ >= config_.max_refusal_events) return stats_.limit_refusal_events.add();
  ++refusal_events_;
  ConnectorEvent event;
  event.kind = ConnectorEventKind::kRefusedPeer;
  event.peer = key.peer;
  event.code = base::Code::kPermissionDenied;
  event.reason = std::move(text);
  event.refuse = reason;
  event.refused_here = here;
  events_.push_back(std::move(event));
}

// An id that belongs to a session already is its owner's to give back.
void Connector::give_up_session(Servers::iterator server, std::string reason) {
  const PendingServer& state = server->second;
  if (state.early) return withdraw(state.session, server->first.peer, std::move(reason));
  ids_.release(state.session);
}

void Connector::erase_server(Servers::iterator server) {
  const PendingServer& state = server->second;
  server_timers_.erase({state.expires, server->first});
  if (state.ended) {
    lingering_.erase(std::find(lingering_.begin(), lingering_.end(), server->first));
  } else {
    give_up_session(server, "the peer did not finish the handshake in time");
  }
  servers_.erase(server);
}

}  // namespace sluice::transport
