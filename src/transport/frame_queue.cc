// SPDX-License-Identifier: Apache-2.0
#include "transport/frame_queue.h"

#include <cstring>

#include "base/check.h"

namespace sluice::transport {

std::span<uint8_t> FrameQueue::append(uint32_t size) {
  SLUICE_CHECK(size > 0 && size <= kFrameMax);
  if (tail_ + 1 + size > kCapacityBytes) {
    if (head_ == 0) return {};
    std::memmove(bytes_.data(), bytes_.data() + head_, tail_ - head_);
    tail_ -= head_;
    head_ = 0;
    if (tail_ + 1 + size > kCapacityBytes) return {};
  }
  bytes_[tail_] = static_cast<uint8_t>(size);
  const std::span<uint8_t> room(bytes_.data() + tail_ + 1, size);
  tail_ += 1 + size;
  return room;
}

uint32_t FrameQueue::take(std::span<uint8_t> out) {
  uint32_t used = 0;
  while (head_ != tail_) {
    const uint32_t size = bytes_[head_];
    if (used + size > out.size()) break;
    std::memcpy(out.data() + used, bytes_.data() + head_ + 1, size);
    used += size;
    head_ += 1 + size;
  }
  if (head_ == tail_) clear();
  return used;
}

}  // namespace sluice::transport
