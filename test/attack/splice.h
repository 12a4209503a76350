// SPDX-License-Identifier: Apache-2.0
//
// Splicing: parts of several packets, messages and records made into one.
#ifndef SLUICE_TEST_ATTACK_SPLICE_H_
#define SLUICE_TEST_ATTACK_SPLICE_H_

#include <vector>

#include "packet.h"

namespace sluice::attack {

// The header of one packet with what is sealed in another; the tag of one under another; the
// frames of one bundle in another; and a message's bytes at another offset, in another message,
// under another number. Of packets that go the same way.
std::vector<Forgery> splice_packets(const std::vector<Packet>& packets);

// Packets of ESP: each with what another has in clear, or sealed.
std::vector<Forgery> splice_esp(const std::vector<Packet>& packets);

// Packets of records of several packets (record mode): a piece of one record in another, pieces
// exchanged within a record, a piece twice with other bytes, a record's end in the place of its
// middle.
std::vector<Forgery> splice_records(const std::vector<Packet>& packets);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_SPLICE_H_
