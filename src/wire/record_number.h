// SPDX-License-Identifier: Apache-2.0
//
// Record numbers: the 64-bit value that makes the AEAD nonce of each record unique under its key.
// The top bit picks the space: messages (bit 63 = 0) or a plain counter (bit 63 = 1).
#ifndef SLUICE_WIRE_RECORD_NUMBER_H_
#define SLUICE_WIRE_RECORD_NUMBER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice::wire {

inline constexpr uint64_t kCounterSpaceBit = uint64_t{1} << 63;
inline constexpr uint64_t kInitiatorBit = uint64_t{1} << 62;
inline constexpr uint64_t kMaxCounter = kCounterSpaceBit - 1;

// How the 62 low bits of a message-space number are shared out: message id highest, then attempt,
// then record index. Both sides of a session use the one that the handshake agreed on.
struct RecordNumberSplit {
  uint8_t id_bits = 34;
  uint8_t attempt_bits = 8;
  uint8_t index_bits = 20;

  static constexpr unsigned kTotalBits = 62;
  static constexpr size_t kSize = 3;  // on the wire: the three widths in this order

  // True when the split fills the number exactly, leaves room for 1 GiB messages in packets of
  // 1 KiB (20 index bits), and keeps enough ids and attempts to be worth an epoch.
  constexpr bool valid() const {  // PROTOCOL MUST-W13
    return unsigned{id_bits} + attempt_bits + index_bits == kTotalBits && id_bits >= 16 &&
           attempt_bits >= 4 && attempt_bits <= 16 && index_bits >= 20 && index_bits <= 30;
  }
  constexpr uint64_t id_mask() const { return (uint64_t{1} << id_bits) - 1; }
  constexpr uint32_t max_attempt() const { return (uint32_t{1} << attempt_bits) - 1; }
  constexpr uint32_t max_index() const { return (uint32_t{1} << index_bits) - 1; }

  constexpr void emit(uint8_t* out) const {
    out[0] = id_bits;
    out[1] = attempt_bits;
    out[2] = index_bits;
  }
  static constexpr std::optional<RecordNumberSplit> parse(const uint8_t* data, size_t size) {
    if (size < kSize) return std::nullopt;
    const RecordNumberSplit split{data[0], data[1], data[2]};
    if (!split.valid()) return std::nullopt;
    return split;
  }

  friend constexpr bool operator==(const RecordNumberSplit&, const RecordNumberSplit&) = default;
};

// A message-space number taken apart. `id_low` holds the low id_bits of the message id.
struct MessageRecord {
  bool initiator = false;  // the packet's sender started the exchange
  uint64_t id_low = 0;
  uint32_t attempt = 0;
  uint32_t index = 0;

  friend constexpr bool operator==(const MessageRecord&, const MessageRecord&) = default;
};

constexpr bool is_counter_number(uint64_t number) { return (number & kCounterSpaceBit) != 0; }
constexpr bool is_initiator_number(uint64_t number) { return (number & kInitiatorBit) != 0; }

// Composes a counter-space number. Only the low 63 bits of `counter` are used.
constexpr uint64_t counter_number(uint64_t counter) {
  return kCounterSpaceBit | (counter & kMaxCounter);
}
constexpr uint64_t counter_of(uint64_t number) { return number & kMaxCounter; }

// Composes a message-space number; nullopt when attempt or index exceeds its field, because a
// truncated one would repeat a nonce. The id is reduced to its low bits by design: the sender
// moves to a new epoch before two of its live ids share them.
constexpr std::optional<uint64_t> message_number(const RecordNumberSplit& split, bool initiator,
                                                 uint64_t id, uint32_t attempt, uint32_t index) {
  // PROTOCOL MUST-W11, MUST-W12
  if (attempt > split.max_attempt() || index > split.max_index()) return std::nullopt;
  return (initiator ? kInitiatorBit : 0) |
         ((id & split.id_mask()) << (split.attempt_bits + split.index_bits)) |
         (uint64_t{attempt} << split.index_bits) | index;
}

// Takes a message-space number apart. The caller has checked !is_counter_number(number).
constexpr MessageRecord split_message_number(const RecordNumberSplit& split, uint64_t number) {
  MessageRecord out;
  out.initiator = is_initiator_number(number);
  out.id_low = (number >> (split.attempt_bits + split.index_bits)) & split.id_mask();
  out.attempt = static_cast<uint32_t>(number >> split.index_bits) & split.max_attempt();
  out.index = static_cast<uint32_t>(number) & split.max_index();
  return out;
}

// The full 64-bit id whose low bits are `id_low` and which lies nearest to `reference` (the
// highest id known in that direction). Ids are dense, so the true one is always within half the
// range; never returns an id below zero.
constexpr uint64_t expand_message_id(const RecordNumberSplit& split, uint64_t id_low,
                                     uint64_t reference) {
  // PROTOCOL MUST-W14
  const uint64_t range = split.id_mask() + 1;
  const uint64_t half = range / 2;
  const uint64_t candidate = (reference & ~split.id_mask()) | id_low;
  if (candidate > reference && candidate - reference > half && candidate >= range) {
    return candidate - range;
  }
  if (candidate < reference && reference - candidate >= half && candidate <= ~range) {
    return candidate + range;
  }
  return candidate;
}

static_assert(RecordNumberSplit{}.valid());

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_RECORD_NUMBER_H_
