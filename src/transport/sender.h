// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_SENDER_H_
#define SLUICE_TRANSPORT_SENDER_H_

#include <array>
#include <cstdint>
#include <span>

#include "base/limits.h"
#include "crypto/aead.h"
#include "transport/context.h"
#include "transport/credit_board.h"
#include "transport/packet.h"
#include "transport/send_queue.h"
#include "transport/staged_record.h"

namespace sluice::transport {

// What goes out, in which order, and how it is laid into packets. Control frames and small
// messages come first, lane by lane, sharing packets where they wait together anyway; then the
// packets of longer messages, shortest remaining first. Each burst is sealed in one batch.
class Sender {
 public:
  explicit Sender(Context* context)
      : ctx_(*context), ready_(context->config.turn_share), staged_(context->config.record_mode) {}

  // There is something new to send of this exchange: its start, or more after a grant.
  void start(Exchange& exchange);
  // The peer has all of a small message by another way: nothing to send, unless it is asked for.
  void assume_sent(Exchange& exchange);
  // What a message of this length sends before any grant: all that the peer allows, or of a long
  // one (EndpointConfig::blind_bytes) next to nothing, which is a request for credit.
  uint32_t unasked(const Lane& lane, uint32_t length) const {
    return asks_first(length) ? kCreditRequestBytes
                              : std::min(length, lane.whole_records(lane.peer_unscheduled));
  }
  // Bytes were granted up to `offset`.
  void grant(Exchange& exchange, uint32_t offset, uint8_t priority);
  // The peer misses [begin, end): send it again, within the lane's budget.
  void resend(Exchange& exchange, uint32_t begin, uint32_t end, base::Nanos now);
  // The peer knows nothing of the message: begin again with its unscheduled part, within the lane's
  // budget.
  void restart(Exchange& exchange, base::Nanos now);
  // A small message is sent again, whole, in the lane's next bundle.
  void repeat_small(Exchange& exchange);
  // The peer lacks the bytes from `begin` on; again and again, the path may have shrunk.
  void note_missing(Exchange& exchange, uint32_t begin, base::Nanos now);
  // Asks what became of a message of several packets, by a packet that takes the same way as its
  // bytes: whatever of them has not arrived when the question does is lost.
  void ask_behind(Exchange& exchange);
  // Asks the peer for a sign of life, which measures the round trip as well.
  void ping(Lane& lane);
  // The exchange no longer sends.
  void forget(Exchange& exchange) {
    Outgoing& out = exchange.out;
    if (out.node.linked() || (out.active && !out.small)) forget_queued(exchange);
    out.active = false;
  }
  // The reassembly is going away; a hook so that no list of a burst keeps it.
  void forget_touched(Reassembly& reassembly);
  // A new sending epoch began: what had run out of attempts goes on.
  void resume(Lane& lane);

  // Appends a control frame for the lane's next packet; a full queue drops it (see FrameQueue), and
  // so does a lane that cannot be engaged.
  template <typename Frame>
  void queue(Lane& lane, const Frame& frame) {
    if (!ctx_.engage(lane)) [[unlikely]]
      return;
    const std::span<uint8_t> room = lane.busy->frames.append(Frame::kSize);
    if (room.empty()) return;
    frame.emit(room.data());
    lane.has_frames = true;
    ctx_.wake(lane);
  }

  // The acknowledgements held back for company go with the lane's next bundle.
  void queue_held_acks(Lane& lane);

  // Fills packets and seals them, in one batch; returns how many slots were used.
  size_t fill(std::span<TxPacket> slots, base::Nanos now);
  bool idle() const { return ready_.empty() && ctx_.tx_lanes.empty() && !staged_.pending(); }

  // Reassemblies touched by the current receive burst (owned by Inbound, unlinked here on death).
  base::IntrusiveList<Reassembly, &Reassembly::touched>& touched() { return touched_; }
  // What took these paths, a set of 1 << path, did not arrive or is congested: others replace them.
  void leave_paths(Lane& lane, uint16_t paths);

 private:
  static constexpr size_t kBatch = base::limits::kMaxBurst;
  // Little enough for a hundred of them at once, and it uses some of the time that the credit
  // takes.
  static constexpr uint32_t kCreditRequestBytes = 192;
  // Messages in a bundle: so many calls at least, if there are; of more one of so many parts.
  static constexpr uint32_t kLeastBundled = 16;
  static constexpr uint32_t kBundlesUnderWay = 4;
  static constexpr uint32_t kMostBundled = 64;

  void forget_queued(Exchange& exchange);
  bool asks_first(uint32_t length) const {
    return length > std::max(ctx_.config.blind_bytes, ctx_.config.bundle_message_max);
  }

