// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_ENDPOINT_H_
#define SLUICE_TRANSPORT_ENDPOINT_H_

#include <cstdint>
#include <memory>
#include <span>

#include "base/types.h"
#include "crypto/aead.h"
#include "crypto/inline_crypto.h"
#include "crypto/primitives.h"
#include "transport/commands.h"
#include "transport/config.h"
#include "transport/packet.h"
#include "transport/stats.h"

namespace sluice::transport {

class EndpointCore;

// The protocol of one lcore: a deterministic object that does no I/O, reads no clock, draws no
// randomness of its own and allocates nothing after construction. One thread drives it, by these
// six verbs and nothing else; `now` never goes backwards from call to call.
class Endpoint {
 public:
  // `backend` seals and opens; `primitives` derive later epochs. `ports` seal records of record
  // mode in its stead where they can; null: none does. All must outlive the endpoint.
  Endpoint(const EndpointConfig& config, crypto::AeadBackend* backend,
           const crypto::Primitives* primitives, crypto::InlineCrypto* ports = nullptr);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // Takes a burst of received packets (any number; 32 is a good one) and sets their verdicts.
  void on_rx(std::span<RxPacket> burst, base::Nanos now);

  // Fills up to slots.size() packets and returns how many; the rest stay empty. To be called
  // after on_rx(), on_deadline() and submit(), until it returns less than was offered.
  size_t poll_tx(std::span<TxPacket> slots, base::Nanos now);

  // When on_deadline() wants to be called next (a lower bound); Nanos::max() when never.
  base::Nanos next_deadline() const;
  void on_deadline(base::Nanos now);

  // Commands; none blocks. Those that start something write its reference, where one is wanted, and
  // say kOk, or say why not: kResourceExhausted is backpressure (try again after completions),
  // kTooLarge, kClosed, kNotFound, kInvalidArgument.
  base::Code submit(const SendRequest& command, base::Nanos now, ExchangeRef* exchange = nullptr);
  base::Code submit(const SendOneWay& command, base::Nanos now, ExchangeRef* exchange = nullptr);
  base::Code submit(const TakeEarly& command, base::Nanos now);
  base::Code submit(const Respond& command, base::Nanos now);
  base::Code submit(const Reject& command, base::Nanos now);
  base::Code submit(const Land& command, base::Nanos now);
  base::Code submit(const Consume& command, base::Nanos now);
  base::Code submit(const ReleaseMessage& command, base::Nanos now);
  base::Code submit(const Cancel& command, base::Nanos now);
  base::Code submit(const InstallLane& command, base::Nanos now, LaneRef* lane);
  base::Code submit(const CloseLane& command, base::Nanos now);
  base::Code submit(const UpdateKeys& command, base::Nanos now);
  base::Code submit(const Suspect& command, base::Nanos now);

  // Sets how requests and one-way messages of a service land (default: kBuffered for every
  // service; larger messages are then refused with kTooLarge).
  void set_landing(uint16_t service, LandingMode mode, uint32_t stream_window);

  // Whether poll_events() would write one.
  bool has_events() const;
  // Writes up to events.size() events, oldest first, and returns how many.
  size_t poll_events(std::span<Event> events);

  // Memory of the endpoint's arena for a response (Respond::owned); nullptr when it is full.
  uint8_t* allocate(uint32_t bytes);
  void release(uint8_t* memory);

  // Counters; plain loads by the owning thread, relaxed-atomic reads by others.
  const Stats& stats() const;
  // True when nothing is in flight: no exchange, no unsent control (for draining).
  bool idle() const;
  // Visits every lane, for `show sessions`: a plain snapshot, owner thread only.
  size_t snapshot_lanes(std::span<LaneSnapshot> out) const;

 private:
  std::unique_ptr<EndpointCore> core_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_ENDPOINT_H_
