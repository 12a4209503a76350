// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BUFFER_H_
#define SLUICE_BUFFER_H_

#include <cstdint>
#include <utility>

#include "sluice/export.h"

namespace sluice {

namespace internal {
class EndpointCore;
}  // namespace internal

// Bytes to be sent, and who frees them when. Move-only, 40 bytes, never allocates.
//
// Three kinds:
//  - borrow(data, length): the caller keeps the bytes valid and unmoved until the completion of
//    what they were given to. The bytes may be read again at any time until then (a resend seals
//    them anew), so whoever changes them changes what the peer may receive.
//  - borrow(data, length, release, context): the same, and release(context, data) is called once,
//    on the lcore, when nothing can read the bytes any more. It must not block.
//  - Endpoint::allocate(length): memory of the lcore's arena, writable through mutable_data(). It
//    returns to the arena by itself. Such a buffer never leaves its lcore.
//
// A function that takes `Buffer&&` takes it over only when it returns StatusCode::kOk. Otherwise
// the buffer stays with the caller, who may try again with it.
class SLUICE_EXPORT Buffer {
 public:
  using ReleaseFn = void (*)(void* context, const uint8_t* data);

  Buffer() = default;
  Buffer(Buffer&& other) noexcept { take(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Buffer() { reset(); }

  // `length` is in bytes, at most 1 GiB - 1. `release` may be null.
  static Buffer borrow(const void* data, uint32_t length, ReleaseFn release = nullptr,
                       void* context = nullptr) {
    Buffer buffer;
    buffer.data_ = static_cast<uint8_t*>(const_cast<void*>(data));
    buffer.length_ = length;
    buffer.release_ = release;
    buffer.context_ = context;
    return buffer;
  }

  const uint8_t* data() const { return data_; }
  uint32_t length() const { return length_; }

  // Where to write, for a buffer from Endpoint::allocate(); nullptr for borrowed bytes.
  uint8_t* mutable_data() { return arena_ != nullptr ? data_ : nullptr; }

  // Sends fewer bytes than were allocated; a larger length is ignored.
  void truncate(uint32_t length) {
    if (length < length_) length_ = length;
  }

  // True unless the buffer is empty-handed: default-made, moved from, or an allocation that failed.
  explicit operator bool() const { return data_ != nullptr; }

  // Lets go of the bytes now: calls the release function, or gives the memory back to the arena.
  void reset() {
    if (arena_ != nullptr || release_ != nullptr) release_bytes();
    clear();
  }

 private:
  friend class internal::EndpointCore;

  void release_bytes();
  void clear() {
    data_ = nullptr;
    length_ = 0;
    release_ = nullptr;
    context_ = nullptr;
    arena_ = nullptr;
  }
  void take(Buffer& other) {
    data_ = std::exchange(other.data_, nullptr);
    length_ = std::exchange(other.length_, 0);
    release_ = std::exchange(other.release_, nullptr);
    context_ = std::exchange(other.context_, nullptr);
    arena_ = std::exchange(other.arena_, nullptr);
  }

  uint8_t* data_ = nullptr;
  uint32_t length_ = 0;
  ReleaseFn release_ = nullptr;
  void* context_ = nullptr;
  internal::EndpointCore* arena_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_BUFFER_H_