  void tell_cutoffs(Lane& lane);
  void tell_paths(Lane& lane);
  bool fill_from_lane(Lane& lane, TxPacket& slot, base::Nanos now);
  bool fill_first(Lane& lane, TxPacket& slot, base::Nanos now);
  // What few lanes need when the packet is filled, or could not be: see Lane::after_packet.
  void follow(Lane& lane, TxPacket& slot, bool filled, base::Nanos now);
  bool fill_data(Exchange& exchange, TxPacket& slot, base::Nanos now);
  template <bool kEsp>
  bool fill_packet(Exchange& exchange, TxPacket& slot, base::Nanos now);
  bool fill_question(Exchange& exchange, TxPacket& slot, base::Nanos now);
  bool fill_probe(Lane& lane, TxPacket& slot, base::Nanos now);
  bool fill_lone(Lane& lane, TxPacket& slot, base::Nanos now);
  void note_sent(Outgoing& small, base::Nanos now);
  // That of a message that has waited in line without one (Timers::on_exchange).
  void arm_timer(Exchange& exchange, base::Nanos now);
  // Messages that a bundle is to have at most.
  uint32_t most_bundled(Lane& lane);
  bool fill_bundle(Lane& lane, TxPacket& slot, base::Nanos now);
  bool write_record(Exchange& exchange, TxPacket& slot, uint32_t offset, uint32_t length,
                    bool again, base::Nanos now);
  // Record mode: how many bytes of the message the next record is to have; 0 where the next ones
  // travel in packet mode.
  uint32_t record_content(const Exchange& exchange) const;
  bool stage_record(Exchange& exchange, uint32_t content, TxPacket& slot, base::Nanos now);
  bool cut_record(TxPacket& slot);
  wire::DataHeader data_header(Exchange& exchange, uint64_t number, uint32_t offset, bool again,
                               TxPacket& slot, base::Nanos now);
  uint8_t priority_of(const Exchange& exchange, uint32_t offset) const;
  void write_message(Exchange& exchange, uint8_t* clear, uint8_t bits);
  uint8_t seal_bundle(Lane& lane, TxPacket& slot, uint32_t clear, uint32_t sealed, uint8_t priority,
                      uint16_t entropy, base::Nanos now);
  // What jobs_[job_count_] says is sealed with the others of this burst, into `slot`.
  void seal(Lane& lane, TxPacket& slot, uint8_t priority);
  void flush();
  // Makes the packet that seal() took last one in the form of ESP; in sender_esp.cc.
  void make_esp(Lane& lane, TxPacket& slot);
  // Keeps the sum over all messages of what is granted and not sent.
  void count_unspent(ColdPart& part, uint32_t unspent) {
    unspent_ += unspent;
    unspent_ -= part.unspent;
    part.unspent = unspent;
  }
  // The lane's budget of bytes to send again grows with time; spend() takes from it, or counts.
  void refill(Lane& lane, base::Nanos now);
  bool spend(Lane& lane, uint32_t bytes, base::Nanos now);
  void rank(Exchange& exchange);
  void maybe_update_keys(Lane& lane);
  uint32_t floor_delta(Exchange& exchange);
  // Writes the bytes [offset, offset + to.size()) of a message, as it travels.
  static void copy_message(const Lane& lane, const Outgoing& out, uint32_t offset,
                           std::span<uint8_t> to);
  static const uint8_t* padded_bytes(const Outgoing& out, uint32_t offset, std::span<uint8_t> to);
  uint8_t header_bits(Lane& lane);
  bool outranked(const Outgoing& out) const;
  // Several messages have bytes to send, on this lcore or another of the host.
  bool several() const { return ready_.several() || (others_.any && !ready_.empty()); }
  bool has_work(const Exchange& exchange) const;
  // Sets the way of the packet in `slot`: `kept` where packets keep to one. Returns the path that
  // the packet is to name.
  uint8_t take_path(Lane& lane, uint16_t kept, TxPacket* slot);
  // One path per message keeps its packets in order where the network does.
  static uint16_t entropy_of(const Exchange& exchange) {
    return static_cast<uint16_t>(exchange.lane->entropy + exchange.id * 0x9e37u);
  }

  Context& ctx_;
  SendQueue ready_;
  base::IntrusiveList<Reassembly, &Reassembly::touched> touched_;
  std::array<crypto::AeadJob, kBatch> jobs_;
  size_t job_count_ = 0;
  uint64_t unspent_ = 0;
  CreditBoard::Waiting others_;  // As the burst began; nothing where the endpoint is alone.
  StagedRecord staged_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_SENDER_H_
