// SPDX-License-Identifier: Apache-2.0
#include "engine/control.h"

#include <pthread.h>
#include <rte_mbuf.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/dns_name.h"
#include "crypto/handshake_steps.h"
#include "engine/limits.h"
#include "engine/mechanism.h"
#include "wire/header.h"
#include "wire/padding.h"

namespace sluice::engine {
namespace {

using transport::Verdict;

constexpr base::Nanos kLinkCheck = base::millis(250);
constexpr base::Nanos kLongestSleep = base::millis(250);

// Tells one lcore of a route.
class RouteTask final : public ControlTask {
 public:
  RouteTask(uint32_t handle, const Route& route) : handle_(handle), route_(route) {}
  void run(Lcore& lcore, LcoreContext& /*context*/) override { lcore.set_route(handle_, route_); }

 private:
  uint32_t handle_;
  Route route_;
};

// A packet that came before its lane, as if it came now.
class HeldPacketTask final : public ControlTask {
 public:
  explicit HeldPacketTask(HeldPacket packet) : packet_(std::move(packet)) {}
  void run(Lcore& /*lcore*/, LcoreContext& context) override {
    transport::RxPacket packet;
    packet.data = packet_.bytes.data();
    packet.length = static_cast<uint32_t>(packet_.bytes.size());
    packet.congestion_experienced = packet_.congestion_experienced;
    context.endpoint.on_rx({&packet, 1}, context.now);
  }

 private:
  HeldPacket packet_;
};

}  // namespace

absl::Status status_of(base::Code code, const std::string& reason) {
  const std::string text = reason.empty() ? std::string(base::code_name(code)) : reason;
  switch (code) {
    case base::Code::kOk:
      return absl::OkStatus();
    case base::Code::kInvalidArgument:
      return absl::InvalidArgumentError(text);
    case base::Code::kResourceExhausted:
    case base::Code::kTooLarge:
      return absl::ResourceExhaustedError(text);
    case base::Code::kDeadlineExceeded:
      return absl::DeadlineExceededError(text);
    case base::Code::kCancelled:
    case base::Code::kClosed:
      return absl::CancelledError(text);
    case base::Code::kUnavailable:
      return absl::UnavailableError(text);
    case base::Code::kPermissionDenied:
      return absl::PermissionDeniedError(text);
    case base::Code::kNotFound:
      return absl::NotFoundError(text);
    case base::Code::kAborted:
      return absl::AbortedError(text);
    case base::Code::kDataLoss:
      return absl::DataLossError(text);
    case base::Code::kExpired:
      return absl::UnauthenticatedError(text);
    case base::Code::kInternal:
      break;
  }
  return absl::InternalError(text);
}

transport::ConnectorConfig Control::connector_config(const Setup& setup) {
  transport::ConnectorConfig config;
  config.parameters.lanes = setup.layout->lcores;
  config.parameters.base_port = setup.layout->base_port;
  config.parameters.max_message_bytes = setup.config->endpoint.max_message;
  config.parameters.unscheduled_bytes = setup.config->endpoint.unscheduled_bytes;
  config.parameters.max_packet = setup.max_packet;
  config.parameters.aeads = setup.algorithms;
  config.parameters.records = setup.config->endpoint.record_mode;
  config.esp = setup.config->endpoint.esp;
  config.parameters.padding =
      setup.config->endpoint.padding ? crypto::Padding::kAsked : crypto::Padding::kOnRequest;
  config.accept = setup.config->accept;
  config.max_sessions = setup.config->max_sessions;
  if (setup.config->tls.has_value()) config.proved_rate = limits::kTlsHelloRate;
  return config;
}

absl::StatusOr<std::unique_ptr<Control>> Control::create(const Setup& setup) {
  const transport::ConnectorConfig config = connector_config(setup);
  if (const char* error = transport::connector_config_error(config)) {
    return absl::InvalidArgumentError(absl::StrCat(setup.config->name, ": ", error));
  }
  return std::unique_ptr<Control>(new Control(setup, config));
}

Control::Control(const Setup& setup, const transport::ConnectorConfig& config)
    : setup_(setup),
      access_({setup.config->name, setup.policy, setup.audit, &stats_}),
      connector_(config, setup.mechanism, setup.primitives, setup.random),
      paths_(paths_setup()),
      sessions_(sessions_setup()),
      held_(&stats_),
      link_up_(setup.ports.size(), false) {
  const bool judged = setup.policy != nullptr || setup.audit != nullptr;
  if (judged && setup.tls != nullptr) setup.tls->set_judge(access_.judge());
}

Control::~Control() {
  stop();
  std::array<rte_mbuf*, 32> frames;
  for (size_t n = setup_.channel->pop_packets(frames); n > 0;
       n = setup_.channel->pop_packets(frames)) {
    rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(n));
  }
}

