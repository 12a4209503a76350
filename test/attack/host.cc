// SPDX-License-Identifier: Apache-2.0
//
// One host of the world: what joins a connector and an endpoint in an engine, without its threads.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/limits.h"
#include "crypto/boringssl/module.h"
#include "crypto/handshake_steps.h"
#include "wire/frame.h"
#include "world.h"

namespace sluice::attack {
namespace {

constexpr size_t kSlots = 32;
constexpr size_t kBufferBytes = 2048;

bool is_noise(std::string_view name) {
  return name.starts_with("dropped.") || name.starts_with("limit.") ||
         name.find(".dropped.") != name.npos || name.find(".limit.") != name.npos ||
         name == "packets.received" || name == "bytes.received" || name == "handshake.received";
}

// Counted, and no more: what was answered without state, or was not believed.
bool is_answer(std::string_view name) {
  return name == "handshake.retries_sent" || name == "handshake.refuses_sent" ||
         name == "handshake.refuses_received" || name == "handshake.duplicates" ||
         name == "handshake.wrong_key" || name == "handshake.incompatible" ||
         name == "handshake.tokens_used";
}

crypto::ResetToken told(const crypto::ResetToken& token, const wire::IpAddress& from) {
  return crypto::told_reset_token(sluice_boringssl_v1()->primitives, token, from);
}

}  // namespace

std::string difference(const Snapshot& before, const Snapshot& after) {
  for (const auto& [name, value] : after.counters) {
    const auto old = before.counters.find(name);
    if (old == before.counters.end() || old->second != value) {
      return name + " " + std::to_string(old == before.counters.end() ? 0 : old->second) + " -> " +
             std::to_string(value);
    }
  }
  if (before.lanes != after.lanes) return "a lane";
  for (size_t i = 0; i < after.others.size(); ++i) {
    if (before.others[i] != after.others[i]) return "figure " + std::to_string(i);
  }
  return before == after ? "" : "something";
}

Host::Host(const HostConfig& config, crypto::HandshakeMechanism* mechanism,
           crypto::AeadBackend* backend)
    : config_(config),
      random_(config.seed),
      mechanism_(mechanism),
      connector_(config.connector, mechanism, &sluice_boringssl_v1()->primitives, random_.source()),
      endpoint_(config.endpoint, backend, &sluice_boringssl_v1()->primitives),
      resets_(base::limits::kMaxResetsPerSecond, base::limits::kMaxResetsPerSecond) {}

void Host::arrive(const transport::PeerAddress& from, Bytes bytes, bool esp, base::Nanos now) {
  transport::RxPacket packet;
  // The endpoint opens in place; the bytes are this call's own.
  packet.data = bytes.data();
  packet.length = esp ? 0 : static_cast<uint32_t>(bytes.size());
  packet.esp_length = esp ? static_cast<uint16_t>(bytes.size()) : uint16_t{0};
  endpoint_.on_rx({&packet, 1}, now);
  switch (packet.verdict) {
    case transport::Verdict::kConsumed:
      break;
    case transport::Verdict::kHandshake:
      connector_.on_packet(from, bytes, now);
      break;
    case transport::Verdict::kReset:
      on_reset(from, bytes, now);
      break;
    case transport::Verdict::kUnknownSession:
      on_unknown_session(from, bytes, now);
      break;
  }
}

void Host::on_reset(const transport::PeerAddress& from, const Bytes& bytes, base::Nanos now) {
  const auto view = wire::ResetView::parse(bytes.data(), bytes.size());
  if (!view) return;
  for (const auto& [id, session] : sessions_) {
    if (session.remote.value() != view->session() || session.peer.ip != from.ip) continue;
    const bool right = session.reset_token.has_value() &&
                       std::ranges::equal(view->token(), told(*session.reset_token, from.ip));
    if (!right) continue;
    ++resets_obeyed_;
    endpoint_.submit(transport::Suspect{session.lane}, now);
  }
}

void Host::on_unknown_session(const transport::PeerAddress& from, const Bytes& bytes,
                              base::Nanos now) {
  const auto view = wire::CommonView::parse(bytes.data(), bytes.size());
  if (!view || connector_.session_ids().in_use(base::SessionId(view->session()))) return;
  if (!resets_.take(now)) {
    ++limit_reset_rate_;
    return;
  }
  wire::ResetPacket reset;
  reset.session = view->session();
  reset.lane = view->lane();
  const crypto::ResetToken token =
      told(mechanism_->reset_token(base::SessionId(view->session())), config_.address.ip);
  std::copy(token.begin(), token.end(), reset.token);
  Bytes out(wire::ResetPacket::kSize);
  reset.emit(out.data());
  to_say_.push_back({{from.ip, config_.address.port}, std::move(out)});
}

void Host::establish(const transport::ConnectorEvent& event, base::Nanos now) {
  const crypto::HandshakeResult& result = event.result;
  transport::InstallLane command;
  command.local_session = result.local.session_id;
  command.remote_session = result.peer.session_id;
  command.initiator = event.initiator;
  command.algorithm = result.agreement.aead;
  command.split = result.agreement.split;
  command.records = crypto::record_mode(result.local, result.peer, result.agreement.aead) ==
                    crypto::RecordMode::kOn;
  if (crypto::esp_agreed(result.local, result.peer, result.agreement.aead)) {
    command.esp = {result.local.esp_base, result.peer.esp_base, wire::kProtocolNative};
  }
  crypto::derive_lane_secrets(sluice_boringssl_v1()->primitives, result.secrets.secret,
                              event.initiator, 0, &command.secrets);
  command.peer_max_packet = result.peer.max_packet;
  command.peer_unscheduled_bytes = result.peer.unscheduled_bytes;
  command.peer_max_message =
      static_cast<uint32_t>(std::min<uint64_t>(result.peer.max_message_bytes, UINT32_MAX));
  transport::LaneRef lane;
  if (endpoint_.submit(command, now, &lane) != base::Code::kOk) {
    connector_.release_session(result.local.session_id);
    return;
  }
  Session session{lane, event.peer, result.peer.session_id, std::nullopt};
  // Known with the end of the handshake.
  if (!event.early || event.initiator) session.reset_token = result.peer_reset_token;
  sessions_[result.local.session_id] = session;
  uint64_t id = 0;
  if (!event.initiator) {
    for (const crypto::EarlyRequest& request : result.early) {
      endpoint_.submit(transport::TakeEarly{.lane = lane,
                                            .id = ++id,
                                            .service = request.service,
                                            .data = request.bytes.data(),
                                            .length = static_cast<uint16_t>(request.bytes.size())},
                       now);
    }
  }
  if (on_session) on_session(*this, event, lane, now);
}

void Host::end(base::SessionId session, base::Nanos now) {
  const auto found = sessions_.find(session);
  if (found != sessions_.end()) endpoint_.submit(transport::CloseLane{found->second.lane}, now);
}

void Host::on_lane_down(transport::LaneRef lane) {
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second.lane != lane) continue;
    connector_.release_session(it->first);
    sessions_.erase(it);
    return;
  }
}

