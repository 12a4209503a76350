// SPDX-License-Identifier: Apache-2.0
//
// The two halves of at-most-once execution (DESIGN §3.9): a caller's dense ids and the floor it
// tells, and the callee's memory of which ids above that floor it has seen.
#ifndef SLUICE_TRANSPORT_ID_WINDOW_H_
#define SLUICE_TRANSPORT_ID_WINDOW_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"
#include "base/prefetch.h"

namespace sluice::transport {

// A ring of bits over the ids [base, base + size), size a power of two. Its words are lent to it:
// without them all bits are zero, and none can be set.
class IdBits {
 public:
  explicit IdBits(uint32_t size) : mask_(size - 1) {
    SLUICE_CHECK(size >= 64 && size <= kMost && (size & (size - 1)) == 0);
  }

  // size() / 64 words, all zero, for as long as it has them; null takes them back, which have to be
  // zero again where another ring is to have them.
  void lend(uint64_t* words) { words_ = words == nullptr ? nobodys() : words; }

  uint32_t size() const { return mask_ + 1; }
  void prefetch(uint64_t id) const { base::prefetch(&words_[word(id)]); }
  bool test(uint64_t id) const { return (words_[word(id)] >> (id & 63)) & 1; }
  void set(uint64_t id) {
    SLUICE_DCHECK(words_ != nobodys());
    words_[word(id)] |= uint64_t{1} << (id & 63);
  }
  // Of a bit that is set.
  void clear(uint64_t id) { words_[word(id)] &= ~(uint64_t{1} << (id & 63)); }
  void clear_all();
  // The 64 bits from the multiple of 64 at or below `id` on, and more of them to be set.
  uint64_t word_at(uint64_t id) const { return words_[word(id)]; }
  void set_word(uint64_t id, uint64_t bits) { words_[word(id)] |= bits; }

 private:
  static constexpr uint32_t kMost = base::limits::kMaxIdsAboveFloor;

  // All zero, and in read-only memory; so that looking at a bit asks no question first.
  static uint64_t* nobodys() { return const_cast<uint64_t*>(kNobodys.data()); }
  size_t word(uint64_t id) const { return static_cast<size_t>((id & mask_) >> 6); }

  static constexpr std::array<uint64_t, kMost / 64> kNobodys{};

  uint32_t mask_;
  uint64_t* words_ = nobodys();
};

// The ids that this side gives to its own calls on one lane. Ids are dense from 1. An id is
// released when its call has completed; floor() is the lowest id not yet released.
class OwnIds {
 public:
  // `window`: how many ids may lie between the floor and the next one; a power of two.
  explicit OwnIds(uint32_t window) : done_(window), told_(window) {}

  // The words of its two rings (IdBits::lend), needed from the first take() until at_rest().
  void lend(uint64_t* done, uint64_t* told) {
    done_.lend(done);
    told_.lend(told);
  }
  // Every id is released: all bits are zero.
  bool at_rest() const { return floor_ == next_; }
  void reset();
  bool full() const { return next_ - floor_ >= done_.size(); }
  uint64_t take() {  // Not to be called when full(). PROTOCOL MUST-T11: dense.
    SLUICE_CHECK(!full());
    return next_++;
  }
  void release(uint64_t id);
  uint64_t floor() const { return floor_; }
  uint64_t next() const { return next_; }

  // True when the peer may not have heard of a release: `told_floor` is what it was last sent.
  bool has_news(uint64_t told_floor) const { return floor_ != told_floor || released_above_ > 0; }

  // The next run [first, first + count) of ids released above the floor that the peer was not told
  // of, at or after `from`; count 0 when there is none. Marks the run as told.
  struct Run {
    uint64_t first = 0;
    uint32_t count = 0;
  };
  Run next_untold(uint64_t from);
  // Forgets what was told, so that everything is announced again (the announcement may be lost).
  void tell_again() { told_.clear_all(); }

