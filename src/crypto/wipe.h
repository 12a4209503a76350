// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_WIPE_H_
#define SLUICE_CRYPTO_WIPE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sluice::crypto {

// Overwrites secrets with zeros. The empty assembly claims to read the memory, so the stores are
// kept even where the object dies right after.
inline void wipe(void* data, size_t length) {
  if (length == 0) return;
  std::memset(data, 0, length);
  __asm__ __volatile__("" : : "r"(data) : "memory");
}

template <class T>
inline void wipe_object(T* object) {
  static_assert(std::is_trivially_copyable_v<T>, "only plain storage may be wiped bytewise");
  wipe(object, sizeof(T));
}

// Wipes a plain object when the scope ends, on every way out.
template <class T>
class WipeOnExit {
 public:
  explicit WipeOnExit(T* object) : object_(object) {}
  ~WipeOnExit() { wipe_object(object_); }
  WipeOnExit(const WipeOnExit&) = delete;
  WipeOnExit& operator=(const WipeOnExit&) = delete;

 private:
  T* object_;
};

// Compares without a branch on the content, for tags and verifiers; by words, since every short
// record that is opened has a tag compared.
inline bool equal_constant_time(const void* a, const void* b, size_t length) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  uint64_t difference = 0;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= length; i += sizeof(uint64_t)) {
    uint64_t word, other;
    std::memcpy(&word, x + i, sizeof(word));
    std::memcpy(&other, y + i, sizeof(other));
    difference |= word ^ other;
  }
  for (; i < length; ++i) difference |= static_cast<uint64_t>(x[i] ^ y[i]);
  // Hides the value from the optimiser, which could otherwise turn the loop into an early exit.
  __asm__ __volatile__("" : "+r"(difference));
  return difference == 0;
}

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_WIPE_H_