Paths::Setup Control::paths_setup() {
  Paths::Setup out;
  for (const Port* port : setup_.ports) {
    Paths::PortFacts facts;
    facts.neighbours.mac = port->mac();
    facts.neighbours.addresses = port->config().addresses;
    facts.neighbours.gateways = port->config().gateways;
    facts.neighbours.vlan = port->config().vlan;
    facts.neighbours.max_entries = limits::kMaxNeighbours;
    facts.checksum_offload = port->checksum_offload();
    out.ports.push_back(facts);
  }
  out.encapsulation = setup_.layout->encapsulation;
  out.native_protocol = setup_.layout->native_protocol;
  out.base_port = setup_.layout->base_port;
  out.send_frame = [this](uint8_t port, std::span<const uint8_t> frame) {
    return send_frame(port, frame);
  };
  out.set_route = [this](uint32_t handle, const Route& route) {
    for (const Lcore* lcore : setup_.lcores)
      post_task(lcore->index(), new RouteTask(handle, route));
  };
  out.stats = &stats_;
  return out;
}

Sessions::Setup Control::sessions_setup() {
  Sessions::Setup out;
  out.node = setup_.node;
  out.lcores = setup_.layout->lcores;
  out.primitives = setup_.primitives;
  out.paths = &paths_;
  out.spi_lcores = setup_.spi_lcores;
  out.native_protocol = setup_.layout->native_protocol;
  out.stats = &stats_;
  out.listener = setup_.config->listener;
  out.wall_clock = system_wall_clock();
  out.post = [this](uint8_t lcore, ControlTask* task) { post_task(lcore, task); };
  out.permissions = [this](const std::string& name) { return access_.permissions(name); };
  out.still_trusted = [this](const crypto::HandshakeResult& peer, bool initiator) {
    return setup_.tls == nullptr || setup_.tls->still_trusts(peer, initiator);
  };
  out.may_connect = [this](const std::string& name) { return access_.may_connect(name); };
  out.ended = [this](const SessionInfo& session, base::Code code, const std::string& reason) {
    end_uses(session);
    access_.ended(session, code, reason);
  };
  out.release_id = [this](base::SessionId id) { connector_.release_session(id); };
  out.ready = [this](transport::ConnectId id, const SessionInfo* info, const std::string& error) {
    if (info != nullptr) {
      release_held(*info);
      end_connect(id, *info);
    } else {
      end_connect(id, absl::ResourceExhaustedError(error));
    }
  };
  return out;
}

void Control::start() {
  {
    const std::lock_guard lock(mutex_);
    accepting_posts_ = true;
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // Signals are for the program's own threads.
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "sluice-control");
}

void Control::stop() {
  if (!thread_.joinable()) return;
  stop_.store(true, std::memory_order_release);
  setup_.channel->doorbell().ring();
  thread_.join();
}

