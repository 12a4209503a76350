// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_machine.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "crypto/key_schedule.h"
#include "sim/virtual_crypto.h"
#include "wire/esp.h"
#include "wire/frame.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kMaxSteps = 20'000'000;
constexpr uint32_t kSmallSlot = 1200;
constexpr size_t kSlots = 16;
constexpr size_t kBufferBytes = 9216;
constexpr size_t kBurst = 16;
constexpr base::Nanos kReconnectDelay = base::millis(1);
// Calls that nobody hurries have 20 s; after that all must be complete.
constexpr base::Nanos kHealing = base::seconds(60);
constexpr base::Nanos kDoubts = base::seconds(3);  // Longer than every peer time-out.
constexpr base::Nanos kForgetting = base::seconds(5);
constexpr uint32_t kShortProbe = 64;
constexpr uint32_t kLongProbe = 150'000;  // Takes grants where there are any.

// Packets that an endpoint has not let in, or not made use of.
uint64_t dropped(const transport::Stats& s) {
  uint64_t sum = 0;
  for (const transport::Counter* counter :
       {&s.drop_short, &s.drop_version, &s.drop_type, &s.drop_session, &s.drop_epoch, &s.drop_tag,
        &s.drop_replay, &s.drop_duplicate, &s.drop_late, &s.drop_malformed, &s.drop_ungranted,
        &s.drop_no_memory, &s.drop_no_exchange, &s.drop_holes, &s.drop_window, &s.drop_spi,
        &s.drop_esp_length, &s.drop_esp_trailer, &s.drop_esp_header}) {
    sum += counter->value();
  }
  return sum;
}

}  // namespace

FaultMachine::FaultMachine(const FaultPlan& plan, crypto::AeadBackend* backend)
    : plan_(plan), prng_(base::mix64(plan.seed, 7)), wire_(plan_, &counts_) {
  for (int side = 0; side < 2; ++side) {
    peers_[static_cast<size_t>(side)] =
        std::make_unique<FaultPeer>(side, plan_, backend, &virtual_primitives(), &book_, &counts_);
  }
  if (plan_.padded()) wire_.watch().expect_padding();
  plan_episodes();
}

base::Nanos FaultMachine::random_time(uint64_t most_ms) {
  return base::Nanos(prng_.uniform(base::millis(most_ms).value()));
}

void FaultMachine::plan_episodes() {
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    if (kind < FaultKind::kPartition || kind > FaultKind::kSmallSlots) continue;
    for (uint32_t n = 0; n < plan_.rate[i]; ++n) {
      episodes_.emplace(base::after(now_, base::Nanos(prng_.uniform(plan_.chaos.value()))), kind);
    }
  }
}

void FaultMachine::begin_episode(FaultKind kind) {
  ++counts_[static_cast<size_t>(kind)];
  const auto side = static_cast<size_t>(prng_.uniform(2));
  FaultPeer& peer = *peers_[side];
  Host& host = hosts_[side];
  switch (kind) {
    case FaultKind::kPartition:
      return wire_.partition(-1, base::after(now_, random_time(30)));
    case FaultKind::kPartitionOneWay:
      return wire_.partition(static_cast<int>(side), base::after(now_, random_time(30)));
    case FaultKind::kPathDeath:
      return wire_.kill_paths(base::after(now_, random_time(30)));
    case FaultKind::kPause:
      host.paused_until = base::after(now_, random_time(300));
      return;
    case FaultKind::kClockStep:
      now_ = base::after(now_, random_time(1500));
      return;
    case FaultKind::kCrash:
      peer.crash();
      wire_.session_ended();
      return;
    case FaultKind::kArenaFull:
      peer.hoard();
      host.hoard_until = base::after(now_, random_time(20));
      return;
    case FaultKind::kRingFull:
      host.ring_full_until = base::after(now_, random_time(20));
      return;
    case FaultKind::kSlowEvents:
      return peer.ignore_events_until(base::after(now_, random_time(20)));
    case FaultKind::kSmallSlots:
      host.small_slots_until = base::after(now_, random_time(20));
      return;
    default:
      break;
  }
  if (!peer.has_lane()) return;
  if (kind == FaultKind::kClose) peer.endpoint().submit(transport::CloseLane{peer.lane()}, now_);
  if (kind == FaultKind::kSuspect) peer.endpoint().submit(transport::Suspect{peer.lane()}, now_);
  if (kind == FaultKind::kKeyUpdate) {
    peer.endpoint().submit(transport::UpdateKeys{peer.lane()}, now_);
  }
}

