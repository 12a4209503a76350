// SPDX-License-Identifier: Apache-2.0
//
// Altering: every field of every header in turn. The tables name the fields of wire/header.h and
// wire/record_packet.h by their offsets and must cover each header without a gap, so that a header
// that grows, or a field that is cut out of another, does not compile before it is named here.
#ifndef SLUICE_TEST_ATTACK_FIELDS_H_
#define SLUICE_TEST_ATTACK_FIELDS_H_

#include <span>
#include <vector>

#include "packet.h"

namespace sluice::attack {

struct Field {
  const char* name;
  size_t offset;
  size_t size;
};

// The fields of a packet of this type, in their order, from byte 0 to the header's end; empty for
// a type that is none.
std::span<const Field> header_fields(uint8_t type);
// The same of packets of ESP: what is in clear, which is all that stands for a header.
std::span<const Field> esp_fields();

// The packet with one field changed: each bit of it by itself; all zeros; all ones; one more; one
// less. Only changes are returned, and none of them twice.
std::vector<Forgery> alter_fields(const Packet& packet);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_FIELDS_H_
