// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_LANE_H_
#define SLUICE_TRANSPORT_LANE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/intrusive_list.h"
#include "base/limits.h"
#include "base/prefetch.h"
#include "base/timer_wheel.h"
#include "base/types.h"
#include "crypto/receive_keys.h"
#include "crypto/send_keys.h"
#include "transport/busy_lane.h"
#include "transport/commands.h"
#include "transport/cutoffs.h"
#include "transport/exchange.h"
#include "transport/id_window.h"
#include "transport/path_mtu.h"
#include "transport/record_assembly.h"
#include "transport/rtt.h"
#include "wire/header.h"
#include "wire/record_number.h"

namespace sluice::transport {

// A session's share on one pair of lcores: its keys, ids, control frames and timers. Owned by one
// endpoint; plain state for the roles that act on it. What it needs only while it is busy is lent
// to it, so that an idle one is small: kIdleLaneBytes and its keys.
struct Lane {
  Lane();

  uint32_t index = 0;  // In the endpoint's slab.
  uint32_t generation = 0;
  base::SessionId local_session;
  base::SessionId remote_session;
  bool live = false;
  uint8_t number = 0;  // The lane field of packets.
  bool initiator = false;
  crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kNone;
  bool records = false;         // Record mode: both sides send and take RECORD packets.
  bool padded = false;          // Both sides pad all messages (PROTOCOL.md §19).
  bool heard = false;           // A packet of the peer has verified.
  bool saw_congestion = false;  // CE arrived since the last packet out: echo it.
  bool close_queued = false;    // A CLOSE frame waits; the lane ends when it is sent.
  bool data_apart = false;      // Its messages travel in records or as ESP, and
  bool after_packet = false;    // a bundle may be made ESP, or end the lane: see Sender.
  base::Code close_code = base::Code::kClosed;
  bool ping_outstanding = false;
  bool has_frames = false;    // `busy` has some that wait.
  bool floor_wanted = false;  // Of what the floor tells, the callee keeps something that it needs.
  uint8_t tx_bucket = 0;      // Where `tx_node` is.
  uint8_t cutoffs_told = 0;   // The version of this side's cutoffs that the peer was sent.
  uint8_t paths_to_tell = 0;  // So many more bundles are to say `bad_paths`.
  uint16_t path_sequence = 0;
  uint16_t entropy =
      0;  // Where messages keep to one path; drawn again when time-outs follow another.
  uint16_t bad_paths = 0;  // Of the peer's, as this side judges them.
  uint32_t tag_size = 0;
  uint32_t route = 0;
  EspLane esp;
  uint32_t esp_sequence = 0;  // Packets sent as ESP in the epoch with the low bits `esp_epoch`.
  uint8_t esp_epoch = 0;
  wire::RecordNumberSplit split;
  uint32_t exchange_count = 0;  // In `own` and `peers`; nobody has to walk over them.

  // Lent by Context::engage(); null in a lane at rest. Then there are no frames and no held
  // acknowledgements, and every id is released.
  BusyLane* busy = nullptr;

  // Ids (DESIGN §3.9).
  OwnIds own_ids{base::limits::kMaxIdsAboveFloor};
  PeerIds peer_ids{base::limits::kMaxIdsAboveFloor};
  uint64_t told_floor = 1;                     // The floor that the peer was last sent.
  base::Nanos floor_due = base::Nanos::max();  // A FLOOR of its own is due then.

  // Sending.
  base::IntrusiveList<Outgoing, &Outgoing::node> small;  // Whole small messages, oldest first.
  base::ListNode tx_node;    // In Context::tx_lanes: frames or small messages wait.
  uint32_t probe_bytes = 0;  // A path MTU probe of this size waits to be sent.
  uint32_t peer_max_message = 0;
  uint32_t peer_unscheduled = 0;
  // How long a response of this peer may be expected to be: the longest of late. max: none came
  // yet.
  uint32_t expected_response = UINT32_MAX;