// Stands for a handshake: whoever still holds the old session gives it up for the new one.
bool FaultMachine::connect() {
  for (int side = 0; side < 2; ++side) close_old(side);
  for (const auto& peer : peers_) {
    if (peer->has_lane()) return false;  // Its end has not been taken note of yet.
  }
  if (sessions_ > 0) wire_.session_ended();
  ++sessions_;
  for (int side = 0; side < 2; ++side) install(side, sessions_);
  return joined();
}

void FaultMachine::close_old(int side) {
  FaultPeer& peer = *peers_[static_cast<size_t>(side)];
  if (!peer.has_lane()) return;
  transport::CloseLane command{peer.lane()};
  command.tell_peer = false;
  peer.endpoint().submit(command, now_);
  peer.work(now_);
}

void FaultMachine::install(int side, uint32_t session) {
  crypto::Secret secret;
  base::Prng bytes(base::mix64(plan_.seed, session));
  for (auto& byte : secret.bytes) byte = static_cast<uint8_t>(bytes.next_u64());
  const size_t other = static_cast<size_t>(1 - side);
  FaultPeer& peer = *peers_[static_cast<size_t>(side)];
  transport::InstallLane command;
  command.local_session = base::SessionId(session * 2 + static_cast<uint32_t>(side));
  command.remote_session = base::SessionId(session * 2 + static_cast<uint32_t>(1 - side));
  command.initiator = side == 0;
  crypto::derive_lane_secrets(virtual_primitives(), secret, command.initiator, command.lane,
                              &command.secrets);
  command.peer_max_packet = plan_.config[other].max_packet;
  command.peer_unscheduled_bytes = plan_.config[other].unscheduled_bytes;
  if (plan_.rate_of(FaultKind::kGreedySender) != 0) {  // As if it had not listened.
    command.peer_unscheduled_bytes = UINT32_MAX;
    ++counts_[static_cast<size_t>(FaultKind::kGreedySender)];
  }
  command.peer_max_message = plan_.config[other].max_message;
  command.records = plan_.config[other].record_mode;
  command.padded = plan_.padded();
  if (plan_.esp()) {
    command.esp = {wire::kEspSpis * command.local_session.value(),
                   wire::kEspSpis * command.remote_session.value(), wire::kProtocolNative};
  }
  transport::LaneRef lane;
  if (peer.endpoint().submit(command, now_, &lane) == base::Code::kOk) peer.set_lane(lane);
}

base::Nanos FaultMachine::next_time(base::Nanos end) const {
  base::Nanos next = std::min(end, wire_.next_arrival());
  if (!episodes_.empty()) next = std::min(next, episodes_.begin()->first);
  next = std::min(next, connect_at_);
  for (size_t side = 0; side < 2; ++side) {
    const base::Nanos wants =
        std::min(peers_[side]->endpoint().next_deadline(), peers_[side]->next_due());
    const Host& host = hosts_[side];
    next = std::min(next, std::max(wants, host.paused_until));
    // A host that can go on does so by itself, as a polling lcore would.
    if (host.paused_until > now_) next = std::min(next, host.paused_until);
    if (host.ring_full_until > now_) next = std::min(next, host.ring_full_until);
  }
  return std::max(next, base::after(now_, base::nanos(100)));
}

void FaultMachine::step(base::Nanos end) {
  ++steps_;
  now_ = next_time(end);
  while (!episodes_.empty() && episodes_.begin()->first <= now_) {
    const FaultKind kind = episodes_.begin()->second;
    episodes_.erase(episodes_.begin());
    begin_episode(kind);
  }
  receive();
  for (int side = 0; side < 2; ++side) drive(side);
  if (joined() || !reconnects_) {
    connect_at_ = base::Nanos::max();
  } else if (connect_at_ == base::Nanos::max()) {
    connect_at_ = base::after(now_, kReconnectDelay);
  } else if (now_ >= connect_at_) {
    const bool awake = now_ >= hosts_[0].paused_until && now_ >= hosts_[1].paused_until;
    const bool connected = awake && wire_.open(now_) && connect();
    connect_at_ = connected ? base::Nanos::max() : base::after(now_, kReconnectDelay);
  }
}

