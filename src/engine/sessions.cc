// SPDX-License-Identifier: Apache-2.0
#include "engine/sessions.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/audit.h"
#include "crypto/handshake_steps.h"
#include "crypto/key_schedule.h"
#include "engine/lcore.h"
#include "engine/limits.h"
#include "transport/commands.h"
#include "wire/header.h"
#include "wire/padding.h"

namespace sluice::engine {
namespace {

class InstallTask final : public ControlTask {
 public:
  InstallTask(const transport::InstallLane& command, const LaneInfo& lane, size_t position,
              const transport::PeerAddress& peer,
              std::shared_ptr<const crypto::Permissions> permitted)
      : command_(command),
        lane_(lane),
        position_(position),
        peer_(peer),
        permitted_(std::move(permitted)) {}
  // Lane 0: the session's first exchanges. As server, what the hello brought; as client, the calls
  // to begin, the first `taken` of which the peer has.
  void begin_with(std::vector<crypto::EarlyRequest> requests, std::shared_ptr<FirstCalls> calls,
                  uint8_t taken) {
    requests_ = std::move(requests);
    calls_ = std::move(calls);
    taken_ = taken;
  }

  void run(Lcore& lcore, LcoreContext& context) override {
    code_ = context.endpoint.submit(command_, context.now, &lane_.ref);
    command_.secrets.send.wipe();
    command_.secrets.receive.wipe();
    if (code_ != base::Code::kOk) return;
    if (Gate* gate = lcore.gate()) gate->set(lane_.ref, lane_.session, permitted_.get());
    lcore.application().on_lane(context, lane_, peer_, command_.initiator);
    // Before anything else can use the lane: the ids of both sides count from here.
    for (size_t i = 0; i < requests_.size(); ++i) {
      const crypto::EarlyRequest& request = requests_[i];
      context.endpoint.submit(
          transport::TakeEarly{.lane = lane_.ref,
                               .id = i + 1,
                               .service = request.service,
                               .data = request.bytes.data(),
                               .length = static_cast<uint16_t>(request.bytes.size())},
          context.now);
    }
    if (calls_ != nullptr) calls_->begin(context, lane_, taken_);
  }
  void done(Sessions& sessions, bool ran, base::Nanos /*now*/) override {
    const base::Code code = ran ? code_ : base::Code::kClosed;
    const bool installed = code == base::Code::kOk;
    sessions.on_installed(lane_.session, position_,
                          installed ? std::optional(lane_.ref) : std::nullopt, code);
  }

 private:
  transport::InstallLane command_;
  LaneInfo lane_;
  size_t position_;
  transport::PeerAddress peer_;
  std::shared_ptr<const crypto::Permissions> permitted_;
  std::vector<crypto::EarlyRequest> requests_;
  std::shared_ptr<FirstCalls> calls_;
  uint8_t taken_ = 0;
  base::Code code_ = base::Code::kClosed;
};

// Tells an lcore what a lane's peer may send from now on. What it was told before is kept until it
// has heard this.
class PermitTask final : public ControlTask {
 public:
  PermitTask(const LaneInfo& lane, std::shared_ptr<const crypto::Permissions> before,
             std::shared_ptr<const crypto::Permissions> permitted)
      : lane_(lane), before_(std::move(before)), permitted_(std::move(permitted)) {}
  void run(Lcore& lcore, LcoreContext& /*context*/) override {
    if (Gate* gate = lcore.gate()) gate->set(lane_.ref, lane_.session, permitted_.get());
  }

 private:
  LaneInfo lane_;
  std::shared_ptr<const crypto::Permissions> before_;
  std::shared_ptr<const crypto::Permissions> permitted_;
};

// CloseLane, Suspect or UpdateKeys. A lane that is gone already answers kNotFound, and then its
// end has been told.
template <class Command>
class LaneTask final : public ControlTask {
 public:
  explicit LaneTask(const Command& command) : command_(command) {}
  void run(Lcore& /*lcore*/, LcoreContext& context) override {
    context.endpoint.submit(command_, context.now);
  }

 private:
  Command command_;
};

// Closing a lane on an lcore that has stopped ends it at once: nobody will tell.
class CloseTask final : public ControlTask {
 public:
  CloseTask(const transport::CloseLane& command, uint8_t lcore)
      : command_(command), lcore_(lcore) {}
  void run(Lcore& /*lcore*/, LcoreContext& context) override {
    context.endpoint.submit(command_, context.now);
  }
  void done(Sessions& sessions, bool ran, base::Nanos /*now*/) override {
    if (!ran) sessions.on_lane_down(lcore_, command_.lane, command_.code);
  }

