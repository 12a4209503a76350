// SPDX-License-Identifier: Apache-2.0
#include "transport/sender.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "transport/answer_timeout.h"
#include "wire/control_frames.h"
#include "wire/esp.h"
#include "wire/header.h"
#include "wire/padding.h"

namespace sluice::transport {

void Sender::start(Exchange& exchange) {
  Outgoing& out = exchange.out;
  out.active = true;
  if (out.small) {
    Lane& lane = *exchange.lane;
    const bool first = lane.small.empty();
    lane.small.push_back(out);
    // Behind another it changes nothing of the lane's turn.
    if (first || !lane.tx_node.linked()) ctx_.wake(lane);
    return;
  }
  out.granted = std::min(out.granted, out.length);
  if (exchange.cold == nullptr) ctx_.make_cold(exchange);
  exchange.cold->begin(out.granted);
  rank(exchange);
}

void Sender::assume_sent(Exchange& exchange) {
  Outgoing& out = exchange.out;
  SLUICE_DCHECK(out.small);
  out.active = true;
  out.sent = out.length;
  out.last_sent = ctx_.now;
}

void Sender::grant(Exchange& exchange, uint32_t offset, uint8_t priority) {
  Outgoing& out = exchange.out;
  if (!out.active || out.small || offset <= out.granted) return;  // PROTOCOL MUST-T4
  out.granted = std::min(offset, out.length);
  out.priority = priority & 7;
  exchange.last_progress = ctx_.now;  // The peer is receiving it: nothing to ask for.
  exchange.backoff = 0;
  out.known = true;
  rank(exchange);
}

// The bytes asked for were sent before, or were held back as too few for a whole packet; a peer
// that asks for more than its lane's budget gets the rest when it asks again.
void Sender::resend(Exchange& exchange, uint32_t begin, uint32_t end, base::Nanos now) {
  Outgoing& out = exchange.out;
  if (!out.active || begin >= out.length) return;
  out.known = true;
  Lane& lane = *exchange.lane;
  if (begin < out.sent) note_missing(exchange, begin, now);
  if (out.small) {
    if (!out.node.linked() && spend(lane, out.length, now)) repeat_small(exchange);
    return;
  }
  refill(lane, now);
  ColdPart& part = *exchange.cold;
  end = std::min(end, out.length);
  // Bytes up to the very last one sent may merely be in flight, if that was within a round trip:
  // the peer's timer cannot know when they left.
  const bool tail = end >= out.sent;
  const bool in_flight = base::elapsed(out.last_sent, now) < lane.rtt.smoothed();
  const uint32_t repeat_end = tail && in_flight ? begin : std::min(end, out.sent);
  if (begin < repeat_end) {
    // PROTOCOL MUST-T7
    const uint64_t allowed = std::min<uint64_t>(repeat_end - begin, lane.resend_tokens);
    if (allowed < repeat_end - begin) ctx_.stats.limit_resend_budget.add();
    const uint32_t record = lane.record_bytes();
    leave_paths(lane, part.trail.taken(begin / record, (repeat_end + record - 1) / record,
                                       (out.sent - 1) / record));
    if (allowed > 0) {
      lane.resend_tokens -= allowed;
      part.resend.insert(begin, begin + static_cast<uint32_t>(allowed));
      ctx_.stats.resends_received.add();
    }
  }
  part.flush_to = std::max(part.flush_to, std::min(end, out.granted));
  rank(exchange);
}

void Sender::refill(Lane& lane, base::Nanos now) {
  lane.resend_tokens = std::min(
      kResendBurstBytes, lane.resend_tokens + base::elapsed(lane.resend_refill, now).value());
  lane.resend_refill = now;
}

// PROTOCOL MUST-T7
bool Sender::spend(Lane& lane, uint32_t bytes, base::Nanos now) {
  refill(lane, now);
  if (lane.resend_tokens < bytes) {
    ctx_.stats.limit_resend_budget.add();
    return false;
  }
  lane.resend_tokens -= bytes;
  return true;
}

void Sender::restart(Exchange& exchange, base::Nanos now) {
  Outgoing& out = exchange.out;
  if (!out.active) return;
  Lane& lane = *exchange.lane;
  const uint32_t start = unasked(lane, out.length);
  const bool waits = out.small && out.node.linked();
  if (!waits && !spend(lane, std::min(out.sent, start), now)) return;
  exchange.last_progress = now;
  if (out.small) {
    repeat_small(exchange);
    return;
  }
  out.known = false;
  out.went_whole = out.may_have_arrived();  // A packet may still be on its way.
  out.sent = 0;
  exchange.cold->restart(start);
  out.granted = start;
  rank(exchange);
}

void Sender::note_missing(Exchange& exchange, uint32_t begin, base::Nanos now) {
  Outgoing& out = exchange.out;
  if (!out.small && begin != exchange.cold->missing_at) {
    exchange.cold->missing_at = begin;
    out.misses = 0;
  }
  if (++out.misses < PathMtu::kBlackHoleTries) return;
  out.misses = 0;
  exchange.lane->mtu.on_black_hole(now);
}

void Sender::ask_behind(Exchange& exchange) {
  exchange.out.asks = true;
  rank(exchange);
}

// A PONG's round trip is taken from the timestamp that it echoes, so the PINGs that go out while
// none was answered share a nonce, and the first answer to any of them counts.
void Sender::ping(Lane& lane) {
  if (!lane.ping_outstanding || base::elapsed(lane.ping_began, ctx_.now) >= kPingNonceLife) {
    lane.ping_outstanding = true;
    lane.ping_began = ctx_.now;
    ++lane.ping_nonce;
  }
  queue(lane, wire::PingFrame{lane.ping_nonce});
}

void Sender::queue_held_acks(Lane& lane) {
  lane.acks_due = base::Nanos::max();
  while (lane.busy != nullptr && !lane.busy->held_acks.empty()) {
    const HeldAcks::Run run = lane.busy->held_acks.take();
    if (run.count == 1) {
      queue(lane, wire::AckFrame{0, run.first});
    } else {
      queue(lane, wire::AckRunFrame{run.first, run.count});
    }
  }
}

// The priorities that this side wants go with a bundle that is due for another reason.
void Sender::tell_cutoffs(Lane& lane) {
  if (lane.cutoffs_told == ctx_.cutoffs.version()) return;
  lane.cutoffs_told = ctx_.cutoffs.version();
  queue(lane, ctx_.cutoffs.frame());
}

// Said more than once, since the way of what says it may be bad as well.
void Sender::tell_paths(Lane& lane) {
  if (lane.paths_to_tell == 0) return;
  --lane.paths_to_tell;
  queue(lane, wire::AvoidFrame{lane.bad_paths});
}

void Sender::repeat_small(Exchange& exchange) {
  Outgoing& out = exchange.out;
  if (out.node.linked()) return;  // Still waiting for its first packet.
  out.repeat = true;
  exchange.lane->small.push_back(out);
  ctx_.wake(*exchange.lane);
}

void Sender::forget_queued(Exchange& exchange) {
  Outgoing& out = exchange.out;
  if (!out.small) count_unspent(*exchange.cold, 0);
  if (!out.node.linked()) return;
  if (out.untimed) arm_timer(exchange, ctx_.now);
  if (out.small) {
    exchange.lane->small.erase(out);
  } else {
    ready_.erase(out);
  }
}

void Sender::forget_touched(Reassembly& reassembly) {
  if (reassembly.touched.linked()) touched_.erase(reassembly);
}

void Sender::resume(Lane& lane) {
  lane.for_each_exchange([this](Exchange& exchange) {
    if (exchange.out.active && !exchange.out.small) rank(exchange);
  });
  if (lane.has_frames || !lane.small.empty()) ctx_.wake(lane);
}

// A tail that does not fill a packet waits for the next grant, unless it ends the message or the
// peer asks for it: else every grant would cost a short packet.
bool Sender::has_work(const Exchange& exchange) const {
  const Outgoing& out = exchange.out;
  const ColdPart& part = *exchange.cold;
  if (!part.resend.empty() || out.asks) return true;
  if (out.sent >= out.granted) return false;
  return out.granted == out.length || out.sent < part.flush_to ||
         out.granted - out.sent >= exchange.lane->record_bytes();
}

void Sender::rank(Exchange& exchange) {
  Outgoing& out = exchange.out;
  const uint32_t unspent = out.active && out.granted > out.sent ? out.granted - out.sent : 0;
  count_unspent(*exchange.cold, unspent);
  const bool ready = out.active && has_work(exchange);
  if (!ready) {
    if (out.node.linked()) ready_.erase(out);
    return;
  }
  const uint32_t left = out.length - out.sent + exchange.cold->resend_bytes();
  if (out.node.linked()) {
    ready_.update(out, left);
  } else {
    ready_.insert(out, left);
  }
}

size_t Sender::fill(std::span<TxPacket> slots, base::Nanos now) {
  const size_t limit = std::min(slots.size(), kBatch);
  size_t used = 0;
  CreditBoard* const board = ctx_.config.credit_board;
  const uint32_t member = ctx_.config.credit_member;
  if (board != nullptr && (!ctx_.tx_lanes.empty() || !ready_.empty())) {
    others_ = board->others(member);
  }
  while (used < limit) {
    if (Lane* lane = ctx_.tx_lanes.front()) {
      const bool filled = fill_from_lane(*lane, slots[used], now);
      used += filled ? 1 : 0;
      if (filled && (lane->has_frames || !lane->small.empty())) {
        ctx_.tx_lanes.rotate(*lane, Context::tx_size(*lane));
      } else {
        ctx_.tx_lanes.erase(*lane);
      }
      maybe_update_keys(*lane);  // A new epoch wakes it again.
      continue;
    }
    if (staged_.pending()) [[unlikely]] {
      used += cut_record(slots[used]) ? 1 : 0;
      continue;
    }
    Outgoing* out = ready_.next();
    if (out == nullptr) break;
    Exchange& exchange = exchange_of(*out);
    const bool question = out->asks && exchange.cold->resend.empty();
    const bool filled = question ? fill_question(exchange, slots[used], now)
                                 : fill_data(exchange, slots[used], now);
    used += filled ? 1 : 0;
  }
  flush();
  if (board != nullptr) board->publish_unspent(member, unspent_, !ready_.empty());
  return used;
}

void Sender::flush() {
  if (job_count_ == 0) return;
  ctx_.backend->submit_seal(std::span(jobs_.data(), job_count_));
  job_count_ = 0;
}

bool Sender::fill_from_lane(Lane& lane, TxPacket& slot, base::Nanos now) {
  const bool follows = lane.after_packet;
  if (follows && lane.esp.on()) [[unlikely]]
    slot.capacity -= static_cast<uint32_t>(wire::kEspTrailerMax);
  const bool filled = fill_first(lane, slot, now);
  if (follows) [[unlikely]]
    follow(lane, slot, filled, now);
  return filled;
}

// What the lane wants to send first, in one packet.
bool Sender::fill_first(Lane& lane, TxPacket& slot, base::Nanos now) {
  if (!lane.send.may_seal()) {
    maybe_update_keys(lane);
    if (!lane.send.may_seal()) return false;  // resume() wakes the lane again.
  }
  if (lane.probe_bytes != 0) return fill_probe(lane, slot, now);
  if (!lane.has_frames && !lane.small.empty() && (lane.small.single() || !ctx_.config.bundling) &&
      !lane.small.front()->repeat) {
    return fill_lone(lane, slot, now) || fill_bundle(lane, slot, now);
  }
  return fill_bundle(lane, slot, now);
}

[[gnu::noinline]] void Sender::follow(Lane& lane, TxPacket& slot, bool filled, base::Nanos now) {
  if (lane.esp.on()) {
    if (filled) make_esp(lane, slot);
    slot.capacity += static_cast<uint32_t>(wire::kEspTrailerMax);
  }
  if (lane.close_queued && !lane.has_frames) ctx_.wheel.arm(lane.timer, now);
}

// A path MTU probe (RFC 8899 §4.1): a bundle of one PROBE frame, padded to the size probed.
bool Sender::fill_probe(Lane& lane, TxPacket& slot, base::Nanos now) {
  const uint32_t size = lane.probe_bytes;
  lane.probe_bytes = 0;
  if (size > slot.capacity) return fill_bundle(lane, slot, now);
  const uint32_t clear = size - static_cast<uint32_t>(wire::kBundleHeaderSize) - lane.tag_size;
  wire::FrameWriter writer(slot.data + wire::kBundleHeaderSize, clear);
  writer.append(wire::ProbeFrame{static_cast<uint16_t>(size)});
  writer.pad(writer.remaining());
  ctx_.stats.probes_sent.add();
  ctx_.stats.tx_control_packets.add();
  ctx_.stats.tx_control_bytes.add(size);
  seal_bundle(lane, slot, clear, 0, 7, lane.entropy, now);
  return true;
}

// One small message alone: a DATA packet, sealed straight from the caller's bytes.
bool Sender::fill_lone(Lane& lane, TxPacket& slot, base::Nanos now) {
  Outgoing& out = *lane.small.front();
  Exchange& exchange = exchange_of(out);
  if (out.length > lane.record_bytes()) return false;
  if (!write_record(exchange, slot, 0, out.length, false, now)) return false;
  lane.small.erase(out);
  note_sent(out, now);
  return true;
}

void Sender::note_sent(Outgoing& small, base::Nanos now) {
  small.sent = small.length;
  if (small.untimed) [[unlikely]]
    arm_timer(exchange_of(small), now);
}

[[gnu::noinline, gnu::cold]] void Sender::arm_timer(Exchange& exchange, base::Nanos now) {
  exchange.out.untimed = false;
  ctx_.wheel.arm(exchange.timer, first_look(ctx_.config, exchange, now));
}

void Sender::copy_message(const Lane& lane, const Outgoing& out, uint32_t offset,
                          std::span<uint8_t> to) {
  if (lane.padded) [[unlikely]] {
    wire::copy_padded({out.data, cold_of(out).content}, offset, to);
  } else {
    std::memcpy(to.data(), out.data + offset, to.size());
  }
}

// Where [offset, offset + to.size()) of a padded message can be sealed from: the caller's memory,
// or `to`, into which what holds the length or padding is copied first.
[[gnu::noinline]] const uint8_t* Sender::padded_bytes(const Outgoing& out, uint32_t offset,
                                                      std::span<uint8_t> to) {
  const uint64_t end = uint64_t{offset} + to.size();
  const uint32_t content = cold_of(out).content;
  if (offset >= wire::kLengthPrefix && end <= uint64_t{content} + wire::kLengthPrefix) {
    return out.data + (offset - wire::kLengthPrefix);
  }
  wire::copy_padded({out.data, content}, offset, to);
  return to.data();
}

uint32_t Sender::floor_delta(Exchange& exchange) {
  if (!exchange.caller) return 0;
  Lane& lane = *exchange.lane;
  lane.told_floor = lane.own_ids.floor();
  // Where this gets lost, or is dropped for want of room, a callee that waits for it asks at last.
  if (!lane.floor_wanted && !lane.own_ids.has_news(lane.told_floor)) {
    lane.floor_due = base::Nanos::max();
  }
  return static_cast<uint32_t>(std::min<uint64_t>(exchange.id - lane.told_floor, UINT32_MAX));
}

void Sender::write_message(Exchange& exchange, uint8_t* clear, uint8_t bits) {
  wire::MsgFrame frame{};
  if (exchange.caller) bits |= wire::kMsgInitiator;
  if (exchange.one_way) bits |= wire::kMsgOneWay;
  if (exchange.lazy) bits |= wire::kMsgLazy;
  frame.bits = bits;
  frame.service = exchange.service;
  frame.length = static_cast<uint16_t>(exchange.out.length);
  frame.floor_delta = floor_delta(exchange);
  frame.id = exchange.id;
  frame.response_credit = exchange.caller ? exchange.response_credit : 0;
  frame.emit(clear);
}

// Calls: a quarter of what is under way on the lane, so that the peer answers one bundle while the
// next is made. With all of sixty tiny calls in two bundles, one side waited for the other. Answers
// go as they come.
uint32_t Sender::most_bundled(Lane& lane) {
  if (!ctx_.config.bundling) return 1;
  Outgoing* const first = lane.small.front();
  if (first == nullptr || !exchange_of(*first).caller) return kMostBundled;
  return std::clamp(lane.exchange_count / kBundlesUnderWay, kLeastBundled, kMostBundled);
}

// Frames first, then as many waiting small messages as fit: their headers in clear, their bytes
// sealed. The bytes are gathered into the packet, which costs a copy of at most a few hundred
// bytes each and saves an AEAD and a packet for all but the first.
bool Sender::fill_bundle(Lane& lane, TxPacket& slot, base::Nanos now) {
  const uint32_t limit = std::min(slot.capacity, lane.mtu.limit());
  const uint32_t room = limit - static_cast<uint32_t>(wire::kBundleHeaderSize) - lane.tag_size;
  uint8_t* const clear_start = slot.data + wire::kBundleHeaderSize;
  const uint32_t frames_room = std::min(room, base::limits::kMaxBundleClearBytes);
  queue_held_acks(lane);
  tell_cutoffs(lane);
  tell_paths(lane);
  uint32_t clear = 0;
  if (lane.has_frames) {
    clear = lane.busy->frames.take({clear_start, frames_room});
    lane.has_frames = !lane.busy->frames.empty();
  }
  ctx_.stats.tx_control_bytes.add(clear);
  uint32_t sealed = 0;
  uint32_t longest = 0;
  std::array<Outgoing*, kMostBundled> messages;
  uint32_t count = 0;
  bool repeated = false;
  const uint32_t most = most_bundled(lane);
  while (Outgoing* out = lane.small.front()) {
    if (count == most) break;
    if (clear + sealed + wire::MsgFrame::kSize + out->length > room) break;
    write_message(exchange_of(*out), clear_start + clear,
                  out->repeat ? wire::kMsgRetransmission : 0);
    clear += static_cast<uint32_t>(wire::MsgFrame::kSize);
    sealed += out->length;
    longest = std::max(longest, out->length);
    repeated |= out->repeat;
    messages[count++] = out;
    lane.small.erase(*out);
  }
  if (clear == 0) return false;
  uint8_t* payload = clear_start + clear;
  for (uint32_t i = 0; i < count; ++i) {
    copy_message(lane, *messages[i], 0, {payload, messages[i]->length});
    payload += messages[i]->length;
    note_sent(*messages[i], now);
    messages[i]->repeat = false;
  }
  const uint8_t path =
      seal_bundle(lane, slot, clear, sealed, lane.cutoffs.priority(longest), lane.entropy, now);
  if (ctx_.config.several_paths()) {
    for (uint32_t i = 0; i < count; ++i) cold_of(*messages[i]).trail.note(0, path);
  }
  if (count > 1) ctx_.stats.tx_bundles.add();
  if (repeated) ctx_.stats.tx_retransmitted.add();
  if (count > 0) {
    ctx_.stats.tx_data_packets.add();
  } else {
    ctx_.stats.tx_control_packets.add();
    ctx_.stats.tx_control_bytes.add(wire::kBundleHeaderSize + lane.tag_size);
  }
  return true;
}

uint8_t Sender::header_bits(Lane& lane) {
  uint8_t bits = 0;
  if (lane.saw_congestion) bits |= wire::kBitEcnEcho;
  lane.saw_congestion = false;
  // With one message, the credit for it is used as fast as it can be.
  const bool congested =
      unspent_ + others_.unspent > ctx_.config.congested_sender_bytes && several();
  if (congested) bits |= wire::kBitCongestedSender;
  return bits;
}

// The message that is served now uses its credit as it comes; one that waits gathers it.
bool Sender::outranked(const Outgoing& out) const {
  return out.granted > out.sent && out.granted - out.sent >= ctx_.config.outranked_bytes &&
         several();
}

void Sender::leave_paths(Lane& lane, uint16_t paths) {
  if (!ctx_.config.several_paths() || lane.busy == nullptr) return;
  ctx_.stats.paths_left.add(lane.busy->paths.replace(paths, &ctx_.prng));
}

uint8_t Sender::take_path(Lane& lane, uint16_t kept, TxPacket* slot) {
  if (!ctx_.config.several_paths() || lane.busy == nullptr) {
    slot->entropy = kept;
    return 0;
  }
  SendPaths& paths = lane.busy->paths;
  const uint8_t path = paths.next(&ctx_.prng);
  slot->entropy = paths.entropy(path);
  return path;
}

uint8_t Sender::seal_bundle(Lane& lane, TxPacket& slot, uint32_t clear, uint32_t sealed,
                            uint8_t priority, uint16_t entropy, base::Nanos now) {
  wire::BundleHeader header;
  header.path = take_path(lane, entropy, &slot);
  header.session = lane.remote_session.value();
  header.epoch = lane.send.epoch_low();
  header.lane = lane.number;
  header.bits = header_bits(lane);
  header.record_number = lane.send.next_counter();
  header.clear_length = static_cast<uint16_t>(clear);
  header.rx_epoch = lane.receive.epoch_low();
  header.timestamp = static_cast<uint32_t>(now.value());
  header.emit(slot.data);
  crypto::AeadJob& job = jobs_[job_count_];
  job.key = lane.send.key();
  job.record_number = header.record_number;
  job.aad = slot.data;
  job.aad_length = static_cast<uint32_t>(wire::kBundleHeaderSize) + clear;
  job.in = slot.data + job.aad_length;
  job.out = slot.data + job.aad_length;
  job.length = sealed;
  seal(lane, slot, priority);
  return header.path;
}

void Sender::seal(Lane& lane, TxPacket& slot, uint8_t priority) {
  const crypto::AeadJob& job = jobs_[job_count_++];
  lane.send.note_sealed(job.record_number, job.length + job.aad_length);
  slot.length = job.aad_length + job.length + lane.tag_size;
  slot.route = lane.route;
  slot.priority = priority;
  ctx_.stats.tx_packets.add();
  ctx_.stats.tx_bytes.add(slot.length);
}

bool Sender::fill_data(Exchange& exchange, TxPacket& slot, base::Nanos now) {
  const Lane& lane = *exchange.lane;
  if (lane.data_apart) [[unlikely]] {
    if (lane.esp.on()) {
      slot.capacity -= static_cast<uint32_t>(wire::kEspTrailerMax);
      const bool filled = fill_packet<true>(exchange, slot, now);
      slot.capacity += static_cast<uint32_t>(wire::kEspTrailerMax);
      return filled;
    }
    const uint32_t content = record_content(exchange);
    if (content != 0) return stage_record(exchange, content, slot, now);
  }
  return fill_packet<false>(exchange, slot, now);
}

template <bool kEsp>
[[gnu::always_inline]] inline bool Sender::fill_packet(Exchange& exchange, TxPacket& slot,
                                                       base::Nanos now) {
  Outgoing& out = exchange.out;
  Lane& lane = *exchange.lane;
  ColdPart& part = *exchange.cold;
  const bool again = !part.resend.empty();
  const uint32_t offset = again ? part.resend[0].begin : out.sent;
  // After a short packet the next one ends where a record does, as grants do.
  const uint32_t room =
      std::min(lane.record_bytes() - offset % lane.record_bytes(),
               slot.capacity - static_cast<uint32_t>(wire::kDataHeaderSize) - lane.tag_size);
  const uint32_t end = again ? part.resend[0].end : out.granted;
  const uint32_t length = std::min(room, end - offset);
  const bool repeated = again || offset < part.reached;
  if (!lane.send.may_seal() || !write_record(exchange, slot, offset, length, repeated, now)) {
    ready_.erase(out);  // resume() brings it back with the next epoch.
    maybe_update_keys(lane);
    return false;
  }
  part.reached = std::max(part.reached, offset + length);
  if constexpr (kEsp) make_esp(lane, slot);
  if (again) {
    part.resend.erase(offset, offset + length);
  } else {
    out.sent += length;
  }
  rank(exchange);
  maybe_update_keys(lane);
  return true;
}

// In the manner of a tail loss probe (RFC 8985 §7), without sending any of the message again.
bool Sender::fill_question(Exchange& exchange, TxPacket& slot, base::Nanos now) {
  Outgoing& out = exchange.out;
  Lane& lane = *exchange.lane;
  out.asks = false;
  rank(exchange);
  if (!lane.send.may_seal()) {
    maybe_update_keys(lane);
    return false;  // The next time-out asks again.
  }
  uint8_t* const clear = slot.data + wire::kBundleHeaderSize;
  const auto write = [&](const auto& frame) {
    frame.emit(clear);
    return static_cast<uint32_t>(frame.kSize);
  };
  const uint32_t size =
      exchange.one_way ? write(wire::NeedAckFrame{wire::kExchangeInitiator, exchange.id})
                       : write(wire::ResendFrame{wire::kExchangeInitiator | wire::kExchangeResponse,
                                                 exchange.id, 0, UINT32_MAX, 7});
  if (!exchange.one_way) ctx_.stats.resends_sent.add();
  ctx_.stats.tx_control_packets.add();
  ctx_.stats.tx_control_bytes.add(wire::kBundleHeaderSize + size + lane.tag_size);
  seal_bundle(lane, slot, size, 0, out.lowest, entropy_of(exchange), now);
  if (lane.esp.on()) make_esp(lane, slot);
  maybe_update_keys(lane);
  return true;
}

inline uint8_t Sender::priority_of(const Exchange& exchange, uint32_t offset) const {
  const Outgoing& out = exchange.out;
  const Lane& lane = *exchange.lane;
  if (out.small) return lane.cutoffs.priority(out.length);
  if (offset >= exchange.cold->unasked) return out.priority;
  return asks_first(out.length) ? 7 : lane.cutoffs.priority(out.length);
}

// Inline, as a packet has one: what `header` says besides is what its packet or record needs.
[[gnu::always_inline]] inline wire::DataHeader Sender::data_header(Exchange& exchange,
                                                                   uint64_t number, uint32_t offset,
                                                                   bool again, TxPacket& slot,
                                                                   base::Nanos now) {
  const Outgoing& out = exchange.out;
  Lane& lane = *exchange.lane;
  wire::DataHeader header;
  header.offset = offset;
  header.session = lane.remote_session.value();
  header.epoch = lane.send.epoch_low();
  header.lane = lane.number;
  header.bits = header_bits(lane);
  if (outranked(out)) header.bits |= wire::kBitOutranked;
  if (again) header.bits |= wire::kBitRetransmission;
  if (exchange.one_way) header.bits |= wire::kBitOneWay;
  if (exchange.lazy) header.bits |= wire::kBitLazy;
  header.record_number = number;
  header.message_length = out.length;
  header.granted = std::min(out.granted, out.length);
  header.response_credit = exchange.caller ? exchange.response_credit : 0;
  header.floor_delta = floor_delta(exchange);
  header.timestamp = static_cast<uint32_t>(now.value());
  header.service = exchange.service;
  header.path = take_path(lane, entropy_of(exchange), &slot);
  header.path_sequence = lane.path_sequence++;
  return header;
}

bool Sender::write_record(Exchange& exchange, TxPacket& slot, uint32_t offset, uint32_t length,
                          bool again, base::Nanos now) {
  Outgoing& out = exchange.out;
  Lane& lane = *exchange.lane;
  out.last_sent = now;
  const uint32_t index = offset / lane.record_bytes();
  if (lane.records && again) [[unlikely]] {
    out.cursor.note_sent(lane.send.epoch().value(), index);  // PROTOCOL MUST-C3
  }
  const auto number = lane.send.message_number(exchange.caller, exchange.id, index, &out.cursor);
  if (!number.has_value()) return false;
  const wire::DataHeader header = data_header(exchange, *number, offset, again, slot, now);
  if (ctx_.config.several_paths()) {
    exchange.cold->trail.note(offset / lane.record_bytes(), header.path);
  }
  header.emit(slot.data);
  crypto::AeadJob& job = jobs_[job_count_];
  job.key = lane.send.key();
  job.record_number = *number;
  job.aad = slot.data;
  job.aad_length = static_cast<uint32_t>(wire::kDataHeaderSize);
  job.in = out.data + offset;
  job.out = slot.data + wire::kDataHeaderSize;
  job.length = length;
  if (lane.padded) [[unlikely]]
    job.in = padded_bytes(out, offset, {job.out, length});
  const uint8_t priority = priority_of(exchange, offset);
  out.lowest = std::min(out.lowest, priority);
  seal(lane, slot, priority);
  ctx_.stats.tx_data_packets.add();
  if (again) ctx_.stats.tx_retransmitted.add();
  return true;
}

// PROTOCOL MUST-R6: what was sent before goes in packet mode, and what fits into a packet may.
[[gnu::noinline]] uint32_t Sender::record_content(const Exchange& exchange) const {
  const Outgoing& out = exchange.out;
  const Lane& lane = *exchange.lane;
  const ColdPart& part = *exchange.cold;
  if (!part.resend.empty() || out.sent < part.reached) return 0;
  // What comes unasked and what was granted may have different priorities.
  const uint32_t end = out.sent < part.unasked ? std::min(out.granted, part.unasked) : out.granted;
  const uint32_t packet = lane.record_bytes();
  const uint32_t ready = end - out.sent;
  if (ready <= packet) return 0;
  const uint32_t most = StagedRecord::most_content(lane.mtu.limit());
  if (ready <= most) return ready;
  // A rest that does not fill a packet would wait for the next grant.
  if (end == out.length || ready - most >= packet) return most;
  return ready - packet > packet ? ready - packet : 0;
}

[[gnu::noinline]] bool Sender::stage_record(Exchange& exchange, uint32_t content, TxPacket& slot,
                                            base::Nanos now) {
  Outgoing& out = exchange.out;
  Lane& lane = *exchange.lane;
  const uint32_t offset = out.sent;
  wire::RecordHeader header;
  const auto number =
      lane.send.may_seal()
          ? lane.send.next_message_number(exchange.caller, exchange.id, &out.cursor, &header.index)
          : std::nullopt;
  if (!number.has_value()) {
    ready_.erase(out);  // resume() brings it back with the next epoch.
    maybe_update_keys(lane);
    return false;
  }
  out.last_sent = now;
  out.sent = exchange.cold->reached = offset + content;
  TxPacket way = slot;
  header.message = data_header(exchange, *number, offset, false, way, now);
  header.length = static_cast<uint16_t>(wire::record_size(content));
  if (ctx_.config.several_paths()) {
    const uint32_t packet = lane.record_bytes();
    for (uint32_t at = offset / packet; at * packet < offset + content; ++at) {
      exchange.cold->trail.note(at, header.message.path);
    }
  }
  way.route = lane.route;
  way.priority = priority_of(exchange, offset);
  out.lowest = std::min(out.lowest, way.priority);
  copy_message(lane, out, offset, staged_.begin(header, Context::ref_of(lane), way));
  if (lane.send.inline_context() == crypto::kNoInlineContext) {
    staged_.seal(ctx_.backend, lane.send.key());
  } else {
    staged_.leave_to_port(lane.send.inline_context());
    ctx_.stats.tx_inline_records.add();
  }
  lane.send.note_sealed(*number, staged_.sealed_bytes());
  ctx_.stats.tx_records.add();
  rank(exchange);
  maybe_update_keys(lane);
  return cut_record(slot);
}

[[gnu::noinline]] bool Sender::cut_record(TxPacket& slot) {
  const Lane* lane = ctx_.find_lane(staged_.lane());
  if (lane == nullptr) {  // It ended meanwhile.
    staged_.drop();
    return false;
  }
  staged_.cut(&slot, lane->mtu.limit());
  ctx_.stats.tx_packets.add();
  ctx_.stats.tx_bytes.add(slot.length);
  ctx_.stats.tx_data_packets.add();
  return true;
}

void Sender::maybe_update_keys(Lane& lane) {
  if (!lane.send.should_update() || !lane.send.can_advance()) return;
  if (!lane.send.advance()) return;
  ctx_.stats.key_updates.add();
  resume(lane);
}

}  // namespace sluice::transport