void FaultMachine::drive(int side) {
  FaultPeer& peer = *peers_[static_cast<size_t>(side)];
  Host& host = hosts_[static_cast<size_t>(side)];
  if (now_ < host.paused_until) return;
  if (now_ >= host.hoard_until) peer.release_hoard();
  if (peer.endpoint().next_deadline() <= now_) peer.endpoint().on_deadline(now_);
  peer.work(now_);
  transmit(side);
}

void FaultMachine::transmit(int side) {
  Host& host = hosts_[static_cast<size_t>(side)];
  if (now_ < host.ring_full_until) return;
  static thread_local std::array<uint8_t, kSlots * kBufferBytes> buffers;
  const uint32_t full = plan_.config[static_cast<size_t>(side)].max_packet;
  const uint32_t capacity = now_ < host.small_slots_until ? kSmallSlot : full;
  size_t used;
  do {
    std::array<transport::TxPacket, kSlots> slots{};
    for (size_t i = 0; i < kSlots; ++i) {
      slots[i].data = buffers.data() + i * kBufferBytes + wire::kEspHeaderSize;
      slots[i].capacity = capacity;
    }
    used = peers_[static_cast<size_t>(side)]->endpoint().poll_tx(slots, now_);
    for (size_t i = 0; i < used; ++i) send(side, slots[i]);
  } while (used == kSlots);
}

void FaultMachine::send(int side, const transport::TxPacket& packet) {
  if (packet.piece == 0) {
    wire_.send(side, {packet.data, packet.length}, packet.entropy, now_);
    return;
  }
  if (packet.piece == transport::kWholeEsp) {
    wire_.send(side, {packet.data, packet.length}, packet.entropy, now_, true);
    return;
  }
  SealingPort& port = peers_[static_cast<size_t>(side)]->port();
  if (port.take(packet)) {
    for (const auto& bytes : port.packets()) wire_.send(side, bytes, packet.entropy, now_);
  }
  if (!port.violation().empty()) accuse(port.violation());
}

void FaultMachine::receive() {
  std::array<std::vector<WirePacket>, 2> arrived;
  for (size_t i = 0; i < kBurst; ++i) {
    auto packet = wire_.receive(now_);
    if (!packet) break;
    const auto to = static_cast<size_t>(packet->to);
    // What arrives at a host that stands still is lost, as its ring overflows.
    if (now_ < hosts_[to].paused_until || packet->bytes.empty()) continue;
    arrived[to].push_back(*std::move(packet));
  }
  for (int to = 0; to < 2; ++to) {
    std::span<WirePacket> left = arrived[static_cast<size_t>(to)];
    while (!left.empty()) {
      const size_t count = std::min<size_t>(left.size(), plan_.burst);
      take(to, left.first(count));
      left = left.subspan(count);
    }
  }
}

void FaultMachine::take(int to, std::span<WirePacket> burst) {
  std::array<transport::RxPacket, kBurst> rx;
  std::array<FaultWatch::Arrival, kBurst> known;
  uint64_t wrong = 0;
  for (size_t i = 0; i < burst.size(); ++i) {
    known[i] = wire_.watch().examine(to, burst[i].bytes, burst[i].esp);
    wrong += known[i].wrong ? 1 : 0;
    rx[i].data = burst[i].bytes.data();
    const size_t length = burst[i].bytes.size();
    rx[i].length = burst[i].esp ? 0 : static_cast<uint32_t>(length);
    rx[i].esp_length = burst[i].esp ? static_cast<uint16_t>(length) : uint16_t{0};
    rx[i].congestion_experienced = burst[i].congestion_experienced;
  }
  transport::Endpoint& endpoint = peers_[static_cast<size_t>(to)]->endpoint();
  const uint64_t drops = dropped(endpoint.stats());
  const uint64_t ended = endpoint.stats().lanes_down.value();
  endpoint.on_rx({rx.data(), burst.size()}, now_);
  uint64_t refused = dropped(endpoint.stats()) - drops;
  for (size_t i = 0; i < burst.size(); ++i) {
    const transport::Verdict verdict = rx[i].verdict;
    const bool passed_on =
        verdict == transport::Verdict::kReset || verdict == transport::Verdict::kHandshake;
    refused += passed_on ? 1 : 0;
  }
  // What follows a CLOSE in its burst is ignored, and not counted.
  if (endpoint.stats().lanes_down.value() == ended) {
    if (refused < wrong) accuse("a packet was let in that its sender had not sent, or twice");
    for (size_t i = 0; refused == 0 && i < burst.size(); ++i) {
      wire_.watch().note_accepted(known[i]);
    }
  }
  for (size_t i = 0; i < burst.size(); ++i) {
    if (rx[i].verdict == transport::Verdict::kUnknownSession) answer_stranger(to);
  }
}

