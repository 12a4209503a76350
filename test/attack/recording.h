// SPDX-License-Identifier: Apache-2.0
//
// Reading: what went by, kept by way and type for the attacks that need something true to start
// from. Bounded, the oldest packet of a kind makes room.
#ifndef SLUICE_TEST_ATTACK_RECORDING_H_
#define SLUICE_TEST_ATTACK_RECORDING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "packet.h"

namespace sluice::attack {

class Recording {
 public:
  // `kept`: packets of each way and type.
  explicit Recording(size_t kept = 4096) : kept_(kept) {}

  void read(const Packet& packet);

  // All that is kept, oldest first.
  std::vector<Packet> all() const;
  // Those of one way and type, oldest first.
  std::vector<Packet> of(Way way, wire::PacketType type) const;
  // The latest of each way and type, and the longest where that is another one.
  std::vector<Packet> samples() const;
  // The latest sealed packets (DATA, BUNDLE, RECORD) of each way, at most `most` of each kind.
  std::vector<Packet> sealed(size_t most) const;
  // The latest packets of ESP of each way, at most `most`.
  std::vector<Packet> esp(size_t most) const;
  uint64_t packets() const { return next_; }

 private:
  struct Kept {
    uint64_t number;
    Bytes bytes;
  };
  static constexpr size_t kTypes = 7;  // As PacketType counts them; 0 is for all others,
  static constexpr size_t kEsp = 6;    // and this one for ESP.

  static size_t slot_of(const Packet& packet);
  const std::deque<Kept>& at(Way way, size_t slot) const {
    return kept_packets_[static_cast<size_t>(way) * kTypes + slot];
  }

  size_t kept_;
  uint64_t next_ = 0;
  std::array<std::deque<Kept>, 2 * kTypes> kept_packets_;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_RECORDING_H_
