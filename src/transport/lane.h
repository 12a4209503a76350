// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_LANE_H_
#define SLUICE_TRANSPORT_LANE_H_

#include <algorithm>
#include <cstdint>

#include "base/intrusive_list.h"
#include "base/limits.h"
#include "base/timer_wheel.h"
#include "base/types.h"
#include "crypto/receive_keys.h"
#include "crypto/send_keys.h"
#include "transport/cutoffs.h"
#include "transport/exchange.h"
#include "transport/frame_queue.h"
#include "transport/held_acks.h"
#include "transport/id_window.h"
#include "transport/path_judge.h"
#include "transport/path_mtu.h"
#include "transport/record_assembly.h"
#include "transport/rtt.h"
#include "transport/send_paths.h"
#include "wire/header.h"
#include "wire/record_number.h"

namespace sluice::transport {

// A session's share on one pair of lcores: its keys, ids, control frames and timers. Owned by one
// endpoint; plain state for the roles that act on it.
struct Lane {
  Lane();

  uint32_t index = 0;  // In the endpoint's slab.
  uint32_t generation = 0;
  bool live = false;
  base::SessionId local_session;
  base::SessionId remote_session;
  uint8_t number = 0;  // The lane field of packets.
  bool initiator = false;
  crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kNone;
  uint32_t tag_size = 0;
  uint32_t route = 0;
  uint32_t peer_unscheduled = 0;
  uint32_t peer_max_message = 0;
  bool records = false;  // Record mode: both sides send and take RECORD packets.
  bool padded = false;   // Both sides pad all messages (PROTOCOL.md §19).
  wire::RecordNumberSplit split;
  crypto::SendKeys send;
  crypto::ReceiveKeys receive;

  // Ids (DESIGN §3.9).
  OwnIds own_ids{base::limits::kMaxIdsAboveFloor};
  PeerIds peer_ids{base::limits::kMaxIdsAboveFloor};
  uint64_t told_floor = 1;                     // The floor that the peer was last sent.
  base::Nanos floor_due = base::Nanos::max();  // A FLOOR of its own is due then.
  base::Nanos told_again{};                    // When a NEED_ACK of the callee was last answered.

  // Sending.
  FrameQueue frames;
  Cutoffs cutoffs;           // As the peer told them last.
  uint8_t cutoffs_told = 0;  // The version of this side's that the peer was sent.
  HeldAcks held_acks;
  base::Nanos acks_due = base::Nanos::max();             // They go out by then.
  base::IntrusiveList<Outgoing, &Outgoing::node> small;  // Whole small messages, oldest first.
  base::ListNode tx_node;  // In Context::tx_lanes: frames or small messages wait.
  uint8_t tx_bucket = 0;   // Where there.
  uint16_t path_sequence = 0;
  bool close_queued = false;  // A CLOSE frame waits; the lane ends when it is sent.
  base::Code close_code = base::Code::kClosed;

  // How long a response of this peer may be expected to be: the longest of late. max: none came
  // yet.
  uint32_t expected_response = UINT32_MAX;

  // Path.
  uint16_t entropy = 0;    // Where messages keep to one; drawn again when time-outs follow another.
  SendPaths paths;         // Where they take several.
  PathJudge judge;         // Of the peer's.
  uint16_t bad_paths = 0;  // What it said last, and
  uint8_t paths_to_tell = 0;  // how many more bundles are to say it.
  RttEstimator rtt;
  PathMtu mtu;
  uint32_t probe_bytes = 0;     // A path MTU probe of this size waits to be sent.
  bool saw_congestion = false;  // CE arrived since the last packet out: echo it.
  uint32_t ping_nonce = 0;
  bool ping_outstanding = false;
  base::Nanos ping_began{};                    // When the outstanding nonce was first sent.
  base::Nanos ping_sent = base::Nanos::max();  // max: not yet.
  uint64_t resend_tokens = 0;                  // Bytes that RESENDs may still cause now.
  base::Nanos resend_refill{};

  // Liveness.
  bool heard = false;  // A packet of the peer has verified.
  base::Nanos installed{};
  base::Nanos last_heard{};
  base::Nanos last_active{};  // Last time this side had work on the lane.
  // Since when something has waited for the peer without a pause; max: nothing does.
  base::Nanos waiting_since = base::Nanos::max();
  base::Nanos suspect_until = base::Nanos::max();  // Must be heard by then, or is lost.
  uint32_t need_ack_backoff = 0;
  base::Nanos need_ack_due{};  // No NEED_ACK of the callee goes out before.
  base::TimerNode timer;

  base::IntrusiveList<Exchange, &Exchange::lane_node> exchanges;

  LaneGatherings gatherings;  // Records of the peer that are not whole yet.

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

// What a RESEND may cost: so many bytes at once, and this rate of refill (one byte per nanosecond
// is 8 Gb/s), so that even a peer gone wild cannot buy an endless retransmission.
inline constexpr uint64_t kResendBurstBytes = 4u << 20;
inline constexpr uint8_t kAvoidRepeats = 3;
inline constexpr base::Nanos kLaneTick = base::millis(2);  // Of a lane with work.
inline constexpr base::Nanos kPingInterval = base::millis(2);
inline constexpr base::Nanos kSteadyPingInterval = base::millis(20);  // After the first samples.
inline constexpr uint64_t kFirstPings = 8;
// A lane whose peer was never heard, and on which nothing waits, is pinged again after this share
// of its age, so that its PINGs back off.
inline constexpr uint32_t kUnheardPingShare = 4;
// The longest round trip that is measured; far below what the 32 bits of a timestamp can tell.
inline constexpr base::Nanos kPingNonceLife = base::seconds(1);
inline constexpr base::Nanos kSuspectWait = base::millis(50);
inline constexpr base::Nanos kNeedAckDelay = base::millis(5);
inline constexpr uint32_t kMaxNeedAckBackoff = 6;  // Doublings of that delay: 320 ms.
inline constexpr uint32_t kMaxReleaseLook = 1024;  // Exchanges looked at for one NEED_ACK.

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_LANE_H_