// The engine would answer with a RESET, some of the time; a RESET is a hint to look closer.
void FaultMachine::answer_stranger(int to) {
  FaultPeer& other = *peers_[static_cast<size_t>(1 - to)];
  if (!other.has_lane() || !wire_.open(now_) || prng_.uniform(4) != 0) return;
  other.endpoint().submit(transport::Suspect{other.lane()}, now_);
}

template <class Done>
bool FaultMachine::run_until(Done done, base::Nanos limit) {
  const base::Nanos end = base::after(now_, limit);
  for (int side = 0; side < 2; ++side) drive(side);  // What was submitted meanwhile goes out.
  while (!done()) {
    if (!wire_.watch().violation().empty()) accuse(wire_.watch().violation());
    if (!book_.violation().empty() || now_ >= end) return false;
    if (steps_ >= kMaxSteps) {
      accuse("work without end");
      return false;
    }
    step(end);
  }
  return true;
}

void FaultMachine::mend() {
  wire_.mend();
  episodes_.clear();
  hosts_ = {};
  for (auto& peer : peers_) {
    peer->behave();
    peer->release_hoard();
    peer->ignore_events_until(base::Nanos::zero());
  }
  for (int side = 0; side < 2; ++side) drive(side);
}

bool FaultMachine::fail(std::string what) {
  accuse(std::move(what));
  return false;
}

void FaultMachine::finish() {
  for (auto& peer : peers_) peer->stop_calling();
  settle() && probe_all(kShortProbe) && probe_all(kLongProbe) && update_keys() && black_out() &&
      leave_nothing() && part() && leave_nothing();
}

bool FaultMachine::settle() {
  const auto quiet = [this] {
    return peers_[0]->outstanding() == 0 && peers_[1]->outstanding() == 0;
  };
  if (!run_until(quiet, kHealing)) {
    return fail(absl::StrCat("after all was mended ", peers_[0]->outstanding(), " and ",
                             peers_[1]->outstanding(), " calls did not complete"));
  }
  // What went wrong before may still end a session that was doubted then.
  run_until([] { return false; }, kDoubts);
  if (run_until([this] { return joined(); }, kHealing)) return true;
  return fail("no session came up after all was mended");
}

bool FaultMachine::probe(int side, uint32_t size) {
  const uint16_t tag = peers_[static_cast<size_t>(side)]->probe(size, now_);
  const bool completed = run_until([this, tag] { return book_.all()[tag].completed; }, kHealing);
  if (completed && book_.all()[tag].code == base::Code::kOk) return true;
  return fail(absl::StrCat("a call of ", size, " bytes after all was mended ended with ",
                           completed ? base::code_name(book_.all()[tag].code) : "nothing"));
}

bool FaultMachine::probe_all(uint32_t size) { return probe(0, size) && probe(1, size); }

// Each side enters new epochs when it is told to, as often as it is told to. An epoch begins with
// the next packet after the peer has shown to hold the one before.
bool FaultMachine::update_keys() {
  const auto epoch = [](const FaultPeer& peer) {
    std::array<transport::LaneSnapshot, 8> lanes;
    const size_t count = peer.endpoint().snapshot_lanes(lanes);
    for (size_t i = 0; i < count; ++i) {
      if (lanes[i].ref == peer.lane()) return lanes[i].send_epoch;
    }
    return uint64_t{0};
  };
  for (int round = 0; round < 3; ++round) {
    for (const auto& peer : peers_) {
      const uint64_t before = epoch(*peer);
      peer->endpoint().submit(transport::UpdateKeys{peer->lane()}, now_);
      if (!probe_all(kShortProbe) || !probe_all(kShortProbe)) return false;
      if (epoch(*peer) <= before) return fail("a key update was asked for, and did not come");
    }
  }
  return true;
}