 private:
  uint64_t next_ = 1;
  uint64_t floor_ = 1;
  uint64_t released_above_ = 0;  // Released ids above the floor.
  IdBits done_;
  IdBits told_;
};

// The ids that the peer gave to its calls, seen from the callee. Exact, not a time window: an id
// at or above the floor was either seen or not, and one below it is finished.
class PeerIds {
 public:
  explicit PeerIds(uint32_t window) : seen_(window), released_(window) {}

  // The words of its two rings (IdBits::lend), needed from the first commit() or release() until
  // at_rest().
  void lend(uint64_t* seen, uint64_t* released) {
    seen_.lend(seen);
    released_.lend(released);
  }
  // Nothing above the floor was seen or released: all bits are zero.
  bool at_rest() const { return highest_ < floor_; }

  // No caller gets so far: a thousand million calls a second would take a century.
  static constexpr uint64_t kMaxId = uint64_t{1} << 62;

  enum class Class : uint8_t {
    kNew,     // Never seen: may execute once.
    kSeen,    // Seen; the exchange table knows more, or it is finished.
    kBelow,   // Under the floor: its caller no longer cares.
    kTooFar,  // Beyond the window: cannot be remembered, so cannot be let in.
  };

  void reset();
  Class classify(uint64_t id) const {  // PROTOCOL MUST-T11, MUST-T12
    if (id < floor_) return Class::kBelow;
    if (id - floor_ >= seen_.size()) return Class::kTooFar;
    return seen_.test(id) ? Class::kSeen : Class::kNew;
  }
  // Remembers a new id, after its packet verified. Only for ids that classify() calls kNew.
  void commit(uint64_t id);
  // Moves the floor up to `floor`, calling f(id) for each seen id that is now released. It may leap
  // over any number of ids that were never seen: a caller's calls can all have ended in a silence.
  // A floor that no caller can reach is a protocol error: returns false.
  template <typename F>
  bool raise_floor(uint64_t floor, F&& f) {
    if (floor <= floor_) return true;
    if (floor > kMaxId) return false;                             // PROTOCOL MUST-T13
    const uint64_t end = std::min(floor, floor_ + seen_.size());  // Beyond it nothing was seen.
    while (floor_ < end) {
      const uint64_t id = floor_++;
      if (seen_.test(id)) {
        seen_.clear(id);
        if (any_released_) released_.clear(id);
        f(id);
      }
    }
    floor_ = floor;
    if (highest_ < floor_ - 1) highest_ = floor_ - 1;
    return true;
  }
  // The caller released the ids [first, first + count): calls f(id) for each that was seen, once
  // for each id however often its release is repeated. One that was not seen yet counts as seen
  // from now on. Costs a few steps for 64 ids. Ids outside the window are left alone.
  template <typename F>
  void release(uint64_t first, uint32_t count, F&& f) {
    const uint64_t end = first > kMaxId ? 0 : std::min(first + count, floor_ + seen_.size());
    uint64_t id = std::max(first, floor_);
    if (id >= end) return;
    highest_ = std::max(highest_, end - 1);
    any_released_ = true;
    while (id < end) {
      const uint64_t base = id & ~uint64_t{63};
      const uint64_t from = ~uint64_t{0} << (id - base);
      const uint64_t upto = end - base >= 64 ? ~uint64_t{0} : ~(~uint64_t{0} << (end - base));
      const uint64_t fresh = from & upto & ~released_.word_at(id);
      uint64_t told = fresh & seen_.word_at(id);
      released_.set_word(id, fresh);
      seen_.set_word(id, fresh);
      for (; told != 0; told &= told - 1) f(base + static_cast<uint64_t>(std::countr_zero(told)));
      id = base + 64;
    }
  }
  // Starts to load the line that remembers whether `id` was seen.
  void prefetch(uint64_t id) const { seen_.prefetch(id); }
  uint64_t floor() const { return floor_; }
  uint64_t highest() const { return highest_; }
  uint32_t window() const { return seen_.size(); }

 private:
  uint64_t floor_ = 1;
  uint64_t highest_ = 0;
  bool any_released_ = false;
  IdBits seen_;
  IdBits released_;  // Of those seen, the ones whose release was told.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_ID_WINDOW_H_
