// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_RECEIVER_H_
#define SLUICE_TRANSPORT_RECEIVER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/limits.h"
#include "crypto/aead.h"
#include "transport/context.h"
#include "transport/control.h"
#include "transport/inbound.h"
#include "transport/packet.h"
#include "wire/record_packet.h"

namespace sluice::transport {

// Received packets, in the order of DESIGN §3.7: cheap checks, session, tag, replay, dispatch.
// A burst is classified, opened in batches, and acted upon; nothing but the packet itself and
// landing memory that nobody can see changes before a tag has verified.
class Receiver {
 public:
  Receiver(Context* context, Lifecycle* lifecycle, Inbound* inbound, Control* control)
      : ctx_(*context), lifecycle_(*lifecycle), inbound_(*inbound), control_(*control) {}

  void on_rx(std::span<RxPacket> burst, base::Nanos now);

 private:
  static constexpr size_t kBatch = base::limits::kMaxBurst;

  enum class Action : uint8_t {
    kBundle,    // Frames and small messages, opened in the packet.
    kBegin,     // A new exchange of the peer; landing is reserved.
    kUnlanded,  // The same, without landing: to be offered or refused.
    kResponse,  // The first packet of a response; landing is reserved.
    kExtend,    // More of a message, straight into place.
    kMerge,     // The same, opened in the packet as it overlaps verified bytes.
    // From here on what was opened begins with a header, to be compared with what was in clear.
    kRecord,  // A record of several packets, opened where it was gathered.
    kEsp,     // A packet in the form of ESP, opened where it lies.
  };

  // A place is used again and again: stage() sets what every action looks at, and who makes one the
  // rest.
  struct Pending {
    Action action = Action::kBundle;
    PacketMarks marks;
    uint8_t epoch = 0;
    Lane* lane = nullptr;
    Exchange* exchange = nullptr;
    Gathering* record = nullptr;  // kRecord only.
    uint32_t generation = 0;      // Of the exchange when the packet was classified.
    uint32_t offset = 0;  // kEsp: bytes of the packet that was in it, once that is known to be one.
    MessageStart start;
    Incoming landing;                                    // kResponse only.
    Inbound::Reserve why = Inbound::Reserve::kReserved;  // kUnlanded only.
  };

  void take(RxPacket& packet, base::Nanos now);
  void take_data(RxPacket& packet, base::Nanos now);
  void take_record(RxPacket& packet, base::Nanos now);
  void take_bundle(RxPacket& packet, base::Nanos now);
  Lane* lane_of(RxPacket& packet, base::Nanos now, const crypto::AeadKey** key);
  void take_from_caller(RxPacket& packet, const wire::DataView& view, Lane& lane,
                        const crypto::AeadKey* key, base::Nanos now);
  void take_from_callee(RxPacket& packet, const wire::DataView& view, Lane& lane,
                        const crypto::AeadKey* key, base::Nanos now);
  // What the next enqueue() takes, to be filled in where it will lie: a copy of what was just
  // written would wait for every store before it.
  Pending& stage(Action action, Lane* lane);
  void begin(RxPacket& packet, const wire::DataView& view, const crypto::AeadKey* key,
             base::Nanos now);
  void more(RxPacket& packet, const wire::DataView& view, Lane& lane, Exchange& exchange,
            const crypto::AeadKey* key, base::Nanos now);
  void enqueue(RxPacket& packet, const crypto::AeadKey* key, uint32_t aad_length, uint8_t* out,
               uint32_t length);
  void flush(base::Nanos now);
  void commit(Pending& pending, const crypto::AeadJob& job, base::Nanos now);
  void abandon(Pending& pending);
  // The exchange is still the one that the packet was classified for.
  static bool current(const Pending& pending) {
    return pending.exchange->generation == pending.generation &&
           pending.exchange->state != ExchangeState::kFree;
  }
  // Whether a record, or an ESP packet, that was opened says inside what it says outside, and has a
  // place; counts.
  bool sealed_as_sent(Pending& pending, const crypto::AeadJob& job);
  // ESP, in receiver_esp.cc.
  void take_esp(RxPacket& packet, base::Nanos now);
  bool brings_nothing(Lane& lane, uint64_t record_number);
  bool esp_as_sent(Pending& pending, const crypto::AeadJob& job);
  void commit_esp(Pending& pending, const crypto::AeadJob& job, base::Nanos now);
  // Record mode, in receiver_records.cc.
  enum class RecordPlace : uint8_t {
    kNone,      // Dropped.
    kRequest,   // It begins a new exchange of the peer.
    kResponse,  // It begins the response to a call.
    kMore,      // It goes on with a message.
  };
  void open_record(RxPacket& packet, Lane& lane, Gathering& record, base::Nanos now);
  static bool record_as_sent(const Gathering& record);
  void commit_record(Pending& pending, base::Nanos now);
  RecordPlace place_of(Lane& lane, const wire::RecordHeader& header, Exchange** exchange,
                       uint64_t* id);
  RecordPlace place_in(const Exchange& exchange, const wire::RecordHeader& header);
  void deliver_record(Lane& lane, const wire::RecordHeader& header,
                      std::span<const uint8_t> content, base::Nanos now);
  std::optional<Inbound::Reserve> land_first(Exchange& exchange, const Landing& landing,
                                             const wire::RecordHeader& header,
                                             std::span<const uint8_t> content, Incoming* in);
  void begin_request(Lane& lane, const wire::RecordHeader& header, uint64_t id,
                     std::span<const uint8_t> content, base::Nanos now);
  void begin_response(Exchange& exchange, const wire::RecordHeader& header,
                      std::span<const uint8_t> content, base::Nanos now);
  void verified(Pending& pending, const crypto::AeadJob& job, base::Nanos now);
  void judge_path(const Pending& pending, const crypto::AeadJob& job);
  void commit_bundle(Pending& pending, const crypto::AeadJob& job, base::Nanos now);
  void commit_begin(Pending& pending, const crypto::AeadJob& job, base::Nanos now);
  void begin_unlanded(Pending& pending, const crypto::AeadJob& job, base::Nanos now);
  void commit_response(Pending& pending, const crypto::AeadJob& job, base::Nanos now);

  Context& ctx_;
  Lifecycle& lifecycle_;
  Inbound& inbound_;
  Control& control_;
  std::array<Pending, kBatch> pending_;
  std::array<crypto::AeadJob, kBatch> jobs_;
  size_t count_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_RECEIVER_H_
