// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_CONTROL_H_
#define SLUICE_TRANSPORT_CONTROL_H_

#include <cstdint>

#include "transport/context.h"
#include "transport/inbound.h"
#include "transport/lifecycle.h"
#include "transport/sender.h"
#include "wire/control_frames.h"
#include "wire/header.h"

namespace sluice::transport {

// What verified frames do. Every frame was authenticated with its packet; what it asks is checked
// all the same against the state of the exchange it names, and contradicts nothing silently.
class Control {
 public:
  Control(Context* context, Lifecycle* lifecycle, Sender* sender, Inbound* inbound)
      : ctx_(*context), lifecycle_(*lifecycle), sender_(*sender), inbound_(*inbound) {}

  // Acts on a verified bundle: its frames and, at `plain`, the small messages they announce.
  // False when the lane ended (CLOSE) and must not be touched any more.
  bool on_bundle(Lane& lane, const wire::BundleView& view, const uint8_t* plain, base::Nanos now);

  // Tells the peer the floor and the released runs above it, from the one that holds `from` on.
  void tell_floor(Lane& lane, uint64_t from = 0);
  // Answers a repeated request, or one asked after: BUSY, the response again, or GONE.
  void answer_state(Lane& lane, uint64_t id, base::Nanos now);
  void answer_unfinished(Exchange& exchange, base::Nanos now);

  // A whole small message of the peer's, verified.
  void on_message(Lane& lane, const wire::MsgFrame& frame, const uint8_t* bytes, base::Nanos now);

 private:
  bool dispatch(Lane& lane, const wire::Frame& frame, const wire::BundleView& view,
                const uint8_t* plain, base::Nanos now);
  void on_small_request(Lane& lane, const wire::MsgFrame& frame, const uint8_t* bytes,
                        base::Nanos now);
  void begin_padded(Exchange& exchange, const MessageStart& start, const uint8_t* bytes,
                    base::Nanos now);
  void begin_padded(Exchange& exchange, Incoming* landing, uint32_t length, const uint8_t* bytes,
                    base::Nanos now);
  void on_small_response(Lane& lane, const wire::MsgFrame& frame, const uint8_t* bytes,
                         base::Nanos now);
  void on_grant(Lane& lane, const wire::GrantFrame& frame);
  void on_resend(Lane& lane, const wire::ResendFrame& frame, base::Nanos now);
  void on_unknown(Lane& lane, const wire::UnknownFrame& frame, base::Nanos now);
  void on_busy(Lane& lane, const wire::BusyFrame& frame, base::Nanos now);
  void on_ack(Lane& lane, uint64_t id);
  void on_ack_run(Lane& lane, const wire::AckRunFrame& frame);
  void on_gone(Lane& lane, const wire::GoneFrame& frame);
  void on_need_ack(Lane& lane, const wire::NeedAckFrame& frame, base::Nanos now);
  void on_floor(Lane& lane, uint64_t floor);
  void on_release(Lane& lane, const wire::ReleaseFrame& frame);
  void on_pong(Lane& lane, const wire::PongFrame& frame, base::Nanos now);
  void release_id(Lane& lane, uint64_t id);
  // The exchange whose part this side sends, as a GRANT or RESEND names it, or nullptr. False, and
  // counted, when the frame contradicts itself.
  bool find_sent(Lane& lane, uint8_t bits, uint64_t id, Exchange** exchange);

  Context& ctx_;
  Lifecycle& lifecycle_;
  Sender& sender_;
  Inbound& inbound_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CONTROL_H_
