// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_MESSAGE_H_
#define SLUICE_MESSAGE_H_

#include <cstdint>
#include <span>
#include <utility>

#include "sluice/export.h"

namespace sluice {

// How an incoming message lands.
enum class LandingMode : uint8_t {
  kBuffered,  // Whole, in the lcore's arena: messages up to Limits::max_buffered_message.
  kNamed,     // Whole, in memory that the application names.
  kStream,    // The verified prefix as it arrives, through a window of the arena.
  kRefuse,    // Answer to an offer only: the sender completes with kTooLarge.
};

// Where an incoming message lands. Made by the four functions below.
struct Landing {
  LandingMode mode = LandingMode::kBuffered;
  uint8_t* memory = nullptr;
  uint32_t bytes = 0;

  static Landing buffered() { return {}; }
  // `memory` holds `capacity` bytes; it stays valid and untouched until the message is delivered
  // and released, or its failure is reported. A longer message fails with kTooLarge.
  static Landing named(void* memory, uint32_t capacity) {
    return {LandingMode::kNamed, static_cast<uint8_t*>(memory), capacity};
  }
  // `window` bytes of the arena, a power of two: at most so much waits unconsumed.
  static Landing stream(uint32_t window) { return {LandingMode::kStream, nullptr, window}; }
  static Landing refuse() { return {LandingMode::kRefuse, nullptr, 0}; }
};

// A received message: a read-only view of its bytes, which stay valid until release() or the
// destructor. Move-only, never allocates.
//
// On an lcore the memory goes back at once, and the message must be released on that lcore. A
// message that ThreadClient or Inbox handed to an ordinary thread may be released on any ordinary
// thread: its memory travels back to the lcore through a ring that has room for it by
// construction. The arena is bounded: whoever keeps messages slows the senders down.
class SLUICE_EXPORT Message {
 public:
  using ReleaseFn = void (*)(void* owner, uint64_t handle);

  Message() = default;
  // For the library: `release_fn(owner, handle)` is called once; it may be null.
  Message(const uint8_t* data, uint32_t length, ReleaseFn release_fn, void* owner, uint64_t handle)
      : data_(data), length_(length), release_(release_fn), owner_(owner), handle_(handle) {}
  Message(Message&& other) noexcept { take(other); }
  Message& operator=(Message&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~Message() { release(); }

  const uint8_t* data() const { return data_; }
  uint32_t length() const { return length_; }
  std::span<const uint8_t> bytes() const { return {data_, length_}; }

  // Gives the memory back; the message is empty afterwards. Calling it twice does no harm.
  void release() {
    if (release_ != nullptr) std::exchange(release_, nullptr)(owner_, handle_);
    data_ = nullptr;
    length_ = 0;
  }

 private:
  void take(Message& other) {
    data_ = std::exchange(other.data_, nullptr);
    length_ = std::exchange(other.length_, 0);
    release_ = std::exchange(other.release_, nullptr);
    owner_ = other.owner_;
    handle_ = other.handle_;
  }

  const uint8_t* data_ = nullptr;
  uint32_t length_ = 0;
  ReleaseFn release_ = nullptr;
  void* owner_ = nullptr;
  uint64_t handle_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_MESSAGE_H_
