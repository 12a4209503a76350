// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_UNIT_WIRE_WIRE_TEST_UTIL_H_
#define SLUICE_TEST_UNIT_WIRE_WIRE_TEST_UTIL_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::wire {

using ByteVector = std::vector<uint8_t>;

// "0a 0b" -> {0x0a, 0x0b}; spaces are for the reader.
inline ByteVector from_hex(std::string_view text) {
  const auto value = [](char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); };
  ByteVector out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    out.push_back(static_cast<uint8_t>(value(text[i]) * 16 + value(text[i + 1])));
    i += 2;
  }
  return out;
}

inline std::string to_hex(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
  }
  return out;
}

// A copy of the first `size` bytes in a heap block of exactly that size, so that the address
// sanitizer sees a read of a single byte too many.
class ExactCopy {
 public:
  ExactCopy(const uint8_t* data, size_t size) : bytes_(new uint8_t[size]), size_(size) {
    if (size != 0) std::memcpy(bytes_.get(), data, size);
  }
  const uint8_t* data() const { return bytes_.get(); }
  size_t size() const { return size_; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
};

}  // namespace sluice::wire

#endif  // SLUICE_TEST_UNIT_WIRE_WIRE_TEST_UTIL_H_
