// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_machine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "crypto/key_schedule.h"
#include "sim/virtual_crypto.h"

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

}  // namespace

FaultMachine::FaultMachine(const FaultPlan& plan, crypto::AeadBackend* backend)
    : plan_(plan), prng_(base::mix64(plan.seed, 7)), wire_(plan_, &counts_) {
  for (int side = 0; side < 2; ++side) {
    peers_[static_cast<size_t>(side)] =
        std::make_unique<FaultPeer>(side, plan_, backend, &virtual_primitives(), &book_, &counts_);
  }
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
  return peers_[0]->has_lane() && peers_[1]->has_lane();
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
  command.peer_max_message = plan_.config[other].max_message;
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
  const bool whole = peers_[0]->has_lane() && peers_[1]->has_lane();
  if (whole) {
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
      slots[i].data = buffers.data() + i * kBufferBytes;
      slots[i].capacity = capacity;
    }
    used = peers_[static_cast<size_t>(side)]->endpoint().poll_tx(slots, now_);
    for (size_t i = 0; i < used; ++i) {
      wire_.send(side, {slots[i].data, slots[i].length}, slots[i].entropy, now_);
    }
  } while (used == kSlots);
}

void FaultMachine::receive() {
  for (size_t i = 0; i < kBurst; ++i) {
    const auto packet = wire_.receive(now_);
    if (!packet) return;
    take(*packet);
  }
}

// What arrives at a host that stands still is lost, as its ring overflows.
void FaultMachine::take(const WirePacket& packet) {
  const auto to = static_cast<size_t>(packet.to);
  if (now_ < hosts_[to].paused_until || packet.bytes.empty()) return;
  std::vector<uint8_t> bytes = packet.bytes;
  transport::RxPacket rx;
  rx.data = bytes.data();
  rx.length = static_cast<uint32_t>(bytes.size());
  rx.congestion_experienced = packet.congestion_experienced;
  peers_[to]->endpoint().on_rx({&rx, 1}, now_);
  if (rx.verdict != transport::Verdict::kUnknownSession) return;
  // The engine would answer with a RESET, some of the time; a RESET is a hint to look closer.
  FaultPeer& other = *peers_[1 - to];
  if (!other.has_lane() || !wire_.open(now_) || prng_.uniform(4) != 0) return;
  other.endpoint().submit(transport::Suspect{other.lane()}, now_);
}

template <class Done>
bool FaultMachine::run_until(Done done, base::Nanos limit) {
  const base::Nanos end = base::after(now_, limit);
  while (!done()) {
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

void FaultMachine::finish() {
  const auto quiet = [this] {
    return peers_[0]->outstanding() == 0 && peers_[1]->outstanding() == 0;
  };
  for (auto& peer : peers_) peer->stop_calling();
  if (!run_until(quiet, kHealing)) {
    accuse(absl::StrCat("after all was mended ", peers_[0]->outstanding(), " and ",
                        peers_[1]->outstanding(), " calls did not complete"));
    return;
  }
  // What went wrong before may still end a session that was doubted then.
  run_until([] { return false; }, kDoubts);
  const auto joined = [this] { return peers_[0]->has_lane() && peers_[1]->has_lane(); };
  for (auto& peer : peers_) {
    if (!run_until(joined, kHealing)) return accuse("no session came up after all was mended");
    const uint16_t tag = peer->probe(now_);
    const auto probed = [this, tag] { return book_.all()[tag].completed; };
    const bool completed = run_until(probed, kHealing);
    if (completed && book_.all()[tag].code == base::Code::kOk) continue;
    return accuse(absl::StrCat("a call after all was mended ended with ",
                               completed ? base::code_name(book_.all()[tag].code) : "nothing"));
  }
}

FaultReport FaultMachine::run() {
  connect();
  run_until([] { return false; }, plan_.chaos);
  mend();
  finish();
  for (auto& peer : peers_) peer->check_quiet_memory();
  book_.audit();
  if (!wire_.violation().empty()) accuse(wire_.violation());
  FaultReport report;
  report.seed = plan_.seed;
  report.violation = book_.violation();
  report.hash = base::mix64(wire_.hash(), now_.value());
  report.packets = wire_.packets();
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
