// SPDX-License-Identifier: Apache-2.0
//
// The state of one exchange: an RPC (request and response) or a one-way message, as one side of a
// lane holds it. Plain data; the roles that act on it are Sender, Inbound, Control, Timers and
// Lifecycle.
#ifndef SLUICE_TRANSPORT_EXCHANGE_H_
#define SLUICE_TRANSPORT_EXCHANGE_H_

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/container_of.h"
#include "base/interval_set.h"
#include "base/intrusive_list.h"
#include "base/limits.h"
#include "base/prefetch.h"
#include "base/status.h"
#include "base/timer_wheel.h"
#include "base/types.h"
#include "crypto/record_number.h"
#include "transport/commands.h"
#include "transport/grant_policy.h"
#include "transport/send_paths.h"
#include "wire/padding.h"

namespace sluice::transport {

struct Lane;

// The states of an exchange. Each side walks down its own column and never back.
//
//   caller: kSending -> kReceiving (response bytes arrive) -> kDone -> freed by ReleaseMessage
//   callee: kReceiving -> kOffered? -> kDelivered -> kResponding -> freed when released by the
//           caller; a refused one waits in kRefused for that release.
enum class ExchangeState : uint8_t {
  kFree,
  kSending,     // Caller: the request or one-way message is on its way.
  kReceiving,   // Caller: response bytes arrive. Callee: request bytes arrive (and, `abandoned`,
                // no more of them: the application has not taken note yet).
  kOffered,     // Callee: waits for the application to name landing memory.
  kDelivered,   // Callee: the application has the message.
  kResponding,  // Callee: the response is on its way, or waits for its release.
  kRefused,     // Callee: answered by GONE until released.
  kDone,        // The completion is queued or with the application.
};

// The part of an exchange that this side sends.
struct Outgoing {
  const uint8_t* data = nullptr;
  base::Nanos last_sent{};  // When its latest packet was filled.
  base::ListNode node;      // In the SendQueue or the lane's small list.
  crypto::AttemptCursor cursor;
  uint32_t length = 0;      // On the wire: the bytes at `data`, or padded their bucket.
  uint32_t sent = 0;        // Bytes below this were sent at least once, since it was begun.
  uint32_t granted = 0;     // Bytes below this may be sent.
  uint8_t bucket = 0;       // Where Sender keeps it while it is ready.
  uint8_t misses = 0;       // So many times in a row the peer asked for the same bytes.
  uint8_t priority = 0;     // From the latest grant.
  bool active = false;      // There is something to send, now or after a grant.
  bool small = false;       // At most bundle_message_max: travels through the lane's small list.
  bool lent = false;        // `data` is the application's: tell it when it is free again.
  bool owned = false;       // `data` is arena memory that the endpoint releases.
  uint8_t lowest : 3 = 7;   // Of all priorities that its bytes were sent at.
  bool repeat : 1 = false;  // The next sending of a small message is a retransmission.
  bool known : 1 = false;   // The peer has shown that it knows the message.
  bool went_whole : 1 = false;  // All of it was sent before it was begun again.
  bool asks : 1 = false;        // A question for its state waits to be sent behind its bytes.
  bool untimed : 1 = false;     // Small: its timer is to be armed for an answer when it is sent.

