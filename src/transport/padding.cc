// SPDX-License-Identifier: Apache-2.0
#include "transport/padding.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "wire/padding.h"

namespace sluice::transport {
namespace {

// Where the byte `offset` lands. In a stream's window, what follows it may wrap.
uint8_t* landing_place(const Incoming& in, uint32_t offset) {
  const uint32_t at = offset - in.lead;
  return in.memory + (in.window != 0 ? at & (in.window - 1) : at);
}

// The length is there: from now on it is known where the padding begins.
void learn(Exchange* exchange, const Incoming& in) {
  PaddedPart& part = exchange->cold->padded;
  if (part.content == 0 || part.content > part.length - in.lead) {
    part.fault = base::Code::kDataLoss;
  } else if (part.content > part.capacity) {
    part.fault = base::Code::kTooLarge;
  }
  const Reassembly* reassembly = exchange->in.reassembly;
  if (reassembly == nullptr) return;
  for (size_t i = 0; i < reassembly->received.size(); ++i) {
    check_landed(exchange, reassembly->received[i].begin, reassembly->received[i].end);
  }
}

}  // namespace

void start_padded(PaddedPart* part, const Incoming& in, uint32_t length) {
  part->length = length;
  part->content = 0;
  part->capacity = length - in.lead;
  part->seen = 0;
  part->fault = base::Code::kOk;
}

// PROTOCOL MUST-L3
void check_landed(Exchange* exchange, uint32_t offset, uint32_t end) {
  PaddedPart& part = exchange->cold->padded;
  const Incoming& in = exchange->in;
  if (!part.known() || part.fault != base::Code::kOk) return;
  // Nothing wraps here: a stream's window begins to move when the length is known.
  const uint32_t from = std::max(offset, in.lead + part.room());
  const uint32_t to = std::min(end, in.lead + part.capacity);
  if (from >= to) return;
  if (!wire::all_zeros({landing_place(in, from), to - from})) part.fault = base::Code::kDataLoss;
}

void land_padded(Exchange* exchange, Incoming* in, uint32_t offset, const uint8_t* bytes,
                 uint32_t length) {
  PaddedPart& part = exchange->cold->padded;
  const uint32_t end = offset + length;
  uint32_t at = offset;
  for (; at < std::min<uint32_t>(end, in->lead); ++at) {
    const auto bit = static_cast<uint8_t>(1u << at);
    if ((part.seen & bit) != 0) continue;
    part.content |= uint32_t{bytes[at - offset]} << (8 * (wire::kLengthPrefix - 1 - at));
    part.seen |= bit;
    if (part.known()) learn(exchange, *in);
  }
  const uint32_t lands = std::min(end, in->lead + part.room());
  while (at < lands) {
    uint8_t* const place = landing_place(*in, at);
    uint32_t size = lands - at;
    if (in->window != 0) {
      size = std::min(size, static_cast<uint32_t>(in->memory + in->window - place));
    }
    std::memcpy(place, bytes + (at - offset), size);
    at += size;
  }
  // PROTOCOL MUST-L3. As long as the length is not known, only named memory ends before the message
  // does: this is content that has no room there.
  if (part.fault != base::Code::kOk) return;
  if (at < end && !wire::all_zeros({bytes + (at - offset), end - at})) {
    part.fault = part.known() ? base::Code::kDataLoss : base::Code::kTooLarge;
  }
}

}  // namespace sluice::transport
