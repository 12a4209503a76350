// SPDX-License-Identifier: Apache-2.0
#include "crypto/send_keys.h"

#include <span>

#include "base/check.h"
#include "wire/esp.h"

namespace sluice::crypto {
namespace {

constexpr uint32_t kBlockSize = 16;  // Bytes of a cipher block.
// Blocks beyond the data: the one that masks the tag, and the lengths. Data and associated data
// are counted in one sum, which one more block makes an upper bound.
constexpr uint32_t kBlocksBesideData = 3;
// The fewest blocks that a packet in the form of ESP is charged: a BUNDLE's header and a frame.
constexpr uint32_t kEspBlocksMin =
    (wire::kBundleHeaderSize + 1) / kBlockSize + kBlocksBesideData + kEspExtraBlocks;
static_assert(kMaxSealedBlocks / kEspBlocksMin < UINT32_MAX, "a sequence number would come twice");

}  // namespace

bool SendKeys::install(const Primitives* primitives, AeadBackend* backend, AeadAlgorithm algorithm,
                       const Secret& lane_secret, const wire::RecordNumberSplit& split,
                       const InlinePlace& place) {
  clear();
  place_ = place;
  primitives_ = primitives;
  backend_ = backend;
  algorithm_ = algorithm;
  split_ = split;
  if (split.valid() && backend->supports(algorithm) && derive_into(0, 0, lane_secret)) return true;
  clear();
  return false;
}

void SendKeys::clear() {  // PROTOCOL MUST-C11
  if (backend_ != nullptr) {
    for (AeadKey& key : keys_) backend_->discard_key(&key);
  }
  for (uint32_t slot = 0; slot < contexts_.size(); ++slot) take_from_port(slot);
  place_ = {};
  next_secret_.wipe();
  backend_ = nullptr;
  primitives_ = nullptr;
  algorithm_ = AeadAlgorithm::kNone;
  active_ = 0;
  epoch_ = 0;
  next_counter_ = 0;
  sealed_blocks_ = 0;
  peer_has_epoch_ = false;
  update_requested_ = false;
  id_windows_ = {};
#ifdef SLUICE_DEBUG_NUMBERS
  recorder_.reset();
#endif
}

std::optional<uint64_t> SendKeys::message_number(bool initiator, uint64_t id, uint32_t index,
                                                 AttemptCursor* cursor) {
  if (index > split_.max_index()) return std::nullopt;
  if (!id_windows_[initiator ? 1 : 0].admit(id, split_.id_mask())) {
    update_requested_ = true;
    return std::nullopt;
  }
  // PROTOCOL MUST-C2, MUST-C3
  const auto attempt = cursor->take(epoch_, index, split_.max_attempt());
  if (!attempt) {
    update_requested_ = true;
    return std::nullopt;
  }
  return wire::message_number(split_, initiator, id, *attempt, index);
}

std::optional<uint64_t> SendKeys::next_message_number(bool initiator, uint64_t id,
                                                      AttemptCursor* cursor, uint32_t* index) {
  *index = cursor->next(epoch_);
  if (*index > split_.max_index()) return std::nullopt;
  if (!id_windows_[initiator ? 1 : 0].admit(id, split_.id_mask())) {
    update_requested_ = true;
    return std::nullopt;
  }
  const auto attempt = cursor->take(epoch_, *index, split_.max_attempt());
  SLUICE_DCHECK(attempt == 0u);
  return wire::message_number(split_, initiator, id, *attempt, *index);
}

void SendKeys::note_sealed(uint64_t record_number, uint32_t bytes) {
  sealed_blocks_ += bytes / kBlockSize + kBlocksBesideData;
#ifdef SLUICE_DEBUG_NUMBERS
  // A repeated number under one key gives away plaintext and the authentication key.
  SLUICE_CHECK(recorder_.record(record_number));
#else
  static_cast<void>(record_number);
#endif
}

bool SendKeys::advance() {
  if (backend_ == nullptr || !can_advance()) return false;  // PROTOCOL MUST-C4
  const uint8_t spare = active_ ^ 1;
  backend_->discard_key(&keys_[spare]);
  take_from_port(spare);
  // Cannot fail: the same backend expanded a key of this algorithm before.
  SLUICE_CHECK(derive_into(spare, epoch_ + 1, next_secret_));
  active_ = spare;
  ++epoch_;
  sealed_blocks_ = 0;
  peer_has_epoch_ = false;
  update_requested_ = false;
  id_windows_ = {};
#ifdef SLUICE_DEBUG_NUMBERS
  recorder_.reset();
#endif
  return true;
}

void SendKeys::on_peer_epoch(uint8_t epoch_low) {
  // A report of an earlier epoch was merely overtaken on its way; one of a later is not possible.
  if (epoch_low == this->epoch_low()) peer_has_epoch_ = true;
}

bool SendKeys::derive_into(uint32_t slot, uint64_t epoch, const Secret& epoch_secret) {
  if (!derive_epoch_key(*primitives_, backend_, algorithm_, epoch_secret, &keys_[slot])) {
    return false;
  }
  if (place_.ports != nullptr) give_to_port(slot, epoch, epoch_secret);
  derive_next_epoch_secret(*primitives_, epoch_secret, &next_secret_);
  return true;
}

void SendKeys::give_to_port(uint32_t slot, uint64_t epoch, const Secret& epoch_secret) {
  EpochKey raw;
  derive_epoch_key(*primitives_, algorithm_, epoch_secret, &raw);
  const uint32_t spi =
      place_.spi == 0 ? 0 : place_.spi + static_cast<uint32_t>(epoch % wire::kEspEpochs);
  contexts_[slot] = place_.ports->open(place_.route, algorithm_,
                                       std::span(raw.key).first(key_size(algorithm_)), raw.iv, spi);
}

// PROTOCOL MUST-C11
void SendKeys::take_from_port(uint32_t slot) {
  if (contexts_[slot] != kNoInlineContext) place_.ports->close(contexts_[slot]);
  contexts_[slot] = kNoInlineContext;
}

}  // namespace sluice::crypto
