// SPDX-License-Identifier: Apache-2.0
//
// What an attacker has in hand: a Sluice packet, from the common header on, and which way it goes.
// The attacks of this folder do no I/O, read no clock and hold no key: a program that sits on the
// path, simulated or real, gives them what it sees and sends what they return.
#ifndef SLUICE_TEST_ATTACK_PACKET_H_
#define SLUICE_TEST_ATTACK_PACKET_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wire/esp.h"
#include "wire/header.h"

namespace sluice::attack {

using Bytes = std::vector<uint8_t>;

enum class Way : uint8_t { kToServer = 0, kToClient = 1 };

constexpr Way reverse(Way way) { return way == Way::kToServer ? Way::kToClient : Way::kToServer; }

struct Packet {
  Way way = Way::kToServer;
  Bytes bytes;
  bool esp = false;  // Of IP protocol 50 (wire/esp.h): from its SPI on, with no common header.
};

// A packet that an attack made, and in words what is wrong with it.
struct Forgery {
  Packet packet;
  std::string what;
};

inline bool has_header(const Bytes& bytes) { return bytes.size() >= wire::kCommonHeaderSize; }

// The type byte; 0, which no type has, where there is no header.
inline uint8_t type_byte(const Bytes& bytes) {
  return has_header(bytes) ? bytes[wire::offsets::kType] : 0;
}

inline bool is_type(const Bytes& bytes, wire::PacketType type) {
  return type_byte(bytes) == static_cast<uint8_t>(type);
}

// Bytes before the first that is sealed, or the header where nothing is; at most the packet's.
size_t clear_size(const Bytes& bytes);
inline size_t clear_size(const Packet& packet) {
  return packet.esp ? std::min(wire::kEspHeaderSize, packet.bytes.size())
                    : clear_size(packet.bytes);
}

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_PACKET_H_