 private:
  transport::CloseLane command_;
  uint8_t lcore_;
};

// The wall clock can be set at any time; this is how late that may be noticed.
constexpr base::Nanos kWallClockLook = base::millis(250);

// The early requests of a hello as they would have come in the session: a client that did not know
// that the server asks for padding has sent them without (PROTOCOL MUST-L5).
std::vector<crypto::EarlyRequest> taken_early(const transport::ConnectorEvent& event) {
  std::vector<crypto::EarlyRequest> out = event.result.early;
  const bool plain = event.result.peer.padding != crypto::Padding::kAsked &&
                     event.result.local.padding == crypto::Padding::kAsked;
  if (plain) {
    for (crypto::EarlyRequest& request : out) request.bytes = wire::padded_message(request.bytes);
  }
  return out;
}

bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  if (a.size() != b.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<uint8_t>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

void ControlTask::finish(Lcore& lcore) {
  lcore.control().push_notice(
      {.kind = Notice::Kind::kTaskDone, .lcore = lcore.index(), .lane = {}, .task = this});
}

Sessions::Sessions(Setup setup) : setup_(std::move(setup)) {}

void Sessions::establish(const transport::ConnectorEvent& event, std::shared_ptr<FirstCalls> calls,
                         base::Nanos now) {
  for (const base::SessionId old : event.replaced) {
    close(old, base::Code::kUnavailable, "the peer restarted", false);
  }
  Session session;
  session.connect = event.connect;
  if (event.initiator || !event.early) session.reset_token = event.result.peer_reset_token;
  session.info.session = event.result.local.session_id;
  session.info.peer_session = event.result.peer.session_id;
  session.info.peer = {event.peer.ip, event.result.peer.base_port};
  session.info.initiator = event.initiator;
  session.info.algorithm = event.result.agreement.aead;
  session.info.record_mode =
      crypto::record_mode(event.result.local, event.result.peer, event.result.agreement.aead);
  session.info.padded = crypto::messages_padded(event.result.local, event.result.peer);
  session.info.peer_name = event.result.peer_name;
  session.info.peer_chain = event.result.peer_chain;
  if (!session.info.peer_name.empty()) {
    session.info.peer_key = crypto::audit_hash_text(event.result.peer_key_id);
  }
  session.certificates = event.result.peer_certificates;
  session.permitted = setup_.permissions(session.info.peer_name);
  session.info.expires_ns = event.result.expires_ns;
  session.own_expires_first = event.result.own_expires_first;
  if (session.info.expires_ns != crypto::kNeverExpires) {
    expiries_.emplace(session.info.expires_ns, session.info.session);
    next_expiry_ = now;
  }
  Session* placed = nullptr;
  {
    const std::lock_guard lock(mutex_);
    placed = &table_.insert_or_assign(session.info.session, std::move(session)).first->second;
  }
  by_peer_.emplace(PeerSession{placed->info.peer.ip, placed->info.peer_session},
                   placed->info.session);
  if (add_lanes(placed, event, calls, now)) {
    // The handshake was judged by the policy of its time, which may have been changed since.
    if (!setup_.may_connect(placed->info.peer_name)) deny(placed->info.session);
    return;
  }
  mark_closing(placed, base::Code::kResourceExhausted,
               "no route to the peer: no way, or the route table is full");
  if (placed->installing == 0) finish_install(placed);
}

void Sessions::confirm(const transport::ConnectorEvent& event) {
  for (const base::SessionId old : event.replaced) {
    close(old, base::Code::kUnavailable, "the peer restarted", false);
  }
  const auto found = table_.find(event.result.local.session_id);
  if (found != table_.end()) found->second.reset_token = event.result.peer_reset_token;
}

bool Sessions::installed(base::SessionId session) const {
  const auto found = table_.find(session);
  return found != table_.end() && found->second.installing == 0;
}

// Lane l of a session belongs to lcore l / Ls of the initiator and lcore l % Ls of the acceptor,
// which has Ls lcores.
bool Sessions::add_lanes(Session* session, const transport::ConnectorEvent& event,
                         const std::shared_ptr<FirstCalls>& calls, base::Nanos now) {
  const crypto::HandshakeResult& result = event.result;
  const uint8_t peer_lcores = result.peer.lanes;
  const uint8_t acceptor_lcores = event.initiator ? peer_lcores : setup_.lcores;
  const unsigned lanes = unsigned{setup_.lcores} * peer_lcores;
  const crypto::Secret& secret = result.secrets.secret;
  if (setup_.spi_lcores != nullptr) {
    setup_.spi_lcores->set(session->info.session, event.initiator ? peer_lcores : 0);
  }
  for (unsigned number = 0; number < lanes; ++number) {
    const auto of_initiator = static_cast<uint8_t>(number / acceptor_lcores);
    const auto of_acceptor = static_cast<uint8_t>(number % acceptor_lcores);
    LaneInfo lane;
    lane.session = session->info.session;
    lane.lane = static_cast<uint8_t>(number);
    lane.lcore = event.initiator ? of_initiator : of_acceptor;
    lane.peer_lcore = event.initiator ? of_acceptor : of_initiator;
    const transport::PeerAddress target{
        session->info.peer.ip, static_cast<uint16_t>(session->info.peer.port + lane.peer_lcore)};
    const auto route = setup_.paths->acquire(target, now);
    if (!route) return false;
    transport::InstallLane command;
    command.local_session = session->info.session;
    command.remote_session = session->info.peer_session;
    command.lane = lane.lane;
    command.initiator = event.initiator;
    command.algorithm = result.agreement.aead;
    command.records = session->info.record_mode == crypto::RecordMode::kOn;
    command.padded = session->info.padded;
    if (session->info.record_mode == crypto::RecordMode::kEsp) {
      command.esp = {result.local.esp_base, result.peer.esp_base, setup_.native_protocol};
    }
    crypto::derive_lane_secrets(*setup_.primitives, secret, event.initiator, lane.lane,
                                &command.secrets);
    command.split = result.agreement.split;
    command.route = *route;
    command.peer_max_packet = result.peer.max_packet;
    command.peer_unscheduled_bytes = result.peer.unscheduled_bytes;
    command.peer_max_message =
        static_cast<uint32_t>(std::min<uint64_t>(result.peer.max_message_bytes, UINT32_MAX));
    {
      const std::lock_guard lock(mutex_);
      session->info.lanes.push_back(lane);
    }
    session->lanes.push_back({LaneState::kInstalling, *route, session->permitted});
    ++session->installing;
    ++installing_;
    auto install = std::make_unique<InstallTask>(command, lane, session->lanes.size() - 1,
                                                 session->info.peer, session->permitted);
    if (lane.lane == 0) install->begin_with(taken_early(event), calls, result.early_taken);
    setup_.post(lane.lcore, install.release());
  }
  return true;
}

void Sessions::on_installed(base::SessionId id, size_t position,
                            std::optional<transport::LaneRef> ref, base::Code code) {
  --installing_;
  const auto found = table_.find(id);
  if (found == table_.end()) return;
  Session& session = found->second;
  --session.installing;
  if (ref) {
    {
      const std::lock_guard lock(mutex_);
      session.info.lanes[position].ref = *ref;
    }
    session.lanes[position].state = LaneState::kUp;
    permit(&session, position);
  } else {
    session.lanes[position].state = LaneState::kDown;
    if (!session.closing) {
      mark_closing(&session, code, "an lcore has no room for the session's lane");
    }
  }
  if (session.installing == 0) finish_install(&session);
}

void Sessions::finish_install(Session* session) {
  const base::SessionId id = session->info.session;
  const transport::ConnectId connect = session->connect;
  if (session->closing) {
    if (!session->announced) setup_.stats->install_failed.add();
    const std::string reason = session->reason;
    close_lanes(session);
    setup_.ready(connect, nullptr, reason);
    const auto again = table_.find(id);
    if (again != table_.end()) end_if_done(again);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    session->announced = true;
  }
  setup_.stats->sessions_up.add();
  const SessionInfo info = session->info;
  if (setup_.listener != nullptr) setup_.listener->on_session_up(setup_.node, info);
  setup_.ready(connect, &info, "");
}

void Sessions::mark_closing(Session* session, base::Code code, const std::string& reason) {
  if (session->announced && setup_.listener != nullptr) {
    setup_.listener->on_session_ending(setup_.node, session->info, code, reason);
  }
  const std::lock_guard lock(mutex_);
  session->closing = true;
  session->code = code;
  session->reason = reason;
}

void Sessions::close_lanes(Session* session) {
  for (size_t i = 0; i < session->lanes.size(); ++i) {
    if (session->lanes[i].state != LaneState::kUp) continue;
    const LaneInfo lane = session->info.lanes[i];
    setup_.post(
        lane.lcore,
        new CloseTask({.lane = lane.ref, .code = session->code, .tell_peer = session->tell_peer},
                      lane.lcore));
  }
}

bool Sessions::close(base::SessionId id, base::Code code, const std::string& reason,
                     bool tell_peer) {
  const auto found = table_.find(id);
  if (found == table_.end()) return false;
  Session& session = found->second;
  if (session.closing) return true;
  mark_closing(&session, code, reason);
  session.tell_peer = tell_peer;
  if (session.installing == 0) {
    close_lanes(&session);
    end_if_done(table_.find(id));
  }
  return true;
}

void Sessions::close_all(base::Code code, const std::string& reason, bool tell_peer) {
  std::vector<base::SessionId> ids;
  for (const auto& [id, session] : table_) ids.push_back(id);
  for (const base::SessionId id : ids) close(id, code, reason, tell_peer);
}

// PROTOCOL MUST-I9
void Sessions::end_expired(uint64_t wall) {
  while (!expiries_.empty() && expiries_.begin()->first <= wall) {
    const base::SessionId id = expiries_.begin()->second;
    expiries_.erase(expiries_.begin());
    const auto found = table_.find(id);
    if (found == table_.end()) continue;
    setup_.stats->sessions_expired.add();
    close(id, base::Code::kExpired,
          found->second.own_expires_first
              ? std::string("the own certificate has expired: renew it and start again")
              : absl::StrCat("the certificate of ", found->second.info.peer_name,
                             " has expired: it has to renew it"),
          true);
  }
}

void Sessions::expire(base::Nanos now) {
  if (now < next_expiry_) return;
  const uint64_t wall = expiries_.empty() ? 0 : setup_.wall_clock();
  end_expired(wall);
  next_expiry_ = expiries_.empty()
                     ? base::Nanos::max()
                     : base::after(now, std::min(base::nanos(expiries_.begin()->first - wall),
                                                 kWallClockLook));
}

bool Sessions::update_keys(base::SessionId id) {
  const auto found = table_.find(id);
  if (found == table_.end() || found->second.closing) return false;
  for (const LaneInfo& lane : found->second.info.lanes) {
    setup_.post(lane.lcore, new LaneTask<transport::UpdateKeys>({.lane = lane.ref}));
  }
  return true;
}

const SessionInfo* Sessions::find(base::SessionId id) const {
  const auto found = table_.find(id);
  return found == table_.end() ? nullptr : &found->second.info;
}

// PROTOCOL MUST-P4
void Sessions::judge_again() {
  std::vector<base::SessionId> denied;
  std::vector<base::SessionId> untrusted;
  for (auto& [id, session] : table_) {
    if (session.closing) continue;
    if (!trusted(session)) {
      untrusted.push_back(id);
      continue;
    }
    if (!setup_.may_connect(session.info.peer_name)) {
      denied.push_back(id);
      continue;
    }
    auto permitted = setup_.permissions(session.info.peer_name);
    const bool same = permitted == session.permitted ||
                      (permitted && session.permitted && *permitted == *session.permitted);
    if (same) continue;
    session.permitted = std::move(permitted);
    for (size_t i = 0; i < session.lanes.size(); ++i) permit(&session, i);
  }
  for (const base::SessionId id : denied) deny(id);
  for (const base::SessionId id : untrusted) {
    setup_.stats->sessions_untrusted.add();
    close(id, base::Code::kPermissionDenied, "who vouched for its name is not trusted any more",
          true);
  }
}

bool Sessions::trusted(const Session& session) const {
  if (session.certificates.empty() || !setup_.still_trusted) return true;
  crypto::HandshakeResult peer;
  peer.peer_name = session.info.peer_name;
  peer.peer_certificates = session.certificates;
  return setup_.still_trusted(peer, session.info.initiator);
}

void Sessions::deny(base::SessionId id) {
  setup_.stats->sessions_denied.add();
  close(id, base::Code::kPermissionDenied, "the policy does not allow it any more", true);
}

// A lane that is being installed is told when it is up.
void Sessions::permit(Session* session, size_t i) {
  Lane& lane = session->lanes[i];
  if (lane.state != LaneState::kUp || lane.permitted == session->permitted) return;
  const LaneInfo& info = session->info.lanes[i];
  auto before = std::exchange(lane.permitted, session->permitted);
  setup_.post(info.lcore, new PermitTask(info, std::move(before), session->permitted));
}

// The one whose peer's token it has. A stranger may send any number of RESETs, so each costs a few
// hashes at most.
const Sessions::Session* Sessions::session_of_reset(const wire::IpAddress& from,
                                                    const wire::ResetView& reset) const {
  const auto [first, last] = by_peer_.equal_range({from, base::SessionId(reset.session())});
  size_t looked = 0;
  for (auto each = first; each != last; ++each) {
    if (looked++ == limits::kMaxResetLook) {
      setup_.stats->limit_reset_look.add();
      break;
    }
    const Session& session = table_.at(each->second);
    if (session.reset_token &&
        equal_in_constant_time(
            reset.token(),
            crypto::told_reset_token(*setup_.primitives, *session.reset_token, from))) {
      return &session;
    }
  }
  return nullptr;
}

void Sessions::on_reset(const wire::IpAddress& from, std::span<const uint8_t> packet) {
  const auto view = wire::ResetView::parse(packet.data(), packet.size());
  const Session* const session = view ? session_of_reset(from, *view) : nullptr;
  if (session == nullptr) {
    setup_.stats->resets_ignored.add();
    return;
  }
  setup_.stats->resets_obeyed.add();
  for (size_t i = 0; i < session->lanes.size(); ++i) {
    if (session->lanes[i].state != LaneState::kUp) continue;
    const LaneInfo& lane = session->info.lanes[i];
    setup_.post(lane.lcore, new LaneTask<transport::Suspect>({.lane = lane.ref}));
  }
}

void Sessions::on_lane_down(uint8_t lcore, transport::LaneRef ref, base::Code code) {
  // A peer that has looked at its clock before this side did closes without a word of why.
  if (code == base::Code::kClosed && !expiries_.empty()) end_expired(setup_.wall_clock());
  for (auto session = table_.begin(); session != table_.end(); ++session) {
    const auto& infos = session->second.info.lanes;
    const auto lane = std::find_if(infos.begin(), infos.end(), [&](const LaneInfo& each) {
      return each.lcore == lcore && each.ref == ref;
    });
    if (lane == infos.end()) continue;
    const base::SessionId id = session->first;
    session->second.lanes[static_cast<size_t>(lane - infos.begin())].state = LaneState::kDown;
    // A session has all of its lanes or none.
    close(id, code,
          code == base::Code::kPermissionDenied
              ? std::string("the peer's policy does not allow it any more")
              : absl::StrCat("lane ended: ", base::code_name(code)),
          true);
    const auto again = table_.find(id);
    if (again != table_.end()) end_if_done(again);
    return;
  }
}

void Sessions::release_routes(Session* session) {
  for (const Lane& lane : session->lanes) setup_.paths->release(lane.route);
}

void Sessions::end_if_done(Table::iterator found) {
  Session& session = found->second;
  if (session.installing > 0) return;
  const bool done = std::all_of(session.lanes.begin(), session.lanes.end(),
                                [](const Lane& lane) { return lane.state == LaneState::kDown; });
  if (!done) return;
  release_routes(&session);
  setup_.ended(session.info, session.code, session.reason);
  Session ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(session);
    table_.erase(found);
  }
  setup_.release_id(ended.info.session);
  auto [entry, last] = by_peer_.equal_range({ended.info.peer.ip, ended.info.peer_session});
  while (entry != last && entry->second != ended.info.session) ++entry;
  if (entry != last) by_peer_.erase(entry);
  expiries_.erase({ended.info.expires_ns, ended.info.session});
  if (!ended.announced) return;
  setup_.stats->sessions_down.add();
  if (setup_.listener == nullptr) return;
  setup_.listener->on_session_down(setup_.node, ended.info, ended.code, ended.reason);
}

size_t Sessions::size() const {
  const std::lock_guard lock(mutex_);
  return table_.size();
}

std::vector<SessionInfo> Sessions::snapshot() const {
  const std::lock_guard lock(mutex_);
  std::vector<SessionInfo> out;
  for (const auto& [id, session] : table_) {
    if (session.announced && !session.closing) out.push_back(session.info);
  }
  return out;
}

}  // namespace sluice::engine