void Control::run() {
  const base::Nanos start = setup_.clock->now();
  for (size_t port = 0; port < setup_.ports.size(); ++port) {
    link_up_[port] = setup_.ports[port]->link_up();
    paths_.announce(static_cast<uint8_t>(port), start);
  }
  Doorbell& doorbell = setup_.channel->doorbell();
  while (!stop_.load(std::memory_order_acquire)) {
    if (work(setup_.clock->now()) || connector_.prepare()) continue;
    doorbell.prepare();
    const base::Nanos now = setup_.clock->now();
    if (work(now) || stop_.load(std::memory_order_acquire)) {
      doorbell.cancel();
      continue;
    }
    doorbell.wait(std::min(base::elapsed(now, next_deadline()), kLongestSleep));
    stats_.wakeups.add();
    const uint64_t given_up = setup_.backend->queues_given_up();
    stats_.limit_crypto.add(given_up - std::exchange(given_up_, given_up));
  }
  {
    const std::lock_guard lock(mutex_);
    accepting_posts_ = false;
  }
  while (run_posted() || take_notices(setup_.clock->now()) || run_orphans(setup_.clock->now())) {
  }
  sessions_.close_all(base::Code::kClosed, "the engine stopped", false);
  while (run_orphans(setup_.clock->now())) {
  }
  while (!connects_.empty()) {
    end_connect(connects_.begin()->first, absl::CancelledError("the engine stopped"));
  }
}

bool Control::work(base::Nanos now) {
  bool busy = take_packets(now);
  busy |= take_uses();
  busy |= take_notices(now);
  busy |= run_posted();
  busy |= run_orphans(now);
  if (connector_.next_deadline() <= now) connector_.on_deadline(now);
  if (paths_.next_deadline() <= now) paths_.on_deadline(now);
  sessions_.expire(now);
  watch_links(now);
  sync_audit(now);
  busy |= take_events(now);
  busy |= send_handshakes(now);
  return busy;
}

base::Nanos Control::next_deadline() const {
  return std::min({connector_.next_deadline(), paths_.next_deadline(), sessions_.next_expiry(),
                   next_link_check_});
}

// A peer that comes up after us has not heard our announcement.
void Control::watch_links(base::Nanos now) {
  if (now < next_link_check_) return;
  next_link_check_ = base::after(now, kLinkCheck);
  for (size_t port = 0; port < setup_.ports.size(); ++port) {
    const bool up = setup_.ports[port]->link_up();
    if (up && !link_up_[port]) paths_.announce(static_cast<uint8_t>(port), now);
    link_up_[port] = up;
  }
}

// Sleeping for longer than kLongestSleep is never, so that this is late by no more.
void Control::sync_audit(base::Nanos now) {
  if (setup_.audit == nullptr || now < next_audit_sync_) return;
  next_audit_sync_ = base::after(now, limits::kAuditSyncInterval);
  setup_.audit->sync();
}

bool Control::take_packets(base::Nanos now) {
  std::array<rte_mbuf*, limits::kBurst> frames;
  const size_t count = setup_.channel->pop_packets(frames);
  for (size_t i = 0; i < count; ++i) on_packet(frames[i], now);
  rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(count));
  return count > 0;
}

void Control::on_packet(rte_mbuf* frame, base::Nanos now) {
  stats_.rx_packets.add();
  const auto* data = rte_pktmbuf_mtod(frame, const uint8_t*);
  const std::span<const uint8_t> bytes(data, frame->data_len);
  wire::FrameFilter filter;
  filter.native_protocol = setup_.layout->native_protocol;
  const wire::ParsedFrame parsed = wire::parse_frame(data, frame->data_len, filter);
  if (parsed.kind == wire::FrameKind::kArp || parsed.kind == wire::FrameKind::kNdp) {
    paths_.on_neighbour_frame(static_cast<uint8_t>(frame->port), bytes, parsed, now);
    return;
  }
  if (parsed.kind != wire::FrameKind::kSluiceUdp && parsed.kind != wire::FrameKind::kSluiceNative) {
    stats_.drop_garbage.add();
    return;
  }
  const std::span<const uint8_t> packet =
      bytes.subspan(parsed.payload_offset, parsed.payload_length);
  switch (static_cast<Verdict>(frame->hash.usr)) {
    case Verdict::kHandshake:
      connector_.on_packet({parsed.source, parsed.source_port}, packet, now);
      break;
    case Verdict::kReset:
      sessions_.on_reset(parsed.source, packet);
      break;
    case Verdict::kUnknownSession:
      on_unknown_session(parsed, packet, now);
      break;
    case Verdict::kConsumed:
      stats_.drop_garbage.add();
      break;
  }
}

