# SPDX-License-Identifier: Apache-2.0
"""The deliberate defects that the fault machine, or the attacker of test/attack, has to notice,
each one replacement in one file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """`old`, which occurs once in the file, becomes `new`."""

    name: str
    path: str
    old: str
    new: str
    by: str = "faults"  # Or "attack": by test/attack's attacker in the simulator.


CONTROL = "src/transport/control.cc"
CREDIT = "src/transport/credit_policy.cc"
ESP = "src/transport/sender_esp.cc"
INBOUND = "src/transport/inbound.cc"
LIFECYCLE = "src/transport/lifecycle.cc"
RECEIVER = "src/transport/receiver.cc"
SENDER = "src/transport/sender.cc"
SERVER = "src/transport/connector_server.cc"
TIMERS = "src/transport/timers.cc"

DEFECTS = [
    # Keys and records.
    Defect("replay_not_checked", "src/crypto/replay_window.h",
           "return ((*bits_)[word_of(counter)] & bit_of(counter)) == 0;", "return true;"),
    Defect("tag_ignored", RECEIVER, "const bool opened = job.ok;", "const bool opened = true;"),
    Defect("attempt_not_advanced", "src/crypto/record_number.h", "      ++attempt;\n", ""),
    Defect("counter_used_twice", "src/crypto/send_keys.h",
           "wire::counter_number(next_counter_++)", "wire::counter_number(next_counter_++ / 2)"),
    Defect("sealing_skipped", SENDER,
           "  ctx_.backend->submit_seal(std::span(jobs_.data(), job_count_));\n", ""),
    Defect("keys_never_updated", SENDER, "if (!lane.send.advance()) return;", "return;"),
    Defect("epoch_not_reported", SENDER,
           "header.rx_epoch = lane.receive.epoch_low();", "header.rx_epoch = 0;"),
    Defect("epoch_not_entered", "src/crypto/receive_keys.cc",
           "  epoch_ = epoch;\n  epoch_began_ = now;", "  epoch_began_ = now;"),
    # Length concealment.
    Defect("length_shown", SENDER,
           "  header.message_length = out.length;",
           "  header.message_length = lane.padded ? exchange.cold->content : out.length;"),
    Defect("bucket_left_out", "src/transport/endpoint.cc",
           "return lane.padded ? bucket_of(content) : content;",
           "return lane.padded ? content + wire::kLengthPrefix : content;"),
    Defect("padding_left_unset", "src/wire/padding.cc",
           "  if (at < out.size()) std::memset(out.data() + at, 0, out.size() - at);\n", ""),
    # Record mode.
    Defect("record_header_not_compared", "src/wire/record_packet.cc",
           "if (!framed || std::memcmp(record + kSealedBegin, header, kRecordHeaderSize) != 0) {",
           "if (!framed) {"),
    Defect("record_number_used_twice", "src/crypto/send_keys.cc",
           "wire::message_number(split_, initiator, id, *attempt, *index)",
           "wire::message_number(split_, initiator, id, 0, 0)"),
    Defect("record_left_unsealed", "src/transport/staged_record.cc",
           "  if (context_ != crypto::kNoInlineContext) {", "  if (false) {"),
    Defect("context_not_given_back", "src/crypto/send_keys.cc",
           "slot < contexts_.size(); ++slot) take_from_port(slot);",
           "slot < contexts_.size(); ++slot) contexts_[slot] = kNoInlineContext;"),
    Defect("record_beyond_grant", SENDER,
           "std::min(out.granted, part.unasked) : out.granted;", "out.length : out.length;"),
    # ESP.
    Defect("esp_left_unsealed", ESP,
           "  if (slot.context == crypto::kNoInlineContext) return;  // PROTOCOL MUST-S6\n", ""),
    Defect("esp_epoch_left_out", ESP, "lane.esp.remote_base, lane.number, epoch);",
           "lane.esp.remote_base, lane.number, 0);"),
    Defect("esp_nonce_used_twice", ESP, "job.key->iv + 4) ^ job.record_number;",
           "job.key->iv + 4) ^ (job.record_number &= ~uint64_t{1});"),
    # At most once, and the truth for callers.
    Defect("id_seen_forgotten", "src/transport/id_window.cc", "  seen_.set(id);\n", ""),
    Defect("floor_may_fall", "src/transport/id_window.h",
           "    if (floor <= floor_) return true;\n", ""),
    Defect("completed_twice", "src/transport/events.cc", "if (!more) exchange.events",
           "if (!more && kind != EventKind::kCallDone) exchange.events"),
    Defect("ok_without_ack", CONTROL, "sender_.restart(*exchange, now);",
           "lifecycle_.complete(*exchange, base::Code::kOk);"),
    Defect("ack_run_off_by_one", CONTROL, "on_ack(lane, frame.first + i);",
           "on_ack(lane, frame.first + i + 1);"),
    Defect("never_executed", LIFECYCLE,
           "exchange.may_have_executed = exchange.out.may_have_arrived();",
           "exchange.may_have_executed = false;"),
    Defect("unknown_for_seen", CONTROL, "wire::AckFrame{0, frame.id}",
           "wire::UnknownFrame{0, frame.id}"),
    Defect("close_ignored", CONTROL,
           "      lifecycle_.close_lane(lane, code_of(frame.close));\n      return false;",
           "      break;"),
    # Bytes and their places.
    Defect("merge_wrong_offset", INBOUND, "bytes + (from - offset)", "bytes"),
    Defect("overlap_opened_in_place", INBOUND, "if (r.received.overlaps(offset, end)) {",
           "if (r.received.covers(offset, end)) {"),
    Defect("ungranted_accepted", INBOUND,
           "  if (end > r.grant.granted) return Verdict::kUngranted;\n", ""),
    Defect("window_ignored", INBOUND,
           "std::min<uint64_t>(in.length, in.lead + end)", "in.length + end * 0"),
    Defect("sent_beyond_grant", SENDER, "begin : std::min(end, out.sent);", "begin : end;"),
    # Memory and credit.
    Defect("landing_leaks", LIFECYCLE,
           "  if (in.from_arena) ctx_.arena.release(in.memory);\n", ""),
    Defect("owned_response_leaks", LIFECYCLE,
           "    ctx_.arena.release(const_cast<uint8_t*>(exchange.out.data));\n", ""),
    Defect("exchange_leaks", LIFECYCLE,
           "  }\n  exchange.state = ExchangeState::kFree;\n  ctx_.exchanges.release(&exchange);",
           "  }\n  exchange.state = ExchangeState::kFree;"),
    Defect("reassembly_leaks", LIFECYCLE, "  ctx_.reassemblies.release(reassembly);\n", ""),
    Defect("lender_not_told", LIFECYCLE,
           "exchange.state == ExchangeState::kResponding && exchange.out.lent",
           "exchange.state == ExchangeState::kFree && exchange.out.lent"),
    Defect("grant_counted_twice", CREDIT, "outstanding_ += step;", "outstanding_ += 2 * step;"),
    Defect("credit_not_returned", CREDIT, "  outstanding_ -= under_way;\n", ""),
    # Time.
    Defect("no_back_off", TIMERS, "exchange.backoff = backed_off(exchange.backoff);",
           "static_cast<void>(backed_off(exchange.backoff));"),
    Defect("call_timer_not_armed", "src/transport/endpoint.cc",
           "  ctx.wheel.arm(exchange->timer, first_look(ctx.config, *exchange, now));\n", ""),
    Defect("receive_timer_not_armed", INBOUND,
           "    ctx_.wheel.arm(exchange.timer, "
           "base::after(now, exchange.lane->rtt.timeout(0)));\n", ""),
    Defect("lost_grant_not_repeated", INBOUND,
           "  if (r.granted_told != 0) send_grant(exchange, r.granted_told, r.priority);\n", ""),
    Defect("dead_peer_waited_for", TIMERS,
           "  lifecycle_.close_lane(lane, base::Code::kUnavailable);\n  return true;",
           "  return false;"),
    # What strangers and recordings may bring about.
    Defect("reset_token_unbound", "src/crypto/handshake_steps.cc",
           "primitives.hmac_sha256({token.data(), token.size()}, parts, std::size(parts), mac);",
           "primitives.hmac_sha256({token.data(), token.size()}, parts, 1, mac);", "attack"),
    Defect("short_packet_draws_reset", RECEIVER, "packet.length > wire::kResetPacketSize",
           "true", "attack"),
    Defect("cookie_not_checked", SERVER,
           "  return verdict == crypto::CookieVerdict::kValid;", "  return true;", "attack"),
    Defect("short_hello_answered", SERVER,
           "  if (packet_size < kHandshakePacketSize) return stats_.drop_short_hello.add();\n", "",
           "attack"),
    Defect("ticket_taken_twice", "src/crypto/strike_register.cc", "  struck_.insert(digest);\n",
           "", "attack"),
]
