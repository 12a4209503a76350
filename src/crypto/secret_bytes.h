// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_SECRET_BYTES_H_
#define SLUICE_CRYPTO_SECRET_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "crypto/wipe.h"

namespace sluice::crypto {

// Bytes such as those of a key file, wiped when dropped or replaced. Copies are independent.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  // The first `size` of them, where they lie; the rest never held anything.
  SecretBytes(std::vector<uint8_t> bytes, size_t size) : bytes_(std::move(bytes)) {
    bytes_.resize(size);
  }
  SecretBytes(const SecretBytes&) = default;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  ~SecretBytes() { wipe(bytes_.data(), bytes_.size()); }

  std::span<const uint8_t> view() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_SECRET_BYTES_H_