// The peer's ports are not known here, as its source port is entropy only: the RESET goes to our
// own base port there, which peers share as a rule. It is a hint; without it the peer times out.
void Control::on_unknown_session(const wire::ParsedFrame& parsed, std::span<const uint8_t> packet,
                                 base::Nanos now) {
  const auto view = wire::CommonView::parse(packet.data(), packet.size());
  if (!view) {
    stats_.drop_garbage.add();
    return;
  }
  // An id in use is not forgotten here: its lanes are being installed, which a peer that is done
  // need not wait for, or are ending. A RESET would end a session that is about to begin.
  const base::SessionId session(view->session());
  if (connector_.session_ids().in_use(session)) {
    if (!connector_.expects_early(session) || sessions_.installed(session)) return;
    return held_.hold({.session = session,
                       .lane = view->lane(),
                       .congestion_experienced =
                           parsed.ecn == static_cast<uint8_t>(wire::Ecn::kCongestionExperienced),
                       .bytes = {packet.begin(), packet.end()}});
  }
  wire::ResetPacket reset;
  reset.session = view->session();
  reset.lane = view->lane();
  const crypto::ResetToken token = crypto::told_reset_token(
      *setup_.primitives, setup_.mechanism->reset_token(session), parsed.destination);
  std::copy(token.begin(), token.end(), reset.token);
  std::array<uint8_t, wire::ResetPacket::kSize> bytes;
  reset.emit(bytes.data());
  if (paths_.send_packet({parsed.source, setup_.layout->base_port}, bytes, now)) {
    stats_.resets_sent.add();
  }
}

bool Control::take_notices(base::Nanos now) {
  std::array<Notice, 64> notices;
  const size_t count = setup_.channel->pop_notices(notices);
  for (size_t i = 0; i < count; ++i) {
    const Notice& notice = notices[i];
    if (notice.kind == Notice::Kind::kLaneDown) {
      sessions_.on_lane_down(notice.lcore, notice.lane, notice.code);
      continue;
    }
    const std::unique_ptr<ControlTask> task(static_cast<ControlTask*>(notice.task));
    task->done(sessions_, true, now);
  }
  return count > 0;
}

bool Control::run_posted() {
  std::deque<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
  }
  for (const auto& function : work) function();
  return !work.empty();
}

bool Control::run_orphans(base::Nanos now) {
  const std::vector<ControlTask*> orphans = std::exchange(orphans_, {});
  for (ControlTask* each : orphans) {
    const std::unique_ptr<ControlTask> task(each);
    task->done(sessions_, false, now);
  }
  return !orphans.empty();
}

bool Control::take_events(base::Nanos now) {
  std::array<transport::ConnectorEvent, 8> events;
  const size_t count = connector_.poll_events(events);
  for (size_t i = 0; i < count; ++i) {
    const transport::ConnectorEvent& event = events[i];
    switch (event.kind) {
      case transport::ConnectorEventKind::kEstablished:
        establish(event, now);
        break;
      case transport::ConnectorEventKind::kConfirmed:
        sessions_.confirm(event);
        break;
      case transport::ConnectorEventKind::kWithdrawn:
        sessions_.close(event.result.local.session_id, event.code, event.reason, true);
        break;
      case transport::ConnectorEventKind::kFailed:
        access_.refused(event, now);
        end_connect(event.connect, status_of(event.code, event.reason));
        break;
      case transport::ConnectorEventKind::kRefusedPeer:
        access_.refused(event, now);
        if (setup_.config->listener != nullptr) {
          setup_.config->listener->on_peer_refused(setup_.node, event.peer, event.reason);
        }
        break;
    }
  }
  return count > 0;
}

