// SPDX-License-Identifier: Apache-2.0
//
// A pre-shared key and the reading of a key file.
#ifndef SLUICE_CRYPTO_PSK_H_
#define SLUICE_CRYPTO_PSK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::crypto {

// The bytes of a key; wiped when dropped.
class Psk {
 public:
  Psk() = default;
  explicit Psk(std::span<const uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  Psk(const Psk&) = default;
  Psk(Psk&& other) noexcept = default;
  Psk& operator=(const Psk& other);
  Psk& operator=(Psk&& other) noexcept;
  ~Psk();

  std::span<const uint8_t> bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }

 private:
  void clear();

  std::vector<uint8_t> bytes_;
};

struct PskResult {
  Psk key;
  std::string error;  // One sentence without the key's content; empty when `key` is usable.
  bool ok() const { return error.empty(); }
};

// Checks the size of raw key bytes (base::limits::kMinPskBytes to kMaxPskBytes).
PskResult make_psk(std::span<const uint8_t> bytes);

// Reads the content of a key file, which is one of
//   - text of hexadecimal digits, two a byte, at least 64 of them;
//   - text in base64 (RFC 4648, standard or URL-safe alphabet, padding optional);
//   - any other printable text: the characters themselves are the key;
//   - anything else: the bytes themselves are the key, none removed.
// Line ends are no part of a text: trailing ones are stripped, and within hexadecimal and base64
// they may break lines. What could be hexadecimal or base64 is read as that and nothing else, so
// that a short key in either form is refused and not taken for a longer one.
PskResult parse_psk(std::span<const uint8_t> file);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_PSK_H_
