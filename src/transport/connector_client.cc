// SPDX-License-Identifier: Apache-2.0
//
// The connector's client side: attempts, their repetition by timer, and their end.
#include <algorithm>

#include "base/byte_order.h"
#include "base/check.h"
#include "transport/connector.h"

namespace sluice::transport {

std::string Connector::refusal_text(const crypto::HandshakeOutcome& outcome) {
  std::string out =
      outcome.by_peer ? "the peer refused the handshake: " : "the handshake was refused here: ";
  out += crypto::refuse_reason_text(outcome.reason);
  if (!outcome.detail.empty()) out += " (" + outcome.detail + ")";
  return out;
}

uint64_t Connector::new_attempt_id() {
  for (;;) {
    uint8_t bytes[8];
    random_(bytes, sizeof(bytes));
    const uint64_t attempt = base::load_be64(bytes);
    if (clients_.find(attempt) == clients_.end()) return attempt;
  }
}

Connector::ConnectResult Connector::connect(const PeerAddress& peer, const std::string& peer_name,
                                            base::Nanos deadline, base::Nanos now,
                                            crypto::ClientOffer offer) {
  if (peer.port == 0 || peer.ip.is_unspecified()) return {base::Code::kInvalidArgument, {}};
  if (deadline <= now) return {base::Code::kDeadlineExceeded, {}};
  if (clients_.size() >= config_.max_attempts) {
    stats_.limit_attempts.add();
    return {base::Code::kResourceExhausted, {}};
  }
  const auto session = ids_.allocate();
  if (!session) {
    stats_.limit_sessions.add();
    return {base::Code::kResourceExhausted, {}};
  }
  mechanism_->advance(now);
  const uint64_t attempt = new_attempt_id();
  const auto client = clients_.try_emplace(attempt).first;
  ClientAttempt& state = client->second;
  state.id = ++last_connect_;
  state.peer = peer;
  state.session = *session;
  state.deadline = deadline;
  state.interval = config_.retry_initial;
  state.handshake = mechanism_->new_client(attempt, parameters_for(*session), peer_name);
  state.offers_early = !offer.early.empty();
  state.handshake->offer(std::move(offer));
  if (const auto token = address_tokens_.find(peer); token != address_tokens_.end()) {
    state.token = token->second;
  }
  attempt_of_.emplace(state.id, attempt);
  client_timers_.emplace(state.timer, attempt);
  stats_.started.add();
  const ConnectId id = state.id;
  if (!build_hello(attempt, &state)) {
    fail_client(client, base::Code::kInternal, "the handshake has no hello to send");
    return {base::Code::kOk, id};
  }
  send_flight(client, now);
  return {base::Code::kOk, id};
}

bool Connector::expects_early(base::SessionId local) const {
  return std::any_of(clients_.begin(), clients_.end(), [local](const auto& client) {
    return client.second.session == local && client.second.offers_early;
  });
}

base::Code Connector::cancel(ConnectId id) {
  const auto at = attempt_of_.find(id);
  if (at == attempt_of_.end()) return base::Code::kNotFound;
  fail_client(clients_.find(at->second), base::Code::kCancelled, "the connect was cancelled");
  return base::Code::kOk;
}

void Connector::on_server_packet(const PeerAddress& from, const wire::HandshakeView& packet,
                                 base::Nanos now) {
  const auto client = clients_.find(packet.connection_id());
  if (client == clients_.end() || client->second.peer != from) return stats_.drop_unknown.add();
  const auto message = join(&client->second.joiner, packet, packet.fragment());
  if (!message) return;
  switch (static_cast<crypto::HandshakeType>(packet.message_type())) {
    case crypto::HandshakeType::kHelloRetry:
      return on_hello_retry(client, *message, now);
    case crypto::HandshakeType::kRefuse:
      return on_refuse(client, *message, now);
    default:
      break;
  }
  const auto type = static_cast<crypto::HandshakeType>(packet.message_type());
  mechanism_->advance(now);
  client_outcome(client, client->second.handshake->on_message(type, *message), now);
}

void Connector::on_hello_retry(Clients::iterator client, std::span<const uint8_t> body,
                               base::Nanos now) {
  ClientAttempt& state = client->second;
  if (body.size() < 2 || body[0] != body.size() - 1 || body[0] > crypto::kMaxTokenSize) {
    return stats_.drop_malformed.add();
  }
  const Token token(body.begin() + 1, body.end());
  if (state.progressed || token == state.token) return stats_.drop_unexpected.add();
  state.token = token;
  if (!build_hello(client->first, &state)) return stats_.drop_unexpected.add();
  stats_.retries_received.add();
  if (++state.retries > kMaxRetries) return stats_.limit_retries.add();
  state.interval = config_.retry_initial;
  send_flight(client, now);
}

void Connector::on_refuse(Clients::iterator client, std::span<const uint8_t> body,
                          base::Nanos now) {
  ClientAttempt& state = client->second;
  if (body.size() != 1) return stats_.drop_malformed.add();
  // PROTOCOL MUST-H14
  if (state.progressed) return stats_.drop_unexpected.add();
  stats_.refuses_received.add();
  const bool first = state.hint == crypto::RefuseReason::kNone;
  state.hint = static_cast<crypto::RefuseReason>(body[0]);
  if (!first) return;
  state.patience_end = base::after(now, config_.refused_patience);
  arm_client(client);
}

// A server's token is of use until its process ends; then it costs that server's HELLO_RETRY, as
// none would.
void Connector::keep_token(const PeerAddress& server, const std::vector<uint8_t>& token) {
  if (token.empty()) return;
  if (address_tokens_.size() >= base::limits::kMaxAddressTokens &&
      address_tokens_.find(server) == address_tokens_.end()) {
    stats_.limit_tokens.add();
    address_tokens_.erase(address_tokens_.begin());
  }
  address_tokens_[server] = token;
}

// The session is there; it is told once, and what is left of the handshake is this object's own.
void Connector::client_established(Clients::iterator client) {
  ClientAttempt& state = client->second;
  if (state.established) return;
  const crypto::HandshakeResult& result = state.handshake->result();
  state.established = true;
  keep_token(state.peer, result.address_token);
  establish(result, state.peer, state.id);
  attempt_of_.erase(state.id);
}

void Connector::client_outcome(Clients::iterator client, const crypto::HandshakeOutcome& outcome,
                               base::Nanos now) {
  ClientAttempt& state = client->second;
  switch (outcome.step) {
    case crypto::HandshakeStep::kIgnored:
      state.unauthentic |= outcome.cause == crypto::IgnoreCause::kNotAuthentic;
      return count_ignored(outcome.cause);
    case crypto::HandshakeStep::kRefused:
      say_refusal(client, outcome, now);
      state.hint = outcome.reason;
      state.refused_here = !outcome.by_peer;
      return fail_client(client, base::Code::kPermissionDenied, refusal_text(outcome));
    case crypto::HandshakeStep::kNeedMore:
      state.progressed = true;
      if (outcome.send.empty()) return;
      if (!build_flight(client->first, outcome.send, &state)) {
        return fail_client(client, base::Code::kInternal, "a handshake message is too long");
      }
      state.interval = config_.retry_initial;
      count_early(outcome.early);
      if (outcome.usable) {
        client_established(client);
        // From here on it is the server that is waited for, and not the caller that waits.
        state.deadline = base::after(now, config_.pending_timeout);
      }
      return send_flight(client, now);
    case crypto::HandshakeStep::kEstablished:
      if (outcome.ticket_refused) stats_.tickets_refused.add();
      client_established(client);
      return erase_client(client);
  }
}

bool Connector::build_flight(uint64_t attempt,
                             const std::vector<crypto::HandshakeMessage>& messages,
                             ClientAttempt* client) const {
  client->flight.clear();
  for (const auto& message : messages) {
    if (!split_message(attempt, message.type, client->token, message.bytes, &client->flight)) {
      return false;
    }
  }
  return true;
}

bool Connector::build_hello(uint64_t attempt, ClientAttempt* client) const {
  const auto outcome =
      client->handshake->begin(client->token, full_hello_size(client->token.size()));
  return outcome.step == crypto::HandshakeStep::kNeedMore &&
         build_flight(attempt, outcome.send, client);
}

// A hello without a token goes out by its first packet alone: no more of it would be kept.
void Connector::send_flight(Clients::iterator client, base::Nanos now) {
  ClientAttempt& state = client->second;
  if (state.token.empty() && !state.progressed) {
    send_packets(state.peer, {state.flight.front()}, config_.max_queued_packets);
  } else {
    send_packets(state.peer, state.flight, config_.max_queued_packets);
  }
  uint8_t noise = 0;
  random_(&noise, 1);
  // Up to an eighth later, so that clients that began together do not stay together.
  const base::Nanos jitter = state.interval / 8 * noise / 256;
  state.next_send = base::after(now, state.interval + jitter);
  state.interval = std::min(state.interval * 2, config_.retry_max);
  arm_client(client);
}

void Connector::arm_client(Clients::iterator client) {
  ClientAttempt& state = client->second;
  client_timers_.erase({state.timer, client->first});
  state.timer = std::min({state.next_send, state.deadline, state.patience_end});
  client_timers_.emplace(state.timer, client->first);
}

void Connector::on_client_timer(Clients::iterator client, base::Nanos now) {
  if (now >= std::min(client->second.deadline, client->second.patience_end)) {
    return give_up(client);
  }
  stats_.retransmitted.add();
  send_flight(client, now);
}

void Connector::give_up(Clients::iterator client) {
  const ClientAttempt& state = client->second;
  if (state.hint != crypto::RefuseReason::kNone && !state.progressed) {
    return fail_client(
        client, base::Code::kPermissionDenied,
        std::string("the peer refused the handshake: ") + crypto::refuse_reason_text(state.hint));
  }
  if (state.progressed) {
    return fail_client(client, base::Code::kUnavailable,
                       "the peer fell silent during the handshake");
  }
  if (state.unauthentic && mechanism_->id() == crypto::HandshakeMechanismId::kPsk) {
    return fail_client(client, base::Code::kPermissionDenied,
                       "the peer's answers do not prove its identity: the two sides do not hold "
                       "the same key");
  }
  if (state.retries > 0) {
    return fail_client(client, base::Code::kUnavailable,
                       "the peer answered but did not complete the handshake in time");
  }
  fail_client(client, base::Code::kUnavailable, "no answer from the peer");
}

// For the other side's log, and so that it need not wait for the rest of the handshake.
void Connector::say_refusal(Clients::iterator client, const crypto::HandshakeOutcome& outcome,
                            base::Nanos now) {
  Farewell farewell;
  farewell.peer = client->second.peer;
  for (const auto& message : outcome.send) {
    if (!split_message(client->first, message.type, {}, message.bytes, &farewell.packets)) return;
  }
  if (farewell.packets.empty()) return;
  send_packets(farewell.peer, farewell.packets, config_.max_queued_packets);
  if (farewells_.size() >= config_.max_attempts) farewells_.pop_front();
  farewell.interval = config_.retry_initial;
  farewell.next = base::after(now, farewell.interval);
  farewell.left = kRefusalRepeats;
  farewells_.push_back(std::move(farewell));
}

void Connector::repeat_refusals(base::Nanos now) {
  for (Farewell& each : farewells_) {
    if (each.next > now) continue;
    stats_.refusals_repeated.add();
    send_packets(each.peer, each.packets, config_.max_queued_packets);
    each.interval = each.interval * 2;
    each.next = base::after(now, each.interval);
    --each.left;
  }
  std::erase_if(farewells_, [](const Farewell& each) { return each.left == 0; });
}

void Connector::fail_client(Clients::iterator client, base::Code code, std::string reason) {
  const ClientAttempt& state = client->second;
  if (state.established) {
    withdraw(state.session, state.peer, std::move(reason));
    return erase_client(client);
  }
  ConnectorEvent event;
  event.kind = ConnectorEventKind::kFailed;
  event.connect = state.id;
  event.initiator = true;
  event.peer = state.peer;
  event.code = code;
  event.reason = std::move(reason);
  event.refuse = state.hint;
  event.refused_here = state.refused_here;
  events_.push_back(std::move(event));
  stats_.failed.add();
  ids_.release(state.session);
  erase_client(client);
}

void Connector::erase_client(Clients::iterator client) {
  client_timers_.erase({client->second.timer, client->first});
  attempt_of_.erase(client->second.id);
  clients_.erase(client);
}

}  // namespace sluice::transport