void Control::establish(const transport::ConnectorEvent& event, base::Nanos now) {
  std::shared_ptr<FirstCalls> calls;
  if (const auto connect = connects_.find(event.connect); connect != connects_.end()) {
    calls = std::move(connect->second.calls);
  }
  sessions_.establish(event, std::move(calls), now);
}

void Control::release_held(const SessionInfo& session) {
  for (HeldPacket& packet : held_.take(session.session)) {
    for (const LaneInfo& lane : session.lanes) {
      if (lane.lane != packet.lane) continue;
      post_task(lane.lcore, new HeldPacketTask(std::move(packet)));
      break;
    }
  }
}

// What is used for the first time goes on record when it happens, and how often when its session
// ends: a log that grew with every message would not be one.
bool Control::take_uses() {
  bool any = false;
  for (Lcore* lcore : setup_.lcores) {
    if (lcore->gate() == nullptr || !lcore->gate()->uses().any_fresh()) continue;
    any = true;
    lcore->gate()->uses().fresh([this](const Use& use) {
      if (const SessionInfo* session = sessions_.find(use.session)) access_.used(*session, use);
    });
  }
  return any;
}

void Control::end_uses(const SessionInfo& session) {
  take_uses();
  for (Lcore* lcore : setup_.lcores) {
    if (lcore->gate() == nullptr) continue;
    lcore->gate()->uses().end(session.session, [&](const Use& use, uint64_t messages) {
      access_.used_up(session, use, messages);
    });
  }
}

// What ends a handshake lets the peer send on its lanes, so it leaves after they are installed.
bool Control::send_handshakes(base::Nanos now) {
  if (sessions_.installing() > 0) return false;
  std::array<transport::HandshakePacket, 16> packets;
  const size_t count = connector_.poll_tx(packets);
  for (size_t i = 0; i < count; ++i) {
    if (!paths_.send_packet(packets[i].to, packets[i].bytes, now)) stats_.drop_tx.add();
  }
  return count > 0;
}

void Control::post_task(uint8_t lcore, ControlTask* task) {
  Lcore* target = setup_.lcores[lcore];
  while (!target->post(task)) {
    if (!target->running()) {
      orphans_.push_back(task);
      return;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));  // Its ring is full: it catches up.
  }
}

bool Control::send_frame(uint8_t port, std::span<const uint8_t> frame) {
  rte_mbuf* buffer = rte_pktmbuf_alloc(setup_.pool);
  char* data =
      buffer == nullptr ? nullptr : rte_pktmbuf_append(buffer, static_cast<uint16_t>(frame.size()));
  if (data != nullptr) {
    std::copy(frame.begin(), frame.end(), reinterpret_cast<uint8_t*>(data));
    buffer->port = port;
    if (setup_.lcores.front()->inject(buffer)) {
      setup_.lcores.front()->wake();
      stats_.tx_frames.add();
      return true;
    }
  }
  rte_pktmbuf_free(buffer);
  stats_.drop_tx.add();
  return false;
}

bool Control::post(std::function<void()> function) {
  {
    const std::lock_guard lock(mutex_);
    if (!accepting_posts_) return false;
    posted_.push_back(std::move(function));
  }
  setup_.channel->doorbell().ring();
  return true;
}

bool Control::post_and_wait(const std::function<void()>& function) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    function();
    return true;
  }
  std::promise<void> done;
  if (!post([&] {
        function();
        done.set_value();
      })) {
    return false;
  }
  done.get_future().wait();
  return true;
}