  base::TimerNode timer;
  // Those that this side began, and those of the peer; roughly the oldest first (see Timers).
  using Exchanges = base::IntrusiveList<Exchange, &Exchange::lane_node>;
  Exchanges own;
  Exchanges peers;
  base::Nanos last_heard{};
  base::Nanos last_active{};                       // Last time this side had work on the lane.
  base::Nanos suspect_until = base::Nanos::max();  // Must be heard by then, or is lost.
  PathMtu mtu;
  RttEstimator rtt;
  Cutoffs cutoffs;                            // As the peer told them last.
  base::ListNode busy_node;                   // In Context's list of those that are lent something.
  base::Nanos acks_due = base::Nanos::max();  // Held ones go out by then.
  base::Nanos told_again{};                   // When a NEED_ACK of the callee was last answered.
  base::Nanos installed{};
  // Since when something has waited for the peer without a pause; max: nothing does.
  base::Nanos waiting_since = base::Nanos::max();

  crypto::ReceiveKeys receive;
  crypto::SendKeys send;

  // What few packets need.
  uint32_t ping_nonce = 0;
  uint32_t need_ack_backoff = 0;
  base::Nanos need_ack_due{};                  // No NEED_ACK of the callee goes out before.
  base::Nanos ping_began{};                    // When the outstanding nonce was first sent.
  base::Nanos ping_sent = base::Nanos::max();  // max: not yet.
  uint64_t resend_tokens = 0;                  // Bytes that RESENDs may still cause now.
  base::Nanos resend_refill{};
  LaneGatherings gatherings;  // Records of the peer that are not whole yet.

  // Starts to load what a message needs of it, its keys apart: the AEAD knows which part of them.
  void prefetch() const;
  Exchanges& exchanges(bool caller) { return caller ? own : peers; }
  bool has_exchanges() const { return !own.empty() || !peers.empty(); }
  // f(Exchange&) for each; it may end the one that it is given.
  template <class F>
  void for_each_exchange(F&& f) {
    for (Exchanges* list : {&own, &peers}) {
      for (auto it = list->begin(); it != list->end(); ++it) f(*it);
    }
  }
  // Largest plaintext of a DATA packet now.
  uint32_t record_bytes() const {
    return mtu.limit() - static_cast<uint32_t>(wire::kDataHeaderSize) - tag_size;
  }
  // As many whole ones as `bytes` has room for, and at least one: the rest would wait for company.
  uint32_t whole_records(uint32_t bytes) const {
    const uint32_t record = record_bytes();
    return std::max(record, bytes - bytes % record);
  }
};

inline void Lane::prefetch() const {
  const auto* const begin = reinterpret_cast<const char*>(this);
  const auto* const keys = reinterpret_cast<const char*>(&receive);
  base::prefetch(begin, static_cast<size_t>(keys - begin) + base::kCacheLine);
  base::prefetch(&send, 2 * base::kCacheLine);
}

// What a lane at rest takes beside its expanded keys: two to seal with, three to open with.
inline constexpr size_t kIdleLaneBytes = 896;
inline constexpr size_t kLaneKeys = 5;
#ifndef SLUICE_DEBUG_NUMBERS  // Which records every number that was sealed.
static_assert(sizeof(Lane) <= kIdleLaneBytes + kLaneKeys * sizeof(crypto::AeadKey));
#endif

// What a RESEND may cost: so many bytes at once, and this rate of refill (one byte per nanosecond
// is 8 Gb/s), so that even a peer gone wild cannot buy an endless retransmission.
inline constexpr uint64_t kResendBurstBytes = 4u << 20;
inline constexpr uint8_t kAvoidRepeats = 3;
inline constexpr base::Nanos kLaneTick = base::millis(2);  // Of a lane with work.
inline constexpr base::Nanos kPingInterval = base::millis(2);
inline constexpr base::Nanos kSteadyPingInterval = base::millis(20);  // After the first samples.
inline constexpr uint64_t kFirstPings = 3;  // More would show where many peers begin at once.
// A lane whose peer was never heard, and on which nothing waits, is pinged again after this share
// of its age, so that its PINGs back off.
inline constexpr uint32_t kUnheardPingShare = 4;
// The longest round trip that is measured; far below what the 32 bits of a timestamp can tell.
inline constexpr base::Nanos kPingNonceLife = base::seconds(1);
inline constexpr base::Nanos kSuspectWait = base::millis(50);
inline constexpr base::Nanos kNeedAckDelay = base::millis(5);
inline constexpr uint32_t kMaxNeedAckBackoff = 6;  // Doublings of that delay: 320 ms.
// Exchanges that a lane's timer looks at: those of one that has many are looked at in turn.
inline constexpr uint32_t kMaxLook = 16;

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_LANE_H_
