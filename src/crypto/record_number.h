// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_RECORD_NUMBER_H_
#define SLUICE_CRYPTO_RECORD_NUMBER_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "wire/record_number.h"

namespace sluice::crypto {

// The format of record numbers is wire/record_number.h; here is what keeps them from repeating.

// Hands out attempts for the records of one message part so that no (attempt, index) recurs within
// an epoch. The sender keeps one per message it sends. Attempt 0 takes the indices in rising order;
// a resend opens the next attempt only where it steps back, so that repairing many gaps from the
// front to the back costs one attempt and not one per gap.
struct AttemptCursor {
  // The low bits of the epoch that the fields below speak of. Should one with the same come while
  // they stand, it takes later attempts than it needs, and none twice.
  uint16_t epoch = 0;
  uint16_t attempt = 0;      // Highest attempt opened so far.
  uint32_t fresh_next = 0;   // Lowest index that attempt 0 has not used.
  uint32_t resend_next = 0;  // Lowest index that `attempt` has not used.

  // The attempt under which `index` is to be sealed now; nullopt when the attempts of this epoch
  // have run out, in which case the message continues in the next epoch.
  std::optional<uint32_t> take(uint64_t current_epoch, uint32_t index, uint32_t max_attempt) {
    if (!speaks_of(current_epoch)) {
      *this = AttemptCursor{.epoch = static_cast<uint16_t>(current_epoch)};
    }
    if (index >= fresh_next) {
      fresh_next = index + 1;
      return 0;
    }
    if (attempt == 0 || index < resend_next) {
      if (attempt == max_attempt) return std::nullopt;
      ++attempt;
    }
    resend_next = index + 1;
    return attempt;
  }

  // Bytes that went under other indices are sent again under this one, for which take() is to open
  // a later attempt.
  void note_sent(uint64_t current_epoch, uint32_t index) {
    if (speaks_of(current_epoch)) fresh_next = std::max(fresh_next, index + 1);
  }
  // The lowest index that take() gives the first attempt to.
  uint32_t next(uint64_t current_epoch) const { return speaks_of(current_epoch) ? fresh_next : 0; }
  bool speaks_of(uint64_t current_epoch) const {
    return epoch == static_cast<uint16_t>(current_epoch);
  }
};

// Watches that the message ids sealed in one epoch and one role (initiator bit) fit the id field,
// so that no two of them share its low bits.
class IdWindow {
 public:
  // False when `id` lies so far from another id of this epoch that they could collide.
  bool admit(uint64_t id, uint64_t id_mask) {
    const uint64_t lowest = empty_ ? id : std::min(lowest_, id);
    const uint64_t highest = empty_ ? id : std::max(highest_, id);
    if (highest - lowest > id_mask) return false;
    lowest_ = lowest;
    highest_ = highest;
    empty_ = false;
    return true;
  }

 private:
  uint64_t lowest_ = 0;
  uint64_t highest_ = 0;
  bool empty_ = true;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_RECORD_NUMBER_H_
