// SPDX-License-Identifier: Apache-2.0
#include "transport/receiver.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "transport/look_ahead.h"
#include "transport/padding.h"
#include "wire/header.h"

namespace sluice::transport {

void Receiver::on_rx(std::span<RxPacket> burst, base::Nanos now) {
  look_ahead(ctx_, burst);
  for (RxPacket& packet : burst) {
    packet.verdict = Verdict::kConsumed;
    ctx_.stats.rx_packets.add();
    ctx_.stats.rx_bytes.add(packet.length);
    take(packet, now);
  }
  flush(now);
  inbound_.settle(now);
}

// PROTOCOL MUST-T19: form, session and lane, epoch, replay; flush() opens and commit() dispatches.
void Receiver::take(RxPacket& packet, base::Nanos now) {
  if (count_ == kBatch) flush(now);  // Before classifying: a flush can end what a packet names.
  switch (wire::CommonView::check(packet.data, packet.length)) {
    case wire::HeaderError::kNone:
      break;
    case wire::HeaderError::kVersion:
      ctx_.stats.drop_version.add();
      return;
    default:
      if (packet.esp_length != 0) return take_esp(packet, now);
      ctx_.stats.drop_short.add();
      return;
  }
  switch (packet.data[wire::offsets::kType]) {
    case static_cast<uint8_t>(wire::PacketType::kData):
      take_data(packet, now);
      return;
    case static_cast<uint8_t>(wire::PacketType::kBundle):
      take_bundle(packet, now);
      return;
    case static_cast<uint8_t>(wire::PacketType::kRecord):
      take_record(packet, now);
      return;
    case static_cast<uint8_t>(wire::PacketType::kHandshake):
      packet.verdict = Verdict::kHandshake;
      return;
    case static_cast<uint8_t>(wire::PacketType::kReset):
      packet.verdict = Verdict::kReset;
      return;
    default:
      ctx_.stats.drop_type.add();
  }
}

Lane* Receiver::lane_of(RxPacket& packet, base::Nanos, const crypto::AeadKey** key) {
  const base::SessionId session(base::load_be32(packet.data + wire::offsets::kSession));
  Lane* lane = ctx_.find_lane(session, packet.data[wire::offsets::kLane]);
  if (lane == nullptr) {  // PROTOCOL MUST-T20: no state, and at most a hint to answer RESET.
    ctx_.stats.drop_session.add();
    // Nothing sealed is as short as a RESET, and what is draws no answer longer than itself.
    if (packet.length > wire::kResetPacketSize) packet.verdict = Verdict::kUnknownSession;
    return nullptr;
  }
  *key = lane->receive.exhausted() ? nullptr
                                   : lane->receive.select(packet.data[wire::offsets::kEpoch]);
  if (*key == nullptr) {
    ctx_.stats.drop_epoch.add();
    return nullptr;
  }
  return lane;
}

void Receiver::take_bundle(RxPacket& packet, base::Nanos now) {
  const crypto::AeadKey* key = nullptr;
  Lane* lane = lane_of(packet, now, &key);
  if (lane == nullptr) return;
  const auto view = wire::BundleView::parse(packet.data, packet.length, lane->tag_size);
  if (!view.has_value()) {
    ctx_.stats.drop_short.add();
    return;
  }
  // PROTOCOL MUST-C10: looked up before the opening, noted after it.
  if (!lane->receive.window().check(wire::counter_of(view->record_number()))) {
    ctx_.stats.drop_replay.add();
    return;
  }
  stage(Action::kBundle, lane);
  enqueue(packet, key, view->aad_length(), packet.data + view->aad_length(), view->sealed_length());
}

void Receiver::take_data(RxPacket& packet, base::Nanos now) {
  const crypto::AeadKey* key = nullptr;
  Lane* lane = lane_of(packet, now, &key);
  if (lane == nullptr) return;
  const auto view = wire::DataView::parse(packet.data, packet.length, lane->tag_size);
  if (!view.has_value()) {
    ctx_.stats.drop_short.add();
    return;
  }
  if (view->initiator()) {
    take_from_caller(packet, *view, *lane, key, now);
  } else {
    take_from_callee(packet, *view, *lane, key, now);
  }
}

void Receiver::take_from_caller(RxPacket& packet, const wire::DataView& view, Lane& lane,
                                const crypto::AeadKey* key, base::Nanos now) {
  const auto record = wire::split_message_number(lane.split, view.record_number());
  const uint64_t id = wire::expand_message_id(lane.split, record.id_low, lane.peer_ids.highest());
  switch (lane.peer_ids.classify(id)) {
    case PeerIds::Class::kTooFar:
      // Its own floor, once verified, may make room for it: commit_begin() decides.
      if (view.floor_delta() < lane.peer_ids.window()) break;
      ctx_.stats.drop_window.add();
      return;
    case PeerIds::Class::kBelow:  // PROTOCOL MUST-T12
      ctx_.stats.drop_duplicate.add();
      return;
    case PeerIds::Class::kSeen:
      if (Exchange* exchange = ctx_.find_exchange(lane, false, id)) {
        more(packet, view, lane, *exchange, key, now);
      } else {
        ctx_.stats.drop_duplicate.add();
      }
      return;
    case PeerIds::Class::kNew:
      break;
  }
  stage(Action::kBegin, &lane).start.id = id;
  begin(packet, view, key, now);
}

void Receiver::take_from_callee(RxPacket& packet, const wire::DataView& view, Lane& lane,
                                const crypto::AeadKey* key, base::Nanos now) {
  const auto record = wire::split_message_number(lane.split, view.record_number());
  const uint64_t id = wire::expand_message_id(lane.split, record.id_low, lane.own_ids.next());
  Exchange* exchange = ctx_.find_exchange(lane, true, id);
  if (exchange == nullptr || exchange->one_way) {  // PROTOCOL MUST-T2
    ctx_.stats.drop_late.add();
    return;
  }
  if (exchange->opening) {
    // The first packet of this response is being opened: its landing is not settled yet. The
    // flush may end the exchange, or even the lane: start over.
    flush(now);
    take_data(packet, now);
    return;
  }
  if (exchange->state == ExchangeState::kReceiving) {
    more(packet, view, lane, *exchange, key, now);
    return;
  }
  Pending& pending = stage(Action::kResponse, &lane);
  pending.exchange = exchange;
  pending.start.id = id;
  pending.landing = {};
  begin(packet, view, key, now);
}

// The first packet of a message to arrive, whichever part of it that is. Landing memory is set
// aside for it and given back if the tag is wrong.
void Receiver::begin(RxPacket& packet, const wire::DataView& view, const crypto::AeadKey* key,
                     base::Nanos now) {
  Pending& pending = pending_[count_];
  const bool callee = pending.action == Action::kBegin;
  pending.offset = view.offset();
  pending.start.length = view.message_length();
  pending.start.floor_delta = view.floor_delta();
  pending.start.response_credit = view.response_credit();
  pending.start.service = view.service();
  pending.start.one_way = view.one_way();
  pending.start.lazy = view.lazy();
  const uint32_t length = view.payload_length();
  if (callee) {
    pending.exchange = lifecycle_.allocate(*pending.lane, false);
    if (pending.exchange == nullptr) {
      ctx_.stats.drop_no_exchange.add();
      return;
    }
  }
  Exchange& exchange = *pending.exchange;
  Incoming& in = callee ? exchange.in : pending.landing;
  const Landing landing = callee ? inbound_.landing_for(view.service()) : exchange.landing();
  const Inbound::Reserve reserved = inbound_.reserve(exchange, landing, view.message_length(), &in);
  in.unasked = std::max(view.granted(), pending.offset + length);
  const uint32_t limit = in.window != 0 ? std::min(ctx_.unscheduled_limit(), in.lead + in.window)
                                        : ctx_.unscheduled_limit();
  const bool ungranted = pending.offset + length > limit && length != pending.start.length;
  uint8_t* out = packet.data + wire::kDataHeaderSize;
  if (reserved == Inbound::Reserve::kReserved && !ungranted) {
    if (in.lead == 0) [[likely]] {
      out = in.memory + pending.offset;
    } else if (lands_whole(exchange, in, pending.offset, pending.offset + length)) {
      out = in.memory + (pending.offset - in.lead);
    } else {
      if (callee) pending.action = Action::kUnlanded;
      pending.why = Inbound::Reserve::kApart;
    }
  } else if (ungranted || reserved == Inbound::Reserve::kNoMemory) {
    (ungranted ? ctx_.stats.drop_ungranted : ctx_.stats.drop_no_memory).add();
    if (callee) {
      lifecycle_.discard(exchange);
    } else {
      lifecycle_.drop_landing(in);
    }
    return;
  } else {
    if (callee) pending.action = Action::kUnlanded;
    pending.why = reserved;
  }
  const bool whole = length == pending.start.length;
  exchange.opening = true;
  enqueue(packet, key, static_cast<uint32_t>(wire::kDataHeaderSize), out, length);
  // Its other packets may follow in this very burst, and want to find their place.
  if (!whole) flush(now);
}

void Receiver::more(RxPacket& packet, const wire::DataView& view, Lane& lane, Exchange& exchange,
                    const crypto::AeadKey* key, base::Nanos now) {
  if (exchange.state != ExchangeState::kReceiving) {
    const bool waiting = exchange.state == ExchangeState::kOffered;
    (waiting ? ctx_.stats.drop_no_memory : ctx_.stats.drop_duplicate).add();
    return;
  }
  Pending& pending = stage(Action::kExtend, &lane);
  pending.exchange = &exchange;
  pending.offset = view.offset();
  uint8_t* out = nullptr;
  const uint32_t length = view.payload_length();
  switch (inbound_.target(exchange, view.message_length(), pending.offset, length, &out)) {
    case Inbound::Verdict::kInto:
      break;
    case Inbound::Verdict::kScratch:
      pending.action = Action::kMerge;
      out = packet.data + wire::kDataHeaderSize;
      break;
    case Inbound::Verdict::kBusy:
      flush(now);
      // The flush may have ended the exchange, or even the lane: start over.
      take_data(packet, now);
      return;
    case Inbound::Verdict::kDuplicate:
      ctx_.stats.drop_duplicate.add();
      return;
    case Inbound::Verdict::kUngranted:
      ctx_.stats.drop_ungranted.add();
      return;
    case Inbound::Verdict::kMalformed:
      ctx_.stats.drop_malformed.add();
      return;
  }
  enqueue(packet, key, static_cast<uint32_t>(wire::kDataHeaderSize), out, length);
}

Receiver::Pending& Receiver::stage(Action action, Lane* lane) {
  SLUICE_DCHECK(count_ < kBatch);
  Pending& pending = pending_[count_];
  pending.action = action;
  pending.lane = lane;
  pending.exchange = nullptr;
  pending.offset = 0;
  pending.why = Inbound::Reserve::kReserved;
  return pending;
}

void Receiver::enqueue(RxPacket& packet, const crypto::AeadKey* key, uint32_t aad_length,
                       uint8_t* out, uint32_t length) {
  Pending& pending = pending_[count_];
  if (pending.exchange != nullptr) pending.generation = pending.exchange->generation;
  pending.marks.congestion_experienced = packet.congestion_experienced;
  pending.marks.bits = packet.data[wire::offsets::kBits];
  pending.epoch = packet.data[wire::offsets::kEpoch];
  crypto::AeadJob& job = jobs_[count_];
  job.key = key;
  job.record_number = base::load_be64(packet.data + wire::offsets::kRecordNumber);
  job.aad = packet.data;
  job.aad_length = aad_length;
  job.in = packet.data + aad_length;
  job.out = out;
  job.length = length;
  job.ok = false;
  ++count_;
}

void Receiver::flush(base::Nanos now) {
  if (count_ == 0) return;
  const size_t count = count_;
  count_ = 0;
  ctx_.backend->submit_open(std::span(jobs_.data(), count));
  for (size_t i = 0; i < count; ++i) {
    // An earlier packet of the batch may have closed the lane (CLOSE).
    if (!pending_[i].lane->live) {
      abandon(pending_[i]);
    } else {
      commit(pending_[i], jobs_[i], now);
    }
  }
}

// The packet has no effect: what was set aside for it goes back.
void Receiver::abandon(Pending& pending) {
  switch (pending.action) {
    case Action::kBegin:
    case Action::kUnlanded:
      lifecycle_.discard(*pending.exchange);
      break;
    case Action::kResponse:
      lifecycle_.drop_landing(pending.landing);
      if (current(pending)) pending.exchange->opening = false;
      break;
    case Action::kExtend:
      if (!current(pending)) break;
      if (Reassembly* r = pending.exchange->in.reassembly) r->opening_begin = r->opening_end = 0;
      break;
    case Action::kRecord:
      if (pending.lane->live) ctx_.records.release(*pending.record);
      break;
    case Action::kBundle:
    case Action::kMerge:
    case Action::kEsp:
      break;
  }
}

[[gnu::noinline]] bool Receiver::sealed_as_sent(Pending& pending, const crypto::AeadJob& job) {
  if (pending.action == Action::kEsp) return esp_as_sent(pending, job);
  if (record_as_sent(*pending.record)) return true;
  ctx_.stats.drop_record_header.add();
  return false;
}

void Receiver::commit(Pending& pending, const crypto::AeadJob& job, base::Nanos now) {
  const bool opened = job.ok;
  if (!opened || (pending.action >= Action::kRecord && !sealed_as_sent(pending, job))) {
    if (!opened) ctx_.stats.drop_tag.add();
    // What verified, and brings nothing new, has no effect either, and is nobody's failure.
    if (opened && pending.action == Action::kEsp && pending.offset != 0) return;
    pending.lane->receive.note_failed_open(pending.epoch);
    abandon(pending);  // PROTOCOL MUST-T16, MUST-R9
    // PROTOCOL MUST-C8
    if (pending.lane->receive.exhausted()) {
      lifecycle_.close_lane(*pending.lane, base::Code::kUnavailable);
    }
    return;
  }
  if (!ctx_.engage(*pending.lane)) [[unlikely]] {  // As if it had been lost.
    abandon(pending);
    return;
  }
  verified(pending, job, now);
  inbound_.set_marks(pending.marks);
  switch (pending.action) {
    case Action::kBundle:
      commit_bundle(pending, job, now);
      break;
    case Action::kBegin:
    case Action::kUnlanded:
      commit_begin(pending, job, now);
      break;
    case Action::kResponse:
      commit_response(pending, job, now);
      break;
    case Action::kRecord:
      commit_record(pending, now);
      break;
    case Action::kEsp:
      commit_esp(pending, job, now);
      break;
    case Action::kExtend:
    case Action::kMerge:
      // An earlier packet of the batch may have ended the message (CANCEL by release, GONE).
      if (!current(pending) || pending.exchange->state != ExchangeState::kReceiving ||
          pending.exchange->in.reassembly == nullptr) {
        ctx_.stats.drop_late.add();
      } else if (pending.action == Action::kExtend) {
        inbound_.extend(*pending.exchange, pending.offset, job.length, now);
      } else {
        inbound_.merge(*pending.exchange, pending.offset, job.out, job.length, now);
      }
      break;
  }
}

// The peer is there and holds the keys: liveness, epochs and congestion may be believed now.
void Receiver::verified(Pending& pending, const crypto::AeadJob& job, base::Nanos now) {
  Lane& lane = *pending.lane;
  if (pending.epoch != lane.receive.epoch_low()) {
    lane.receive.on_verified(pending.epoch, now);  // PROTOCOL MUST-C6
    ctx_.attend(lane);                             // The previous key has to go in time.
  }
  // PROTOCOL MUST-C8, MUST-C9
  if (lane.receive.epoch() > lane.send.epoch() || lane.receive.wants_update()) {
    lane.send.request_update();
  }
  lane.last_heard = now;
  lane.suspect_until = base::Nanos::max();
  if (pending.marks.congestion_experienced) lane.saw_congestion = true;  // PROTOCOL MUST-T24
  if (ctx_.config.several_paths()) judge_path(pending, job);
  if (!lane.heard) {
    lane.heard = true;
    ctx_.wheel.arm(lane.timer, now);  // Its path is to be probed from now on.
    // The round trip is to be known before there is anything to lose, and this side's first
    // question may have come before the peer had the lane.
    if (!lane.rtt.has_sample()) lane.ping_sent = base::Nanos::max();
    ctx_.raise_lane(lane, EventKind::kLaneUp, base::Code::kOk);
  }
}

void Receiver::judge_path(const Pending& pending, const crypto::AeadJob& job) {
  Lane& lane = *pending.lane;
  // That of a record, or of an ESP packet, is in what was opened.
  const uint8_t* const header = pending.action >= Action::kRecord ? job.out : job.aad;
  PathJudge& judge = lane.busy->judge;
  const uint16_t bad = judge.note(wire::path_of(header), pending.marks.congestion_experienced,
                                  lane.rtt.expected(), ctx_.now);
  if (bad == 0) return;
  ctx_.stats.paths_refused.add(static_cast<uint64_t>(std::popcount(bad)));
  lane.bad_paths = bad;
  lane.paths_to_tell = kAvoidRepeats;
  ctx_.wake(lane);
}

void Receiver::commit_bundle(Pending& pending, const crypto::AeadJob& job, base::Nanos now) {
  Lane& lane = *pending.lane;
  const uint64_t counter = wire::counter_of(job.record_number);
  if (!lane.receive.window().check(counter)) {  // Twice in one batch.
    ctx_.stats.drop_replay.add();
    return;
  }
  lane.receive.window().commit(counter);
  const size_t size = job.aad_length + job.length + lane.tag_size;
  const auto view = wire::BundleView::parse(job.aad, size, lane.tag_size);
  SLUICE_CHECK(view.has_value());
  control_.on_bundle(lane, *view, job.out, now);
}

void Receiver::commit_begin(Pending& pending, const crypto::AeadJob& job, base::Nanos now) {
  Lane& lane = *pending.lane;
  Exchange& exchange = *pending.exchange;
  exchange.opening = false;
  const PeerIds::Class known = inbound_.admit(lane, pending.start);
  if (known != PeerIds::Class::kNew) {
    const bool too_far = known == PeerIds::Class::kTooFar;
    (too_far ? ctx_.stats.drop_window : ctx_.stats.drop_duplicate).add();
    lifecycle_.discard(exchange);
    return;
  }
  if (pending.action == Action::kUnlanded) return begin_unlanded(pending, job, now);
  if (!inbound_.begin_callee(exchange, pending.start, pending.offset, job.length, now)) {
    lifecycle_.discard(exchange);
  }
}

// What was opened in its packet: for want of landing memory, or since not all of a padded message's
// first bytes land.
[[gnu::noinline, gnu::cold]] void Receiver::begin_unlanded(Pending& pending,
                                                           const crypto::AeadJob& job,
                                                           base::Nanos now) {
  Exchange& exchange = *pending.exchange;
  const bool apart = pending.why == Inbound::Reserve::kApart;
  if (pending.action == Action::kResponse) {
    if (!apart) return lifecycle_.complete(exchange, Inbound::refusal(pending.why));
    land_padded(&exchange, &pending.landing, pending.offset, job.out, job.length);
    inbound_.begin_response(exchange, pending.landing, pending.start.length, pending.offset,
                            job.length, now);
    return;
  }
  if (!apart) return inbound_.begin_unlanded(exchange, pending.start, pending.why);
  land_padded(&exchange, &exchange.in, pending.offset, job.out, job.length);
  if (!inbound_.begin_callee(exchange, pending.start, pending.offset, job.length, now)) {
    lifecycle_.discard(exchange);
  }
}

void Receiver::commit_response(Pending& pending, const crypto::AeadJob& job, base::Nanos now) {
  Exchange& exchange = *pending.exchange;
  // Between classification and now the call may have ended; its memory is not ours any more.
  if (!current(pending) || exchange.state != ExchangeState::kSending) {
    if (current(pending)) exchange.opening = false;
    ctx_.stats.drop_late.add();
    lifecycle_.drop_landing(pending.landing);
    return;
  }
  exchange.opening = false;
  exchange.lazy = pending.start.lazy;
  if (pending.why != Inbound::Reserve::kReserved) return begin_unlanded(pending, job, now);
  inbound_.begin_response(exchange, pending.landing, pending.start.length, pending.offset,
                          job.length, now);
}

}  // namespace sluice::transport
