// SPDX-License-Identifier: Apache-2.0
//
// Record mode's share of the Receiver. A record is opened where it was gathered, and its bytes are
// then copied: its plaintext holds more than the message's, and so cannot be opened into place.
#include <cstring>

#include "transport/receiver.h"
#include "wire/header.h"

namespace sluice::transport {

void Receiver::take_record(RxPacket& packet, base::Nanos now) {
  const crypto::AeadKey* key = nullptr;
  Lane* lane = lane_of(packet, now, &key);
  if (lane == nullptr) return;
  if (!lane->records) {  // PROTOCOL MUST-R8
    ctx_.stats.drop_type.add();
    return;
  }
  const auto view = wire::RecordView::parse(packet.data, packet.length, lane->split);
  if (!view.has_value()) {
    ctx_.stats.drop_short.add();
    return;
  }
  // What the budget would be wasted on is not let in; nothing is changed by that.
  const wire::RecordHeader header = wire::RecordHeader::read(packet.data, lane->split);
  Exchange* exchange = nullptr;
  uint64_t id = 0;
  if (place_of(*lane, header, &exchange, &id) == RecordPlace::kNone) return;
  const RecordAssembly::Result result =
      ctx_.records.add(*lane, *view, packet.congestion_experienced);
  if (result.displaced) ctx_.stats.limit_unverified.add();
  switch (result.outcome) {
    case RecordAssembly::Outcome::kTaken:
      return;
    case RecordAssembly::Outcome::kMismatch:
      ctx_.stats.drop_record_header.add();
      return;
    case RecordAssembly::Outcome::kDuplicate:
    case RecordAssembly::Outcome::kPieces:
      ctx_.stats.drop_record_piece.add();
      return;
    case RecordAssembly::Outcome::kWhole:
      break;
  }
  // Packets before it in the burst may end what it belongs to, or the lane and the record with it;
  // and its place has to be settled before what follows it is looked at.
  const LaneRef ref = Context::ref_of(*lane);
  flush(now);
  if (ctx_.find_lane(ref) == nullptr) return;
  open_record(packet, *lane, *result.record, now);
}

void Receiver::open_record(RxPacket& packet, Lane& lane, Gathering& record, base::Nanos now) {
  const crypto::AeadKey* key = nullptr;
  if (lane_of(packet, now, &key) != &lane) {  // The flush has brought a later epoch.
    ctx_.records.release(record);
    return;
  }
  stage(Action::kRecord, &lane).record = &record;
  const auto sealed = static_cast<uint32_t>(wire::kTlsHeaderSize);
  enqueue(packet, key, sealed, record.bytes + sealed,
          record.length - sealed - static_cast<uint32_t>(wire::kTagBytes));
  pending_[0].marks.congestion_experienced = record.congested;
  jobs_[0].aad = record.bytes;
  jobs_[0].in = record.bytes + sealed;
  flush(now);
}

// PROTOCOL MUST-R5: the tag is right, which says nothing of the header in clear.
bool Receiver::record_as_sent(const Gathering& record) {
  return wire::opened_record(record.header, record.bytes, record.length).has_value();
}

void Receiver::commit_record(Pending& pending, base::Nanos now) {
  Lane& lane = *pending.lane;
  Gathering& record = *pending.record;
  ctx_.stats.rx_records.add();
  deliver_record(lane, wire::RecordHeader::read(record.header, lane.split),
                 *wire::opened_record(record.header, record.bytes, record.length), now);
  // What it began or ended may have ended the lane, and its records with it.
  if (lane.live) ctx_.records.release(record);
}

// Where the record's bytes would go now. What has no place is counted.
Receiver::RecordPlace Receiver::place_of(Lane& lane, const wire::RecordHeader& header,
                                         Exchange** exchange, uint64_t* id) {
  const auto number = wire::split_message_number(lane.split, header.message.record_number);
  if (number.initiator) {
    *id = wire::expand_message_id(lane.split, number.id_low, lane.peer_ids.highest());
    switch (lane.peer_ids.classify(*id)) {
      case PeerIds::Class::kTooFar:
        // Its own floor may make room for it: begin_request() decides.
        if (header.message.floor_delta < lane.peer_ids.window()) return RecordPlace::kRequest;
        ctx_.stats.drop_window.add();
        return RecordPlace::kNone;
      case PeerIds::Class::kBelow:  // PROTOCOL MUST-T12
        ctx_.stats.drop_duplicate.add();
        return RecordPlace::kNone;
      case PeerIds::Class::kSeen:
        *exchange = ctx_.find_exchange(lane, false, *id);
        break;
      case PeerIds::Class::kNew:
        return RecordPlace::kRequest;
    }
    if (*exchange == nullptr) {
      ctx_.stats.drop_duplicate.add();
      return RecordPlace::kNone;
    }
  } else {
    *id = wire::expand_message_id(lane.split, number.id_low, lane.own_ids.next());
    *exchange = ctx_.find_exchange(lane, true, *id);
    if (*exchange == nullptr || (*exchange)->one_way) {  // PROTOCOL MUST-T2
      ctx_.stats.drop_late.add();
      return RecordPlace::kNone;
    }
    if ((*exchange)->state == ExchangeState::kSending) return RecordPlace::kResponse;
  }
  return place_in(**exchange, header);
}

Receiver::RecordPlace Receiver::place_in(const Exchange& exchange,
                                         const wire::RecordHeader& header) {
  if (exchange.state != ExchangeState::kReceiving || exchange.in.reassembly == nullptr) {
    const bool waiting = exchange.state == ExchangeState::kOffered;
    (waiting ? ctx_.stats.drop_no_memory : ctx_.stats.drop_duplicate).add();
    return RecordPlace::kNone;
  }
  switch (inbound_.fits(exchange, header.message.message_length, header.message.offset,
                        header.content())) {
    case Inbound::Verdict::kUngranted:
      ctx_.stats.drop_ungranted.add();
      return RecordPlace::kNone;
    case Inbound::Verdict::kMalformed:
      ctx_.stats.drop_malformed.add();
      return RecordPlace::kNone;
    case Inbound::Verdict::kDuplicate:
      ctx_.stats.drop_duplicate.add();
      return RecordPlace::kNone;
    case Inbound::Verdict::kScratch:
    case Inbound::Verdict::kInto:
    case Inbound::Verdict::kBusy:
      break;
  }
  return RecordPlace::kMore;
}

void Receiver::deliver_record(Lane& lane, const wire::RecordHeader& header,
                              std::span<const uint8_t> content, base::Nanos now) {
  Exchange* exchange = nullptr;
  uint64_t id = 0;
  switch (place_of(lane, header, &exchange, &id)) {
    case RecordPlace::kNone:
      return;
    case RecordPlace::kRequest:
      begin_request(lane, header, id, content, now);
      return;
    case RecordPlace::kResponse:
      begin_response(*exchange, header, content, now);
      return;
    case RecordPlace::kMore:
      inbound_.merge(*exchange, header.message.offset, content.data(), header.content(), now);
      return;
  }
}

// Landing memory for a message that begins with these verified bytes, which are put there. Nothing
// where the record has to be dropped, which is counted.
std::optional<Inbound::Reserve> Receiver::land_first(Exchange& exchange, const Landing& landing,
                                                     const wire::RecordHeader& header,
                                                     std::span<const uint8_t> content,
                                                     Incoming* in) {
  const wire::DataHeader& message = header.message;
  const auto reserved = inbound_.reserve(exchange, landing, message.message_length, in);
  const uint32_t end = message.offset + header.content();
  in->unasked = std::max(message.granted, end);
  const uint32_t unasked = ctx_.unscheduled_limit();
  const uint32_t limit = in->window != 0 ? std::min(unasked, in->lead + in->window) : unasked;
  if (end > limit && header.content() != message.message_length) {
    ctx_.stats.drop_ungranted.add();
    return std::nullopt;
  }
  if (reserved == Inbound::Reserve::kNoMemory) {
    ctx_.stats.drop_no_memory.add();
    return std::nullopt;
  }
  if (reserved == Inbound::Reserve::kReserved) {
    if (in->lead != 0) [[unlikely]] {
      land_padded(&exchange, in, message.offset, content.data(), header.content());
    } else {
      std::memcpy(in->memory + message.offset, content.data(), content.size());
    }
  }
  return reserved;
}

void Receiver::begin_request(Lane& lane, const wire::RecordHeader& header, uint64_t id,
                             std::span<const uint8_t> content, base::Nanos now) {
  const wire::DataHeader& message = header.message;
  MessageStart start;
  start.id = id;
  start.length = message.message_length;
  start.floor_delta = message.floor_delta;
  start.response_credit = message.response_credit;
  start.service = message.service;
  start.one_way = (message.bits & wire::kBitOneWay) != 0;
  start.lazy = (message.bits & wire::kBitLazy) != 0;
  const PeerIds::Class known = inbound_.admit(lane, start);
  if (known != PeerIds::Class::kNew) {
    const bool too_far = known == PeerIds::Class::kTooFar;
    (too_far ? ctx_.stats.drop_window : ctx_.stats.drop_duplicate).add();
    return;
  }
  Exchange* exchange = lifecycle_.allocate(lane, false);
  if (exchange == nullptr) {
    ctx_.stats.drop_no_exchange.add();
    return;
  }
  const auto reserved =
      land_first(*exchange, inbound_.landing_for(start.service), header, content, &exchange->in);
  if (!reserved.has_value()) {
    lifecycle_.discard(*exchange);
  } else if (*reserved != Inbound::Reserve::kReserved) {
    inbound_.begin_unlanded(*exchange, start, *reserved);
  } else if (!inbound_.begin_callee(*exchange, start, message.offset, header.content(), now)) {
    lifecycle_.discard(*exchange);
  }
}

void Receiver::begin_response(Exchange& exchange, const wire::RecordHeader& header,
                              std::span<const uint8_t> content, base::Nanos now) {
  Incoming landing;
  const auto reserved = land_first(exchange, exchange.landing(), header, content, &landing);
  if (!reserved.has_value()) {
    lifecycle_.drop_landing(landing);
  } else if (*reserved != Inbound::Reserve::kReserved) {
    lifecycle_.complete(exchange, Inbound::refusal(*reserved));
  } else {
    exchange.lazy = (header.message.bits & wire::kBitLazy) != 0;
    inbound_.begin_response(exchange, landing, header.message.message_length, header.message.offset,
                            header.content(), now);
  }
}

}  // namespace sluice::transport
