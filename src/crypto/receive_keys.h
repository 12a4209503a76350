// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_RECEIVE_KEYS_H_
#define SLUICE_CRYPTO_RECEIVE_KEYS_H_

#include <array>
#include <cstdint>

#include "base/types.h"
#include "crypto/aead.h"
#include "crypto/key_schedule.h"
#include "crypto/limits.h"
#include "crypto/primitives.h"
#include "crypto/replay_window.h"

namespace sluice::crypto {

// The receiving keys of one lane: the previous epoch's key for packets that were overtaken, the
// current one, and the next one, expanded beforehand so that a forged epoch number costs no key
// derivation. Owned by one lcore; allocates nothing; wipes what it holds.
class ReceiveKeys {
 public:
  ReceiveKeys() = default;
  ~ReceiveKeys() { clear(); }
  ReceiveKeys(const ReceiveKeys&) = delete;
  ReceiveKeys& operator=(const ReceiveKeys&) = delete;

  // Starts at epoch 0 with a lane secret. `primitives` and `backend` must outlive this object.
  // False when the backend lacks the algorithm; the object is then empty.
  bool install(const Primitives* primitives, AeadBackend* backend, AeadAlgorithm algorithm,
               const Secret& lane_secret);

  // Wipes everything. Jobs in flight must have completed.
  void clear();

  // The key for a packet's epoch (low 8 bits), nullptr when no key of that epoch is held. Changes
  // nothing. The pointer stays valid until on_verified() enters a new epoch a second time.
  [[gnu::always_inline]] const AeadKey* select(uint8_t epoch_low) const {
    uint64_t epoch = 0;
    return resolve(epoch_low, &epoch) ? &keys_[slot_of(epoch)] : nullptr;
  }

  // To be called after a tag verified under select(epoch_low). A first packet of the next epoch
  // makes that epoch current and starts the grace time of the one before.
  void on_verified(uint8_t epoch_low, base::Nanos now);

  // The highest epoch that verified; its low 8 bits are what bundles report to the peer.
  base::Epoch epoch() const { return base::Epoch(epoch_); }
  uint8_t epoch_low() const { return static_cast<uint8_t>(epoch_); }

  // Forgets the previous epoch's key once `grace` has passed since the current epoch began.
  void drop_previous(base::Nanos now, base::Nanos grace);
  bool holds_previous() const { return holds_previous_; }

  // To be called after an opening under select(epoch_low) failed. At the algorithm's limit the
  // previous key is dropped, while the current or next one exhausts the lane.
  void note_failed_open(uint8_t epoch_low) { note_failed_opens(epoch_low, 1); }
  // The same for several openings of one epoch at once, as a burst reports them.
  void note_failed_opens(uint8_t epoch_low, uint64_t count);

  // True at half the limit: SendKeys::request_update() on this side makes the peer follow.
  bool wants_update() const { return wants_update_; }
  // True when the limit is reached: no packet may be opened any more, the lane must be closed.
  bool exhausted() const { return exhausted_; }

  // Replay protection of the counter space. Counters run on across epochs: one window serves all.
  // Its bits are the caller's to lend.
  ReplayWindow& window() { return window_; }
  const ReplayWindow& window() const { return window_; }

 private:
  static constexpr uint32_t kSlots = 3;

  static uint32_t slot_of(uint64_t epoch) { return static_cast<uint32_t>(epoch % kSlots); }
  // The full epoch among the held ones that the low bits name; false when there is none.
  [[gnu::always_inline]] bool resolve(uint8_t epoch_low, uint64_t* epoch) const {
    if (backend_ == nullptr || exhausted_) return false;
    // PROTOCOL MUST-C5: held are epoch_ - 1 to epoch_ + 1, so the distance of the low bits decides.
    switch (static_cast<uint8_t>(epoch_low - this->epoch_low())) {
      case 0:
        *epoch = epoch_;
        return true;
      case 1:
        *epoch = epoch_ + 1;
        return true;
      case 0xFF:
        *epoch = epoch_ - 1;
        return holds_previous_;
      default:
        return false;
    }
  }
  bool expand_next();
  void note_wish();
  void discard(uint64_t epoch);

  // What every packet needs comes first, in one line of the cache.
  AeadBackend* backend_ = nullptr;
  const Primitives* primitives_ = nullptr;
  uint64_t epoch_ = 0;
  AeadAlgorithm algorithm_ = AeadAlgorithm::kNone;
  bool holds_previous_ = false;
  bool exhausted_ = false;
  bool wants_update_ = false;
  ReplayWindow window_;
  base::Nanos epoch_began_{};
  Secret ahead_secret_;  // Of epoch_ + 2: those of the epochs held are already gone.
  std::array<uint64_t, kSlots> failed_opens_{};  // Of each key, and
  std::array<AeadKey, kSlots> keys_;             // these by slot_of() their epochs.
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_RECEIVE_KEYS_H_
