// SPDX-License-Identifier: Apache-2.0
#include "crypto/strike_register.h"

#include <algorithm>

#include "base/byte_order.h"
#include "crypto/wipe.h"

namespace sluice::crypto {

StrikeRegister::StrikeRegister(const Primitives* primitives, RandomSource random, size_t capacity)
    : primitives_(primitives), capacity_(capacity) {
  random(key_.data(), key_.size());
  random(context_.data(), kContextSize - 8);
}

StrikeRegister::~StrikeRegister() { wipe(key_.data(), key_.size()); }

void StrikeRegister::advance(base::Nanos now) {
  if (next_ == base::Nanos::zero()) next_ = base::after(now, base::limits::kStrikeGeneration);
  if (now < next_) return;
  next_ = base::after(now, base::limits::kStrikeGeneration);
  base::store_be64(context_.data() + kContextSize - 8, ++generation_);
  struck_.clear();
}

// PROTOCOL MUST-E2
Strike StrikeRegister::strike(std::span<const uint8_t> ticket) {
  const ByteView part = view_of(ticket);
  std::array<uint8_t, kSha256Size> mac;
  primitives_->hmac_sha256(view_of(key_), &part, 1, mac.data());
  Digest digest;
  std::copy_n(mac.begin(), digest.size(), digest.begin());
  if (struck_.contains(digest)) return Strike::kSeen;
  if (struck_.size() >= capacity_) return Strike::kFull;  // PROTOCOL MUST-E3
  struck_.insert(digest);
  return Strike::kFresh;
}

}  // namespace sluice::crypto
