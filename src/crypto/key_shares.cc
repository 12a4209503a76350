// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_shares.h"

#include <utility>

namespace sluice::crypto {

// PROTOCOL MUST-H6
KeyShare::KeyShare(const Primitives& primitives, const RandomSource& random) {
  random(private_key_.data(), private_key_.size());
  primitives.x25519_public(private_key_.data(), public_key_.data());
}

KeyShare::KeyShare(KeyShare&& other) noexcept
    : private_key_(other.private_key_), public_key_(other.public_key_) {
  other.forget();
}

KeyShare& KeyShare::operator=(KeyShare&& other) noexcept {
  if (this == &other) return *this;
  private_key_ = other.private_key_;
  public_key_ = other.public_key_;
  other.forget();
  return *this;
}

// The memory is taken once: a key is not left behind where a growing vector stood.
KeyShares::KeyShares(const Primitives* primitives, RandomSource random)
    : primitives_(primitives), random_(random) {
  ready_.reserve(base::limits::kMaxKeyShares);
}

bool KeyShares::prepare() {
  if (ready_.size() >= base::limits::kMaxKeyShares) return false;
  ready_.emplace_back(*primitives_, random_);
  return true;
}

KeyShare KeyShares::take() {
  if (ready_.empty()) return {*primitives_, random_};
  KeyShare out = std::move(ready_.back());
  ready_.pop_back();
  return out;
}

}  // namespace sluice::crypto
