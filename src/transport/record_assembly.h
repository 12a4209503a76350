// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_RECORD_ASSEMBLY_H_
#define SLUICE_TRANSPORT_RECORD_ASSEMBLY_H_

#include <cstddef>
#include <cstdint>

#include "base/aligned_array.h"
#include "base/interval_set.h"
#include "base/intrusive_list.h"
#include "base/limits.h"
#include "base/slab.h"
#include "wire/record_packet.h"

namespace sluice::transport {

struct Lane;

// A record of record mode of which some packets have arrived. Nothing of it is verified: it is held
// here, and nowhere else, until it is whole and has opened.
struct Gathering {
  Lane* lane = nullptr;
  uint64_t number = 0;
  uint32_t length = 0;     // Of the record, in bytes.
  bool congested = false;  // One of its packets arrived with CE.
  uint8_t* bytes = nullptr;
  base::IntervalSet<base::limits::kMaxRecordPieces> arrived;
  base::ListNode of_lane;
  base::ListNode by_age;
  uint8_t header[wire::kRecordHeaderSize];  // Of the record's first packet, which may be forged.

  bool whole() const { return arrived.total() == length; }
};

// Newest first.
using LaneGatherings = base::IntrusiveList<Gathering, &Gathering::of_lane>;

// Gathers the packets of records, within a budget of bytes that anybody on the path may fill: the
// endpoint's as a whole, and a share of it for each lane. Where it is used up the oldest record,
// of the lane if that has its share, makes room; its sender is asked for it in packet mode, which
// needs no such memory. Owned by one endpoint; allocates nothing after construction.
class RecordAssembly {
 public:
  // `budget`: bytes of ciphertext that may be held.
  explicit RecordAssembly(uint64_t budget);

  enum class Outcome : uint8_t {
    kTaken,
    kWhole,      // Its last missing part has come: open it, then release().
    kDuplicate,  // All or some of the part is there.
    kMismatch,   // Another packet of this number has another header.
    kPieces,     // It would be one piece too many.
  };
  struct Result {
    Outcome outcome = Outcome::kTaken;
    bool displaced = false;  // An older record had to make room.
    Gathering* record = nullptr;
  };
  // Takes a packet of a lane in. `congested`: it arrived with CE.
  Result add(Lane& lane, const wire::RecordView& packet, bool congested);

  void release(Gathering& record);
  // Releases all of them: the lane is going away.
  void release_all(Lane& lane);

  uint32_t in_use() const { return records_.in_use(); }
  uint32_t capacity() const { return records_.capacity(); }

 private:
  // Rounded up, so that each begins a cache line.
  static constexpr size_t kStride = (wire::kMaxRecordSize + 63) / 64 * 64;

  Gathering* find(Lane& lane, uint64_t number, uint8_t epoch);
  Gathering* begin(Lane& lane, const wire::RecordView& packet, bool* displaced);

  base::Slab<Gathering> records_;
  base::AlignedArray<uint8_t> bytes_;
  base::IntrusiveList<Gathering, &Gathering::by_age> ages_;  // Oldest first.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_RECORD_ASSEMBLY_H_
