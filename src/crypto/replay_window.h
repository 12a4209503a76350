// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_REPLAY_WINDOW_H_
#define SLUICE_CRYPTO_REPLAY_WINDOW_H_

#include <array>
#include <cstdint>

#include "base/limits.h"
#include "base/prefetch.h"

namespace sluice::crypto {

// A sliding window over the counters of one lane and direction. check() mutates nothing, so it runs
// before the tag is verified; commit() follows only after. Counters are the low 63 bits of record
// numbers of the counter space (wire::counter_of). Its bits are lent to it, and a lane that rests
// gives them back: what was not committed until then is refused from then on, as if it had come.
// Not thread-safe: one lcore owns it.
class ReplayWindow {
 public:
  // Counters below next() that are still told apart; older ones are refused.
  static constexpr uint32_t kBits = base::limits::kReplayWindowBits;
  using Bits = std::array<uint64_t, kBits / 64>;

  // `bits`, whatever they hold, are the window's until detach(), and must be there to commit().
  void attach(Bits* bits) {
    bits_ = bits;
    base_ = next_;
  }
  void detach() {
    bits_ = nullptr;
    base_ = next_;
  }

  // True when `counter` has not been committed and is not older than the window (PROTOCOL
  // MUST-C10).
  bool check(uint64_t counter) const {
    if (counter >= next_) return true;
    if (counter < base_ || next_ - counter > kBits) return false;
    return ((*bits_)[word_of(counter)] & bit_of(counter)) == 0;
  }

  // Starts to load the line that says so.
  void prefetch(uint64_t counter) const {
    if (bits_ != nullptr) base::prefetch(&(*bits_)[word_of(counter)]);
  }

  // Marks a counter for which check() is true; moves the window when it is the highest so far.
  void commit(uint64_t counter) {
    if (counter >= next_) advance_to(counter);
    (*bits_)[word_of(counter)] |= bit_of(counter);
  }

  // One above the highest counter committed, 0 when there is none.
  uint64_t next() const { return next_; }

 private:
  static constexpr uint32_t kWords = kBits / 64;
  static_assert((kBits & (kBits - 1)) == 0 && kBits >= 64);

  static uint32_t word_of(uint64_t counter) { return static_cast<uint32_t>(counter / 64) % kWords; }
  static uint64_t bit_of(uint64_t counter) { return uint64_t{1} << (counter % 64); }

  // Clears what the window slides over. Bits of counters in [next_, counter] leave the old range.
  void advance_to(uint64_t counter) {
    if (counter - next_ >= kBits) {
      bits_->fill(0);
    } else {
      for (uint64_t n = next_; n <= counter;) {
        if (n % 64 == 0 && counter - n >= 63) {
          (*bits_)[word_of(n)] = 0;
          n += 64;
        } else {
          (*bits_)[word_of(n)] &= ~bit_of(n);
          ++n;
        }
      }
    }
    next_ = counter + 1;
  }

  Bits* bits_ = nullptr;
  uint64_t next_ = 0;
  uint64_t base_ = 0;  // Counters below this are refused: they are older than the bits.
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_REPLAY_WINDOW_H_
