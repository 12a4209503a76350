// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_INBOUND_H_
#define SLUICE_TRANSPORT_INBOUND_H_

#include <array>
#include <cstdint>
#include <cstring>

#include "transport/context.h"
#include "transport/grant_policy.h"
#include "transport/lifecycle.h"
#include "transport/padding.h"
#include "transport/recovery_policy.h"
#include "transport/sender.h"

namespace sluice::transport {

// What the first packet of a message says about it, from a DATA header or a MSG frame.
struct MessageStart {
  uint64_t id = 0;
  uint32_t length = 0;
  uint32_t floor_delta = 0;
  uint32_t response_credit = 0;
  uint16_t service = 0;
  bool one_way = false;
  bool lazy = false;
};

// What a verified packet says of its way here.
struct PacketMarks {
  uint8_t bits = 0;                     // wire::kBitCongestedSender and kBitOutranked count.
  bool congestion_experienced = false;  // ECN, set by the network.
};

// Messages being received: their landing memory, which bytes have arrived, their grants and holes,
// and their delivery. Everything here acts on verified packets, except reserve() and target(),
// which change nothing that a failed tag would have to take back.
class Inbound {
 public:
  Inbound(Context* context, Lifecycle* lifecycle, Sender* sender, GrantPolicy* policy,
          RecoveryPolicy* recovery)
      : ctx_(*context),
        lifecycle_(*lifecycle),
        sender_(*sender),
        policy_(*policy),
        recovery_(*recovery) {}

  // A stream's window holds at least this, whatever was asked for: more than any packet.
  static constexpr uint32_t kMinStreamWindow = 16384;

  enum class Reserve : uint8_t {
    kReserved,
    kApart,  // The same, for bytes that cannot be opened where they land.
    kNoMemory,
    kTooLarge,
    kMalformed,
    kOffer,
  };
  // With what a message ends that is refused for it.
  static base::Code refusal(Reserve why) {
    return why == Reserve::kMalformed ? base::Code::kDataLoss : base::Code::kTooLarge;
  }

  // Finds landing memory for a message of `length` bytes, into `in` only, which is as new.
  Reserve reserve(Exchange& exchange, const Landing& landing, uint32_t length, Incoming* in);
  // The landing that the application chose for a service.
  Landing landing_for(uint16_t service);

  // Where the bytes [offset, offset + length) of an exchange in reception may be opened to.
  enum class Verdict : uint8_t {
    kInto,       // `*out`: granted, unverified, unexposed memory.
    kScratch,    // Some of them are verified: open elsewhere, then merge().
    kBusy,       // An opening in progress touches them: finish it first.
    kDuplicate,  // All of them are verified.
    kUngranted,
    kMalformed,  // The message's length differs.
  };
  Verdict target(Exchange& exchange, uint32_t message_length, uint32_t offset, uint32_t length,
                 uint8_t** out);

  // The same of bytes that have verified, or will have when they are to be placed, by merge():
  // kScratch where some of them are missing.
  Verdict fits(const Exchange& exchange, uint32_t message_length, uint32_t offset,
               uint32_t length) const;

  // Takes the floor of a caller's packet and decides whether its id may start an exchange now.
  PeerIds::Class admit(Lane& lane, const MessageStart& start);

  // A new exchange of the peer begins with verified bytes [offset, offset + length), which lie in
  // place. `exchange` was allocated with landing reserved. False when it had to be dropped.
  bool begin_callee(Exchange& exchange, const MessageStart& start, uint32_t offset, uint32_t length,
                    base::Nanos now);
  // A message that does not land: refuses it, or offers it to the application.
  void begin_unlanded(Exchange& exchange, const MessageStart& start, Reserve why);
  // The response to a call begins; `landing` was filled by reserve().
  bool begin_response(Exchange& exchange, const Incoming& landing, uint32_t message_length,
                      uint32_t offset, uint32_t length, base::Nanos now);
  // More verified bytes, in place.
  void extend(Exchange& exchange, uint32_t offset, uint32_t length, base::Nanos now);
  // Copies the missing ones of verified bytes opened elsewhere into place.
  void merge(Exchange& exchange, uint32_t offset, const uint8_t* bytes, uint32_t length,
             base::Nanos now);

  // The application names memory for an offered message.
  base::Code land(Exchange& exchange, const Landing& landing, base::Nanos now);
  base::Code consume(Exchange& exchange, uint32_t bytes);

  // What the packet that is committed next carried; tells the grant policy of its bytes.
  void set_marks(PacketMarks marks) { marks_ = marks; }

  // After each burst, timer or consumption: holes are asked for, grants go out.
  void settle(base::Nanos now);
  // The retransmission timer of an incomplete message fired.
  void recover(Exchange& exchange, base::Nanos now);
  // What the peer was allowed to send and has not arrived is asked for; false when that is nothing.
  bool ask_missing(Exchange& exchange, base::Nanos now);

 private:
  // A message has begun: what comes unasked decides the priorities of what will.
  void note_arrival(uint32_t length);
  bool start_reassembly(Exchange& exchange, base::Nanos now);
  void add_range(Exchange& exchange, uint32_t offset, uint32_t length, base::Nanos now);
  void extend_padded(Exchange& exchange, uint32_t offset, uint32_t length, base::Nanos now);
  void merge_padded(Exchange& exchange, uint32_t offset, const uint8_t* bytes, uint32_t length,
                    base::Nanos now);
  bool unpad(Exchange& exchange);
  void spoil(Exchange& exchange);
  void finish(Exchange& exchange);
  void deliver(Exchange& exchange);
  void acknowledge(Exchange& exchange);
  void touch(Reassembly& reassembly);
  void ask(Exchange& exchange, const ResendRange* ranges, size_t count);
  void send_grant(Exchange& exchange, uint32_t offset, uint8_t priority);
  static uint32_t landing_limit(const Exchange& exchange, uint32_t consumed);
  // The bits that name the message this side receives in GRANT and RESEND frames.
  static uint8_t part_bits(const Exchange& exchange);

  Context& ctx_;
  Lifecycle& lifecycle_;
  Sender& sender_;
  GrantPolicy& policy_;
  RecoveryPolicy& recovery_;
  PacketMarks marks_;
  // Where the policies write what they have decided; not cleared for each burst.
  std::array<ResendRange, 8> ranges_;
  std::array<GrantDecision, 16> grants_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_INBOUND_H_
