// SPDX-License-Identifier: Apache-2.0
#include "crypto/receive_keys.h"

#include "base/check.h"

namespace sluice::crypto {

bool ReceiveKeys::install(const Primitives* primitives, AeadBackend* backend,
                          AeadAlgorithm algorithm, const Secret& lane_secret) {
  clear();
  primitives_ = primitives;
  backend_ = backend;
  algorithm_ = algorithm;
  if (!backend->supports(algorithm) ||
      !derive_epoch_key(*primitives, backend, algorithm, lane_secret, &keys_[0])) {
    clear();
    return false;
  }
  derive_next_epoch_secret(*primitives, lane_secret, &ahead_secret_);
  if (!expand_next()) {
    clear();
    return false;
  }
  return true;
}

void ReceiveKeys::clear() {
  if (backend_ != nullptr) {
    for (AeadKey& key : keys_) backend_->discard_key(&key);
  }
  failed_opens_ = {};
  ahead_secret_.wipe();
  backend_ = nullptr;
  primitives_ = nullptr;
  algorithm_ = AeadAlgorithm::kNone;
  holds_previous_ = false;
  exhausted_ = false;
  wants_update_ = false;
  epoch_ = 0;
  epoch_began_ = {};
  window_ = {};
}

void ReceiveKeys::on_verified(uint8_t epoch_low, base::Nanos now) {
  uint64_t epoch = 0;
  // Within a burst the key may have been selected before another packet moved the epoch on.
  if (!resolve(epoch_low, &epoch) || epoch <= epoch_) return;
  if (holds_previous_) discard(epoch_ - 1);
  epoch_ = epoch;
  epoch_began_ = now;
  holds_previous_ = true;
  // Cannot fail: the same backend expanded a key of this algorithm before.
  SLUICE_CHECK(expand_next());
}

void ReceiveKeys::drop_previous(base::Nanos now, base::Nanos grace) {
  if (!holds_previous_ || now < base::after(epoch_began_, grace)) return;
  discard(epoch_ - 1);
  holds_previous_ = false;
}

void ReceiveKeys::note_failed_opens(uint8_t epoch_low, uint64_t count) {
  uint64_t epoch = 0;
  if (!resolve(epoch_low, &epoch)) return;
  uint64_t& failed = failed_opens_[slot_of(epoch)];
  failed += count;  // PROTOCOL MUST-C8
  note_wish();
  if (failed < max_failed_opens(algorithm_)) return;
  if (epoch < epoch_) {
    discard(epoch);
    holds_previous_ = false;
  } else {
    exhausted_ = true;
  }
}

// Kept, so that a packet that opens asks for no line of the cache but the first.
void ReceiveKeys::note_wish() {
  const uint64_t half = max_failed_opens(algorithm_) / 2;
  wants_update_ =
      failed_opens_[slot_of(epoch_)] >= half || failed_opens_[slot_of(epoch_ + 1)] >= half;
}

bool ReceiveKeys::expand_next() {
  const uint32_t slot = slot_of(epoch_ + 1);
  failed_opens_[slot] = 0;
  if (!derive_epoch_key(*primitives_, backend_, algorithm_, ahead_secret_, &keys_[slot])) {
    return false;
  }
  derive_next_epoch_secret(*primitives_, ahead_secret_, &ahead_secret_);
  note_wish();
  return true;
}

// PROTOCOL MUST-C11
void ReceiveKeys::discard(uint64_t epoch) { backend_->discard_key(&keys_[slot_of(epoch)]); }

}  // namespace sluice::crypto
