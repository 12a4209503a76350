// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_COMMANDS_H_
#define SLUICE_TRANSPORT_COMMANDS_H_

#include <cstdint>

#include "base/status.h"
#include "base/types.h"
#include "crypto/aead.h"
#include "crypto/key_schedule.h"
#include "wire/record_number.h"

namespace sluice::transport {

// Names an exchange (an RPC or a one-way message) inside one endpoint. A stale reference is
// recognised by its generation: commands on it return kNotFound.
struct ExchangeRef {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;
  bool valid() const { return index != UINT32_MAX; }
  friend bool operator==(ExchangeRef, ExchangeRef) = default;
};

// Names a lane inside one endpoint.
struct LaneRef {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;
  bool valid() const { return index != UINT32_MAX; }
  friend bool operator==(LaneRef, LaneRef) = default;
};

// How an incoming message is to land.
enum class LandingMode : uint8_t {
  kBuffered,  // Whole, in the endpoint's own memory; up to EndpointConfig::max_buffered_message.
  kNamed,     // Whole, in memory that the application names.
  kStream,    // The verified prefix as it arrives, through a window of the endpoint's memory.
  kAsk,       // Raise kOffer for messages over max_buffered_message and wait for Land or Stream.
};

// Memory for an incoming message. `memory` must stay valid until the exchange's last event.
struct Landing {
  LandingMode mode = LandingMode::kBuffered;
  uint32_t capacity = 0;      // kNamed: bytes at `memory`. kStream: window bytes, a power of two.
  uint8_t* memory = nullptr;  // kNamed only.
};

// Starts an RPC. `data` must stay valid and may not be moved until the exchange completes
// (kCallDone). `deadline` is absolute; Nanos::max() means none.
struct SendRequest {
  LaneRef lane;
  uint16_t service = 0;
  const uint8_t* data = nullptr;
  uint32_t length = 0;
  base::Nanos deadline = base::Nanos::max();
  uint64_t user = 0;  // Returned in the events of this exchange.
  Landing response;
  // Not 0: the peer took the request with the handshake's hello, under this id, which has to be the
  // lane's next one. It is not sent, unless no answer comes. For up to kMaxEarlyRequestBytes.
  uint64_t early_id = 0;
};

// As server: a request that the client's hello brought, as if a packet of the lane had: the
// client's exchange `id`. `data` is copied.
struct TakeEarly {
  LaneRef lane;
  uint64_t id = 1;
  uint16_t service = 0;
  const uint8_t* data = nullptr;
  uint16_t length = 0;
};

// Sends a one-way message; completes (kSendDone) when the peer holds all of it. With `lazy_ack`
// nobody waits for that: among many short messages the completion may come kLazyHold later, which
// saves the peer a packet for each.
struct SendOneWay {
  LaneRef lane;
  uint16_t service = 0;
  const uint8_t* data = nullptr;
  uint32_t length = 0;
  base::Nanos deadline = base::Nanos::max();
  uint64_t user = 0;
  bool lazy_ack = false;
};

// Answers a kRequest. Up to kInlineBytes are copied; longer data must stay valid until kSendDone
// of this exchange, unless `owned`: then it came from Endpoint::allocate() and the endpoint
// releases it, at once where it says kCancelled (the caller has given up). With any other error it
// stays the application's. The request's own memory is released by this command.
struct Respond {
  ExchangeRef exchange;
  const uint8_t* data = nullptr;
  uint32_t length = 0;
  bool owned = false;
  uint64_t user = 0;
};

// Refuses a request: the caller completes with `code`; the handler did not execute it.
struct Reject {
  ExchangeRef exchange;
  base::Code code = base::Code::kNotFound;
};

// Answers kOffer: where the message is to land (kNamed or kStream).
struct Land {
  ExchangeRef exchange;
  Landing landing;
};

// Frees `bytes` of a stream's window, in order; the grants follow.
struct Consume {
  ExchangeRef exchange;
  uint32_t bytes = 0;
};

// Gives back the memory of a delivered message (kOneWay, kCallDone with data). The exchange is
// gone afterwards.
struct ReleaseMessage {
  ExchangeRef exchange;
};

// Ends a call or a one-way message early; its completion says kCancelled.
struct Cancel {
  ExchangeRef exchange;
};

// How a lane's DATA and BUNDLE packets travel as ESP (PROTOCOL.md §18.4).
struct EspLane {
  uint32_t local_base = 0;   // The SPI bases that this side chose; 0: they do not travel so,
  uint32_t remote_base = 0;  // and that the peer chose.
  uint8_t next_header = 0;   // The native protocol's number.

