// SPDX-License-Identifier: Apache-2.0
#include "crypto/psk.h"

#include <optional>
#include <utility>

#include "base/limits.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

using base::limits::kMaxPskBytes;
using base::limits::kMinPskBytes;

// Longest key file looked at: base64 or hexadecimal of the longest key, with room for line ends.
constexpr size_t kMaxFileSize = 4 * kMaxPskBytes;

bool is_line_end(uint8_t c) { return c == '\n' || c == '\r'; }

bool is_text(std::span<const uint8_t> bytes) {
  for (const uint8_t c : bytes) {
    if ((c < 0x20 || c > 0x7e) && !is_line_end(c) && c != '\t') return false;
  }
  return true;
}

std::optional<uint8_t> hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<uint8_t> base64_digit(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return static_cast<uint8_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<uint8_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0' + 52);
  if (c == '+' || c == '-') return uint8_t{62};
  if (c == '/' || c == '_') return uint8_t{63};
  return std::nullopt;
}

// A buffer for key material on its way; wiped when the scope ends. Its room is taken once, so
// that growing leaves no copy behind.
class SecretBuffer {
 public:
  explicit SecretBuffer(size_t room) { bytes_.reserve(room); }
  ~SecretBuffer() { wipe(bytes_.data(), bytes_.size()); }
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;

  void push(uint8_t byte) { bytes_.push_back(byte); }
  std::span<const uint8_t> view() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

// False when `text` is not made of hexadecimal digits alone. An odd digit is left out of `out`
// and told in `odd`.
bool decode_hex(std::span<const uint8_t> text, SecretBuffer* out, bool* odd) {
  bool half = false;
  uint8_t high = 0;
  for (const uint8_t c : text) {
    if (is_line_end(c)) continue;
    const auto digit = hex_digit(c);
    if (!digit) return false;
    if (half) {
      out->push(static_cast<uint8_t>((high << 4) | *digit));
    } else {
      high = *digit;
    }
    half = !half;
  }
  *odd = half;
  return true;
}

// False when `text` is not base64.
bool decode_base64(std::span<const uint8_t> text, SecretBuffer* out) {
  uint32_t bits = 0;
  unsigned held = 0;
  size_t digits = 0;
  size_t padding = 0;
  for (const uint8_t c : text) {
    if (is_line_end(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto digit = base64_digit(c);
    if (!digit || padding != 0) return false;
    bits = (bits << 6) | *digit;
    held += 6;
    ++digits;
    if (held >= 8) {
      held -= 8;
      out->push(static_cast<uint8_t>(bits >> held));
      bits &= (uint32_t{1} << held) - 1;
    }
  }
  const bool length_fits = padding == 0 ? digits % 4 != 1 : (digits + padding) % 4 == 0;
  return padding <= 2 && length_fits && bits == 0;
}

PskResult failure(std::string text) {
  PskResult out;
  out.error = std::move(text);
  return out;
}

PskResult sized(std::span<const uint8_t> bytes, const char* form) {
  if (bytes.size() < kMinPskBytes) {  // PROTOCOL MUST-H4
    return failure("the pre-shared key is too short: " + std::to_string(bytes.size()) +
                   " bytes (read as " + form + "), at least " + std::to_string(kMinPskBytes) +
                   " are required");
  }
  if (bytes.size() > kMaxPskBytes) {
    return failure("the pre-shared key is too long: more than " + std::to_string(kMaxPskBytes) +
                   " bytes (read as " + form + ")");
  }
  PskResult out;
  out.key = Psk(bytes);
  return out;
}

PskResult parse_text(std::span<const uint8_t> text) {
  {
    SecretBuffer hex(text.size());
    bool odd = false;
    if (decode_hex(text, &hex, &odd)) {
      if (odd) return failure("the pre-shared key has an odd number of hexadecimal digits");
      return sized(hex.view(), "hexadecimal");
    }
  }
  SecretBuffer decoded(text.size());
  if (decode_base64(text, &decoded)) return sized(decoded.view(), "base64");
  return sized(text, "plain text");
}

}  // namespace

Psk::~Psk() { clear(); }

void Psk::clear() {
  wipe(bytes_.data(), bytes_.size());
  bytes_.clear();
}

Psk& Psk::operator=(const Psk& other) {
  if (this == &other) return *this;
  Psk copy(other);
  bytes_.swap(copy.bytes_);
  return *this;
}

Psk& Psk::operator=(Psk&& other) noexcept {
  if (this == &other) return *this;
  clear();
  bytes_.swap(other.bytes_);
  return *this;
}

PskResult make_psk(std::span<const uint8_t> bytes) { return sized(bytes, "raw bytes"); }

PskResult parse_psk(std::span<const uint8_t> file) {
  if (file.size() > kMaxFileSize) {
    return failure("the pre-shared key file is too long: more than " +
                   std::to_string(kMaxFileSize) + " bytes");
  }
  if (!is_text(file)) return sized(file, "raw bytes");
  std::span<const uint8_t> text = file;
  while (!text.empty() && is_line_end(text.back())) text = text.first(text.size() - 1);
  if (text.empty()) return failure("the pre-shared key file is empty");
  return parse_text(text);
}

}  // namespace sluice::crypto
