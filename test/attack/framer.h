// SPDX-License-Identifier: Apache-2.0
//
// Between Ethernet frames and Sluice packets, for an attacker on a cable: it learns from the frames
// that pass how each side is reached, and frames forgeries the same way, also in other hosts'
// names.
#ifndef SLUICE_TEST_ATTACK_FRAMER_H_
#define SLUICE_TEST_ATTACK_FRAMER_H_

#include <optional>
#include <span>

#include "packet.h"
#include "wire/frame.h"
#include "wire/neighbour.h"

namespace sluice::attack {

// What a frame holds, ESP included, whatever its IP checksum.
wire::ParsedFrame parse(std::span<const uint8_t> frame);

class Framer {
 public:
  // The packet in a frame that goes this way, if it is Sluice's: over UDP, as an IP protocol of its
  // own, or in the form of ESP.
  std::optional<Packet> read(Way way, std::span<const uint8_t> frame);
  // Whether a frame has gone this way, so that one can be made.
  bool knows(Way way) const { return paths_[index(way)].has_value(); }
  // The frame that brings the packet to its receiver as the honest sender's. What goes as ESP takes
  // the addresses of the handshake before it.
  Bytes frame(const Packet& packet) const;
  // The same from another address and port, whose answers come to `mac`.
  Bytes frame_from(const wire::MacAddress& mac, const wire::IpAddress& source, uint16_t port,
                   const Packet& packet) const;
  // Where frames of this way go.
  wire::IpAddress destination(Way way) const { return paths_[index(way)]->path.destination; }

 private:
  struct Learned {
    wire::FramePath path;
    uint16_t source_port = 0;
  };
  static size_t index(Way way) { return static_cast<size_t>(way); }

  std::optional<Learned> paths_[2];
};

// The answer to an ARP request for `address`, which `mac` has; nothing to any other frame.
std::optional<Bytes> arp_answer(std::span<const uint8_t> frame, const wire::IpAddress& address,
                                const wire::MacAddress& mac);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_FRAMER_H_