  // The peer may hold every byte of it.
  bool may_have_arrived() const { return went_whole || sent >= length; }
};

// What receiving a message of several packets needs beyond its memory.
struct Reassembly {
  base::IntervalSet<base::limits::kMaxReceivedRanges> received;
  Grantable grant;  // The grant policy's view and state.
  struct Exchange* exchange = nullptr;
  uint32_t granted_told = 0;   // The offset of the latest GRANT sent; 0 before the first.
  uint32_t allowed = 0;        // The sender was told that it may send bytes below this,
  uint32_t class_begin = 0;    // those from here on may have overtaken what was granted before.
  uint8_t priority = 7;        // Of the latest grant; before the first, above all of them.
  uint32_t gap_asked = 0;      // Holes below this were asked for lately,
  uint32_t gap_known = 0;      // those below this at least once,
  base::Nanos asked_at{};      // and the latest of them then.
  uint32_t delivered = 0;      // Stream: bytes given to the application.
  uint32_t consumed = 0;       // Stream: bytes it has given back.
  Arrival burst;               // Received in the current burst.
  uint32_t opening_begin = 0;  // Bytes [begin, end) are being written by openings in progress.
  uint32_t opening_end = 0;
  bool in_policy = false;  // The grant policy holds `grant`.
  uint32_t gap_end = 0;    // Bytes had arrived up to here when the first open hole was seen.
  uint32_t gap_first = 0;  // Where it begins, and since
  base::Nanos gap_since = base::Nanos::max();  // when it does.
  base::ListNode touched;  // In Inbound's list of messages that the burst touched.

  // Stream: the content is verified and may be read up to here. Of a padded message the last byte
  // waits until all of the padding has been seen.
  uint32_t readable() const;

  // The sender is told that it may send up to `offset`, the bytes that this adds at `priority`.
  // Bytes of one priority keep their order on a path; a higher one lets later bytes overtake.
  void allow(uint32_t offset, uint8_t to_priority) {
    if (to_priority > priority) class_begin = allowed;
    priority = to_priority;
    granted_told = offset;
    allowed = std::max(allowed, offset);
  }
};

// The part of an exchange that this side receives.
struct Incoming {
  uint8_t* memory = nullptr;  // nullptr until landing memory is there.
  uint32_t length = 0;        // 0 until the first packet verified. Padded messages: of their
                              // content, once all of it is there.
  uint32_t window = 0;        // Stream: bytes of the ring at `memory`, a power of two.
  uint32_t unasked = 0;       // Its sender sends the bytes below this without a grant, so it says.
  LandingMode mode = LandingMode::kBuffered;
  bool from_arena = false;           // `memory` goes back to the arena.
  bool complete = false;             // Every byte has arrived and verified.
  uint8_t lead = 0;                  // Padded messages: bytes before the content; they do not land.
  Reassembly* reassembly = nullptr;  // nullptr for messages of one packet.
};

// Of an incoming message that is padded (padding.h). Nothing is written here, nor set up, where
// Incoming::lead is 0, so that messages without padding pay nothing for it.
struct PaddedPart {
  PaddedPart() {}  // NOLINT(modernize-use-equals-default): `= default` would fill it with zeros.

  uint32_t length;    // As in Incoming, but from the first packet on, verified or not.
  uint32_t content;   // What the first bytes of the message say, as far as they have arrived.
  uint32_t capacity;  // Bytes behind them that may land before it is known which are padding.
  uint8_t seen;       // A bit for each of the first bytes that has arrived.
  base::Code fault;   // Why the message cannot be delivered.

  bool known() const { return seen == (1u << wire::kLengthPrefix) - 1; }
  // Bytes that may land; what follows them has to be zero.
  uint32_t room() const { return known() ? std::min(content, capacity) : capacity; }
};

// What an exchange needs where its messages take several packets or are padded, or packets choose
// their paths. It lies apart and is made when it is first needed (Context::make_cold()), so that an
// RPC of small messages is in few cache lines.
struct ColdPart {
  // Of what this side sends, from Sender::start() of a message that is not small on.
  Outgoing* out = nullptr;   // Whose it is.
  uint32_t reached = 0;      // As Outgoing::sent, over all beginnings.
  uint32_t unasked = 0;      // Bytes below this might be sent from the beginning.
  uint32_t flush_to = 0;     // Send up to here even if the last packet is a short one.
  uint32_t unspent = 0;      // Granted and not sent, as the Sender has counted it.
  uint32_t missing_at = 0;   // The peer last asked for the bytes from here on.
  base::ListNode turn_node;  // In the SendQueue.
  base::IntervalSet<base::limits::kMaxResendRanges> resend;

