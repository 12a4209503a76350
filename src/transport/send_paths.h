// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_SEND_PATHS_H_
#define SLUICE_TRANSPORT_SEND_PATHS_H_

#include <array>
#include <cstdint>

#include "base/prng.h"
#include "wire/header.h"

namespace sluice::transport {

// The ways of a lane's packets through a network that chooses by UDP source port (ECMP), as their
// sender keeps them: a few entropies that are used in equal parts, until the peer says of one that
// it brings too little (PathJudge) and another is drawn in its place. Good ones so stay in use, as
// in REPS ("Recycled Entropy Packet Spraying", arXiv 2407.21625), whose cache is fed by ACKs.
class SendPaths {
 public:
  static constexpr uint32_t kCount = wire::kPaths;

  // Draws all of them anew.
  void start(base::Prng* prng);

  // The path of the next packet: each once in every kCount packets, in an order drawn for these, so
  // that messages which send in turn do not have paths of their own.
  uint8_t next(base::Prng* prng);

  uint16_t entropy(uint8_t path) const { return entropies_[path]; }

  // Draws another entropy for each path in `paths`, a set of 1 << path, and returns how many. One
  // that is known to be good is not used for them: if it died as well, all would be on it.
  uint32_t replace(uint16_t paths, base::Prng* prng);

 private:
  std::array<uint16_t, kCount> entropies_{};
  uint8_t turn_ = 0;
  uint8_t stride_ = 1;  // Odd, so that kCount steps meet every path.
  uint8_t offset_ = 0;
};

// Which paths the latest kCount records of a message took, the last of them at `newest`.
class PathTrail {
 public:
  void note(uint32_t record, uint8_t path) {
    const uint32_t shift = 4 * (record % SendPaths::kCount);
    paths_ = (paths_ & ~(uint64_t{0xf} << shift)) | uint64_t{path} << shift;
  }
  // As a set, those of the records [first, end) that are still known.
  uint16_t taken(uint32_t first, uint32_t end, uint32_t newest) const;

 private:
  uint64_t paths_ = 0;  // Four bits a record.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_SEND_PATHS_H_
