// SPDX-License-Identifier: Apache-2.0
//
// What the messages of the benchmarks hold: bytes that are a function of (message number, offset),
// so that either end can check every one of them.
//
// All messages are windows onto one endless pattern, whose every 8-byte word tells its own place in
// it. A message's number decides where its window begins, so its bytes need not be made for
// sending nor kept for comparing, and whoever receives the message learns from the first word what
// all the others must be. A damaged first word names no place at all (but for one in 2^48).
#ifndef SLUICE_CLI_CONTENT_H_
#define SLUICE_CLI_CONTENT_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

namespace sluice::cli {

// Immutable after creation; any thread may use it.
class Content {
 public:
  // Messages in flight at a time that are told apart: numbers further apart may look the same.
  static constexpr uint32_t kPlaces = 8192;
  // A message shorter than this holds no whole word; its first byte stands for its number.
  static constexpr uint32_t kWordBytes = 8;

  // For messages of up to `max_message` bytes. The memory taken is about 1 MB whatever the length:
  // the pattern repeats, and the same pages are mapped again and again. ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<Content>> create(uint32_t max_message);
  ~Content();
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  // The bytes of request `id` and of its response, valid as long as this object. `length` decides
  // only whether the message holds a word.
  const uint8_t* request(uint64_t id, uint32_t length) const {
    return length < kWordBytes ? small_[0][id % kSmall] : base_ + place(id);
  }
  const uint8_t* response(uint64_t id, uint32_t length) const {
    return length < kWordBytes ? small_[1][id % kSmall] : base_ + place(id) + kResponseShift;
  }

  // A number whose request begins with these bytes, at least one of them; nothing when no request
  // does. Good for request() and response().
  std::optional<uint64_t> number_of(std::span<const uint8_t> request_begin) const;

  // Whether the message's bytes from `offset` on are these. `expected` is the message's first byte
  // as request() or response() gave it.
  static bool matches(const uint8_t* expected, uint64_t offset, std::span<const uint8_t> bytes) {
    return std::memcmp(expected + offset, bytes.data(), bytes.size()) == 0;
  }

 private:
  static constexpr uint32_t kPlaceBytes = 64;
  static constexpr uint32_t kResponseShift = 32;
  static constexpr uint32_t kSmall = 256;

  Content(uint8_t* base, size_t mapped);
  static size_t place(uint64_t id) { return (id % kPlaces) * size_t{kPlaceBytes}; }

  uint8_t* base_;
  size_t mapped_;  // Bytes of address space.
  uint8_t small_[2][kSmall][kWordBytes];
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_CONTENT_H_