  bool on() const { return remote_base != 0; }
};

// Adds one lane of an established session. Keys are derived by the control thread.
struct InstallLane {
  base::SessionId local_session;   // Chosen here; arrives in packets.
  base::SessionId remote_session;  // Chosen by the peer; sent in packets.
  uint8_t lane = 0;
  bool initiator = false;  // True on the side that began the handshake.
  crypto::AeadAlgorithm algorithm = crypto::AeadAlgorithm::kAes128Gcm;
  crypto::LaneSecrets secrets;  // Send and receive secrets of this lane, epoch 0.
  wire::RecordNumberSplit split;
  uint32_t route = 0;                       // The engine's handle of the path to the peer.
  uint32_t peer_max_packet = 1200;          // Largest Sluice packet the peer accepts.
  uint32_t peer_unscheduled_bytes = 65536;  // What the peer accepts without a grant.
  uint32_t peer_max_message = 1u << 30;
  bool records = false;  // Both sides take RECORD packets; needs an algorithm with a tag.
  bool padded = false;   // Both sides pad all messages.
  EspLane esp;           // Needs EndpointConfig::esp, and AES-GCM; excludes `records`.
};

// Ends a lane: every call on it completes with `code`, which is not kOk.
struct CloseLane {
  LaneRef lane;
  base::Code code = base::Code::kClosed;
  bool tell_peer = true;  // Queue a CLOSE frame first.
};

// Starts a new sending epoch now (otherwise automatic, before the AEAD's limits).
struct UpdateKeys {
  LaneRef lane;
};

// A hint (RESET) that the peer may have lost the session: verify it by a probe with a short wait.
struct Suspect {
  LaneRef lane;
};

enum class EventKind : uint8_t {
  kRequest,   // A whole request (or, with kStream landing, its start): answer it.
  kOneWay,    // A whole one-way message: ReleaseMessage when done.
  kCallDone,  // The one completion of a call; `data` holds the response when code is kOk:
              // ReleaseMessage when done with it (always required, also on failure).
  kSendDone,  // The one completion of a one-way message, or of a long response's memory.
  kOffer,     // A message larger than max_buffered_message waits for Land, or Reject.
  kStream,    // More of the verified prefix: `data`, `length` at `offset`; `last` ends it.
  kLost,      // A message that was landing in named memory ended early, with `code`: nothing
              // touches that memory any more. ReleaseMessage; told once, unless a command on the
              // exchange said kCancelled before.
  kLaneUp,    // The first packet of the peer verified on this lane.
  kLaneDown,  // The lane ended with `code`; the reference is dead afterwards.
};

// What the application hears. Pointers stay valid until ReleaseMessage, Respond or Consume.
struct Event {
  EventKind kind = EventKind::kRequest;
  base::Code code = base::Code::kOk;
  bool may_have_executed = false;  // On a failed call: the peer may have run it.
  bool last = false;
  bool one_way = false;  // The exchange is a one-way message.
  uint16_t service = 0;
  ExchangeRef exchange;
  LaneRef lane;  // That the exchange belongs to, also when it has ended meanwhile.
  uint64_t user = 0;
  const uint8_t* data = nullptr;
  uint32_t length = 0;
  uint32_t offset = 0;
};

// Responses and requests up to this many bytes are held inside the exchange itself.
inline constexpr uint32_t kInlineBytes = 256;

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_COMMANDS_H_