void Control::connect(const ConnectRequest& request, ConnectCallback done) {
  const base::Nanos deadline = base::after(setup_.clock->now(), request.timeout);
  auto shared = std::make_shared<ConnectCallback>(std::move(done));
  if (!post([this, request, deadline, shared] { begin_connect(request, deadline, *shared); })) {
    (*shared)(absl::CancelledError("the engine is not running"));
  }
}

void Control::begin_connect(const ConnectRequest& request, base::Nanos deadline,
                            ConnectCallback done) {
  const std::string& peer_name = request.peer_name;
  const bool named = setup_.mechanism->id() == crypto::HandshakeMechanismId::kTls13;
  const std::string name = crypto::normalize_dns_name(peer_name);
  if (named == peer_name.empty() || name.empty() != peer_name.empty()) {
    done(absl::InvalidArgumentError(
        !named ? std::string("a pre-shared key proves no name: leave the peer's name out")
        : peer_name.empty()
            ? std::string("the DNS name that the peer has to prove is missing: give it (--name)")
            : absl::StrCat("'", peer_name, "' is no DNS name of a peer: write a.dc.example")));
    return;
  }
  if (!paths_.reachable(request.peer.ip)) {
    done(absl::UnavailableError(
        absl::StrCat("no way to ", wire::format_ip_address(request.peer.ip),
                     ": it is on no port's network, and there is no gateway of its family")));
    return;
  }
  crypto::ClientOffer offer{.early = {}, .resume = request.resume};
  if (request.calls != nullptr) offer.early = request.calls->early();
  if (setup_.config->endpoint.padding) {  // PROTOCOL MUST-L5
    for (crypto::EarlyRequest& early : offer.early) early.bytes = wire::padded_message(early.bytes);
  }
  const auto result =
      connector_.connect(request.peer, name, deadline, setup_.clock->now(), std::move(offer));
  if (result.code != base::Code::kOk) {
    done(status_of(result.code,
                   "the connect was not begun: bad address or port, no time left, or "
                   "too many sessions"));
    return;
  }
  connects_[result.id] = {std::move(done), request.calls};
}

void Control::end_connect(transport::ConnectId id, absl::StatusOr<SessionInfo> result) {
  const auto found = connects_.find(id);
  if (found == connects_.end()) return;
  const ConnectCallback done = std::move(found->second.done);
  connects_.erase(found);
  done(std::move(result));
}

absl::Status Control::close_session(base::SessionId session) {
  bool found = false;
  const bool ran = post_and_wait(
      [&] { found = sessions_.close(session, base::Code::kClosed, "closed by this side", true); });
  if (!ran) return absl::CancelledError("the engine is not running");
  return found ? absl::OkStatus() : absl::NotFoundError("no such session");
}

absl::Status Control::update_keys(base::SessionId session) {
  bool found = false;
  const bool ran = post_and_wait([&] { found = sessions_.update_keys(session); });
  if (!ran) return absl::CancelledError("the engine is not running");
  return found ? absl::OkStatus() : absl::NotFoundError("no such session");
}

absl::Status Control::reload(std::shared_ptr<crypto::TlsIdentityOwner> identity,
                             std::shared_ptr<const crypto::Policy> policy) {
  const bool ran = post_and_wait([&] {
    if (identity != nullptr && setup_.tls != nullptr) setup_.tls->renew(std::move(*identity));
    access_.set_policy(std::move(policy));
    sessions_.judge_again();
    stats_.reloads.add();
  });
  return ran ? absl::OkStatus() : absl::CancelledError("the engine is not running");
}

void Control::refuse_new() {
  post_and_wait([&] {
    connector_.set_accepting(false);
    for (const auto& [id, connect] : connects_) connector_.cancel(id);
  });
}

void Control::close_all() {
  post_and_wait([&] { sessions_.close_all(base::Code::kClosed, "the engine stops", true); });
}

}  // namespace sluice::engine