// Nothing passes for a while, and each side has two calls waiting: their timers back off, so that
// there are few of them, and the calls complete afterwards.
bool FaultMachine::black_out() {
  const base::Nanos dark = std::min(plan_.config[0].peer_timeout, plan_.config[1].peer_timeout) / 2;
  wire_.partition(-1, base::after(now_, dark));
  std::array<uint16_t, 4> tags;
  std::array<uint64_t, 2> fired;
  for (size_t side = 0; side < 2; ++side) {
    fired[side] = peers_[side]->endpoint().stats().timeouts.value();
    tags[2 * side] = peers_[side]->probe(kShortProbe, now_);
    tags[2 * side + 1] = peers_[side]->probe(kLongProbe, now_);
  }
  run_until([] { return false; }, dark);
  for (size_t side = 0; side < 2; ++side) {
    const transport::EndpointConfig& config = plan_.config[side];
    const auto doublings =
        static_cast<uint64_t>(std::bit_width(config.rto_max.value() / config.rto_min.value()));
    const uint64_t most = 2 * (2 + doublings + dark.value() / config.rto_max.value());
    const uint64_t came = peers_[side]->endpoint().stats().timeouts.value() - fired[side];
    if (came > most) return fail(absl::StrCat(came, " time-outs of two calls in a silence"));
  }
  const auto completed = [&] {
    return std::all_of(tags.begin(), tags.end(),
                       [this](uint16_t tag) { return book_.all()[tag].completed; });
  };
  run_until(completed, kHealing);
  for (const uint16_t tag : tags) {
    if (book_.all()[tag].completed && book_.all()[tag].code == base::Code::kOk) continue;
    return fail("a call that began in a silence did not outlive it");
  }
  return true;
}

bool FaultMachine::leave_nothing() {
  run_until([this] { return peers_[0]->clean() && peers_[1]->clean(); }, kForgetting);
  for (int side = 0; side < 2; ++side) {
    const char* const remains = peers_[static_cast<size_t>(side)]->remains();
    if (remains != nullptr) {
      return fail(absl::StrCat("when all had ended, on side ", side, ": ", remains));
    }
  }
  return true;
}

// The session ends: one side closes it and the other hears of it, or each falls silent to the
// other, while it is waited for, and is given up.
bool FaultMachine::part() {
  reconnects_ = false;
  if (plan_.seed % 2 == 0) {
    FaultPeer& peer = *peers_[plan_.seed / 2 % 2];
    peer.endpoint().submit(transport::CloseLane{peer.lane()}, now_);
    if (run_until([this] { return parted(); }, base::millis(50))) return true;
    return fail("a session was closed, and its peer has not heard of it");
  }
  const base::Nanos patience =
      std::max(plan_.config[0].peer_timeout, plan_.config[1].peer_timeout) * 3;
  wire_.partition(-1, base::after(now_, kHealing));
  for (const auto& peer : peers_) peer->probe(kShortProbe, now_);
  if (run_until([this] { return parted(); }, patience)) return true;
  return fail("a peer was silent for long, and its call waits for it still");
}

FaultReport FaultMachine::run() {
  connect();
  run_until([] { return false; }, plan_.chaos);
  mend();
  run_until([] { return false; }, plan_.calm);
  finish();
  for (auto& peer : peers_) peer->check_quiet_memory();
  book_.audit();
  if (!wire_.watch().violation().empty()) accuse(wire_.watch().violation());
  FaultReport report;
  report.seed = plan_.seed;
  report.violation = book_.violation();
  report.hash = base::mix64(wire_.watch().hash(), now_.value());
  report.packets = wire_.packets();
  report.records = wire_.watch().records();
  report.esp = wire_.watch().esp();
  for (const auto& peer : peers_) {
    report.inline_records += peer->port().records();
    report.resyncs += peer->port().resyncs();
  }
  report.steps = steps_;
  report.sessions = sessions_;
  report.calls = book_.all().size();
  for (const CallRecord& call : book_.all()) {
    report.completed_ok += call.completed && call.code == base::Code::kOk ? 1 : 0;
  }
  report.fired = counts_;
  return report;
}

}  // namespace sluice::sim
