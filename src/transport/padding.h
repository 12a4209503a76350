// SPDX-License-Identifier: Apache-2.0
//
// How the bytes of a padded message land (PROTOCOL.md §19). Offsets, lengths and ranges everywhere
// else are those of the padded message; its content alone lies in the landing memory, from its
// first byte on, so that an application that names memory needs room for the content and no more.
// The bytes of the length before it are kept in the exchange, and those behind it are looked at
// and kept nowhere.
//
// `in` is where the message lands: the exchange's own, or what was reserved for its beginning.
#ifndef SLUICE_TRANSPORT_PADDING_H_
#define SLUICE_TRANSPORT_PADDING_H_

#include <cstdint>

#include "transport/exchange.h"

namespace sluice::transport {

// Nothing of the message, of `length` bytes, has arrived yet.
void start_padded(PaddedPart* part, const Incoming& in, uint32_t length);

// Whether the bytes [offset, end) of a message may be opened where they land: none of them is of
// the length or, as far as is known, of the padding.
inline bool lands_whole(const Exchange& exchange, const Incoming& in, uint32_t offset,
                        uint32_t end) {
  return in.lead == 0 || (offset >= in.lead && end <= in.lead + exchange.cold->padded.room());
}

// What came of it breaks PROTOCOL MUST-L3.
inline bool spoilt(const Exchange& exchange) {
  return exchange.in.lead != 0 && exchange.cold->padded.fault != base::Code::kOk;
}

// Puts the verified bytes [offset, offset + length) where they belong, and takes note of the
// content's length when it is complete. Tells PaddedPart::fault of what is wrong.
void land_padded(Exchange* exchange, Incoming* in, uint32_t offset, const uint8_t* bytes,
                 uint32_t length);

// The same for bytes that were opened where they land, before it was known that there is padding
// among them.
void check_landed(Exchange* exchange, uint32_t offset, uint32_t end);

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_PADDING_H_
