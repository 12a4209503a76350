// SPDX-License-Identifier: Apache-2.0
//
// Looks at every packet that the fault machine's endpoints send, and remembers enough of each to
// know later whether a packet that was let in had ever been sent.
#ifndef SLUICE_SIM_FAULT_WATCH_H_
#define SLUICE_SIM_FAULT_WATCH_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace sluice::sim {

// What payloads of the fault machine begin every 64 bytes with; it may never be seen on the wire.
inline constexpr uint8_t kPlaintextMarker[8] = {'p', 'l', 'a', 'i', 'n', '!', 0xa5, 0x5a};

class FaultWatch {
 public:
  // An endpoint has sent a packet.
  void inspect(int from, std::span<const uint8_t> bytes);
  // The same, as ESP: all that can be seen is what no IPsec may do either.
  void inspect_esp(int from, std::span<const uint8_t> bytes);

  // All messages are to be padded to buckets.
  void expect_padding() { padded_ = true; }

  // What is known of a packet that arrives at side `to`.
  struct Arrival {
    uint64_t digest = 0;
    bool bundle = false;
    // Whether to let it in would break a promise: the other side never sent it, or it is a bundle
    // that was let in before.
    bool wrong = false;
  };
  Arrival examine(int to, std::span<const uint8_t> bytes, bool esp = false) const;
  // The endpoint has let it in.
  void note_accepted(const Arrival& arrival) {
    if (arrival.bundle) accepted_.insert(arrival.digest);
  }

  // Records of several packets that began.
  uint64_t records() const { return records_.size(); }
  uint64_t esp() const { return esp_; }  // Packets of ESP.
  // Of all packets, in their order.
  uint64_t hash() const { return hash_; }
  // The first promise that a packet broke, in words; empty while there is none: a record number
  // sealed twice under one key, a plaintext marker in clear, bytes beyond the grant, an UNKNOWN for
  // a call that its sender had shown to know, a length that is no bucket.
  const std::string& violation() const { return violation_; }

 private:
  static uint64_t digest(int to, std::span<const uint8_t> bytes);
  void inspect_number(std::span<const uint8_t> bytes);
  void inspect_data(std::span<const uint8_t> bytes);
  void inspect_record(std::span<const uint8_t> bytes);
  void inspect_bundle(std::span<const uint8_t> bytes);
  void inspect_length(uint64_t length);
  void accuse(const char* what) {
    if (violation_.empty()) violation_ = what;
  }

  // A record of several packets: its header, and how much of it has been sent.
  struct Record {
    uint64_t header = 0;
    uint32_t sent = 0;
  };

  bool padded_ = false;
  uint64_t hash_ = 0;
  uint64_t esp_ = 0;
  absl::flat_hash_set<uint64_t> numbers_;          // Record numbers seen, by a hash with their key.
  absl::flat_hash_map<uint64_t, Record> records_;  // By the same.
  absl::flat_hash_set<uint64_t> sent_;             // Digests of all packets.
  absl::flat_hash_set<uint64_t> accepted_;         // Digests of the bundles that were let in.
  absl::flat_hash_set<uint64_t> known_;            // Calls that their callee has shown to know.
  std::string violation_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_WATCH_H_