  // A message begins, of which so many bytes may be sent; or it does again.
  void begin(uint32_t may_send) {
    SLUICE_DCHECK(unspent == 0 && !turn_node.linked());
    reached = missing_at = 0;
    restart(may_send);
  }
  void restart(uint32_t may_send) {
    unasked = flush_to = may_send;
    resend.clear();
  }
  uint32_t resend_bytes() const { return static_cast<uint32_t>(resend.total()); }

  PathTrail trail;       // Where packets choose their paths.
  uint32_t content = 0;  // Bytes at Outgoing::data, where the message is padded.
  PaddedPart padded;     // Of Incoming.
};

struct Exchange {
  // Identity.
  Lane* lane = nullptr;
  uint64_t id = 0;
  uint64_t user = 0;
  ColdPart* cold = nullptr;      // Null until it was first needed at this place.
  uint32_t lane_generation = 0;  // Of `lane`, whose place may be used again while this is held.
  uint32_t generation = 0;
  uint16_t service = 0;
  bool caller = false;  // This side started it.
  bool one_way = false;
  bool lazy = false;  // One-way: its ACK may wait for company; else, of its response, the release.
  ExchangeState state = ExchangeState::kFree;

  // Outcome and events.
  base::Code code = base::Code::kOk;
  bool may_have_executed = false;
  bool abandoned : 1 = false;  // Callee: released by the caller; the application still has it.
  bool in_table : 1 = false;   // It can be found by its id (Context::find_exchange),
  bool in_ring : 1 = false;    // and that in its lane's ring.
  bool opening : 1 = false;    // The first packet of what it receives is being opened.
  uint8_t events = 0;          // A set of 1 << EventKind to be raised.

  uint8_t backoff = 0;  // Time-outs in a row.

  LandingMode landing_mode = LandingMode::kBuffered;
  uint32_t landing_capacity = 0;
  uint8_t* landing_memory = nullptr;
  // Bytes of response that the caller grants in advance, with the request; and, as caller, how many
  // of them the grant policy counts as outstanding until the response begins.
  uint32_t response_credit = 0;
  uint32_t solicited = 0;

  // Time.
  base::Nanos started{};
  base::Nanos deadline = base::Nanos::max();
  base::Nanos last_progress{};
  base::TimerNode timer;

  Outgoing out;
  Incoming in;

  base::ListNode event_node;
  base::ListNode lane_node;  // In the lane's list of exchanges.
  alignas(64) uint8_t inline_bytes[kInlineBytes];

  // Starts to load all of it but the bytes that it keeps inline.
  void prefetch() const;
  // Caller: where the response is to land.
  Landing landing() const { return {landing_mode, landing_capacity, landing_memory}; }
  void set_landing(const Landing& to) {
    landing_mode = to.mode;
    landing_capacity = to.capacity;
    landing_memory = to.memory;
  }
};

// What an RPC outstanding takes beside its data, and a place in its lane's ring or Context::by_id.
inline constexpr size_t kExchangeBytes = 256;
static_assert(sizeof(Exchange) == kExchangeBytes + kInlineBytes);

inline void Exchange::prefetch() const { base::prefetch(this, kExchangeBytes); }

inline Exchange& exchange_of(Outgoing& out) { return *base::container_of(&out, &Exchange::out); }
inline const Exchange& exchange_of(const Outgoing& out) {
  return *base::container_of(&out, &Exchange::out);
}
// There is one where the message is not small and has begun.
inline ColdPart& cold_of(Outgoing& out) { return *exchange_of(out).cold; }
inline const ColdPart& cold_of(const Outgoing& out) { return *exchange_of(out).cold; }

inline uint32_t Reassembly::readable() const {
  const Incoming& in = exchange->in;
  if (in.lead == 0) [[likely]]
    return received.contiguous_end(delivered);
  const PaddedPart& padded = exchange->cold->padded;
  if (!padded.known()) return 0;
  const uint32_t most = padded.content - (in.complete ? 0 : 1);
  return std::max(delivered,
                  std::min(most, received.contiguous_end(in.lead + delivered) - in.lead));
}

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_EXCHANGE_H_
