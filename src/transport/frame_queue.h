// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_FRAME_QUEUE_H_
#define SLUICE_TRANSPORT_FRAME_QUEUE_H_

#include <array>
#include <cstdint>
#include <span>

namespace sluice::transport {

// Control frames of one lane that wait for its next packet, already encoded, oldest first.
// Bounded: a frame that finds no room is dropped, which every control frame survives, because its
// cause comes again with the peer's next timer.
class FrameQueue {
 public:
  static constexpr uint32_t kCapacityBytes = 4096;
  static constexpr uint32_t kFrameMax = 64;

  bool empty() const { return head_ == tail_; }
  void clear() { head_ = tail_ = 0; }

  // Room for a frame of `size` bytes, to be encoded in place; empty when the queue is full.
  std::span<uint8_t> append(uint32_t size);

  // Moves whole frames, oldest first, into `out` and returns the bytes moved.
  uint32_t take(std::span<uint8_t> out);

 private:
  uint32_t head_ = 0;
  uint32_t tail_ = 0;
  // Each frame is preceded by one byte that holds its length. Linear, not a ring: it is drained
  // every burst, so it starts again at zero.
  std::array<uint8_t, kCapacityBytes> bytes_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_FRAME_QUEUE_H_