void Host::take_events(base::Nanos now) {
  transport::ConnectorEvent event;
  while (connector_.poll_events({&event, 1}) == 1) {
    ++connector_events_;
    for (const base::SessionId old : event.replaced) end(old, now);
    switch (event.kind) {
      case transport::ConnectorEventKind::kEstablished:
        establish(event, now);
        break;
      case transport::ConnectorEventKind::kConfirmed: {
        const auto found = sessions_.find(event.result.local.session_id);
        if (found != sessions_.end()) found->second.reset_token = event.result.peer_reset_token;
        break;
      }
      case transport::ConnectorEventKind::kWithdrawn:
        end(event.result.local.session_id, now);
        break;
      case transport::ConnectorEventKind::kFailed:
        failures.push_back(event.reason);
        break;
      case transport::ConnectorEventKind::kRefusedPeer:
        break;
    }
  }
  transport::Event events[16];
  for (size_t count = endpoint_.poll_events(events); count > 0;
       count = endpoint_.poll_events(events)) {
    for (size_t i = 0; i < count; ++i) {
      if (events[i].kind == transport::EventKind::kLaneDown) on_lane_down(events[i].lane);
      if (on_event) on_event(*this, events[i], now);
    }
  }
}

void Host::transmit(base::Nanos now, const Say& say) {
  for (auto& [to, bytes] : to_say_) say(to, std::move(bytes), false);
  to_say_.clear();
  transport::HandshakePacket handshake;
  while (connector_.poll_tx({&handshake, 1}) == 1) {
    say(handshake.to, std::move(handshake.bytes), false);
  }
  std::array<uint8_t, kSlots * kBufferBytes> buffers;
  size_t used;
  do {
    std::array<transport::TxPacket, kSlots> slots{};
    for (size_t i = 0; i < kSlots; ++i) {
      slots[i].data = buffers.data() + i * kBufferBytes + wire::kEspHeaderSize;
      slots[i].capacity = config_.endpoint.max_packet;
    }
    used = endpoint_.poll_tx(slots, now);
    for (size_t i = 0; i < used; ++i) {
      // Every lane of this world leads to the other host.
      say({}, Bytes(slots[i].data, slots[i].data + slots[i].length),
          slots[i].piece == transport::kWholeEsp);
    }
  } while (used == kSlots);
}

void Host::work(base::Nanos now, const Say& say) {
  if (connector_.next_deadline() <= now) connector_.on_deadline(now);
  if (endpoint_.next_deadline() <= now) endpoint_.on_deadline(now);
  take_events(now);
  transmit(now, say);
}

base::Nanos Host::next_deadline() const {
  return std::min(connector_.next_deadline(), endpoint_.next_deadline());
}

std::vector<transport::LaneRef> Host::lanes() const {
  std::vector<transport::LaneRef> out;
  for (const auto& [id, session] : sessions_) out.push_back(session.lane);
  return out;
}

Snapshot Host::snapshot() const {
  Snapshot out;
  const auto keep = [&](const char* name, const char*, uint64_t value) {
    if (!is_noise(name) && !is_answer(name)) out.counters[name] = value;
  };
  transport::for_each_counter(endpoint_.stats(), keep);
  transport::for_each_counter(connector_.stats(), keep);
  std::array<transport::LaneSnapshot, 64> lanes;
  const size_t count = endpoint_.snapshot_lanes(lanes);
  for (size_t i = 0; i < count; ++i) {
    const transport::LaneSnapshot& lane = lanes[i];
    out.lanes.push_back({lane.ref.index, lane.local_session.value(), lane.send_epoch,
                         lane.receive_epoch, lane.exchanges, lane.packet_bytes,
                         lane.smoothed_rtt.value(), lane.last_heard.value()});
  }
  out.others = {endpoint_.idle(),       endpoint_.next_deadline().value(),
                endpoint_.has_events(), connector_.attempts(),
                connector_.pending(),   connector_.lingering(),
                sessions_.size(),       connector_.session_ids().used(),
                resets_obeyed_,         connector_events_};
  return out;
}

}  // namespace sluice::attack
