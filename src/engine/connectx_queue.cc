// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_queue.h"

#include <rte_mbuf.h>

#include <atomic>
#include <bit>
#include <cstring>

#include "base/byte_order.h"
#include "base/check.h"
#include "engine/connectx_format.h"

namespace sluice::engine {
namespace {

constexpr size_t kMostSegments = 63;  // The field has six bits.

size_t blocks_of(size_t segments) {
  return (segments * connectx::kSegment + connectx::kBlock - 1) / connectx::kBlock;
}

}  // namespace

ConnectxQueue::ConnectxQueue(const Memory& memory)
    : memory_(memory),
      count_(memory.blocks.size() / connectx::kBlock),
      mask_(static_cast<uint16_t>(count_ - 1)),
      slots_(count_) {
  static_assert(kBlockBytes == connectx::kBlock);
  // One less than a 16-bit count can tell from an empty queue.
  SLUICE_CHECK(std::has_single_bit(count_) && count_ < 65536);
  SLUICE_CHECK(std::has_single_bit(memory.completions.size() / connectx::kCompletionBytes));
}

ConnectxQueue::~ConnectxQueue() {
  for (const Slot& slot : slots_) rte_pktmbuf_free(slot.frame);
}

uint8_t* ConnectxQueue::take(size_t blocks) {
  const size_t left = count_ - (next_ & mask_);
  for (size_t skipped = left < blocks ? left : 0; skipped > 0; --skipped, ++next_) {
    connectx::write_control({.index = next_, .queue = memory_.number, .segments = 1}, block(next_));
    slots_[next_ & mask_] = {nullptr, 1};
  }
  last_ = next_;
  slots_[next_ & mask_] = {nullptr, static_cast<uint8_t>(blocks)};
  next_ = static_cast<uint16_t>(next_ + blocks);
  posted_ = true;
  return block(last_);
}

// The first waits for what was posted before, whose packets still need the old parameters.
void ConnectxQueue::write_parameters(const ConnectxContext& context, uint64_t number) {
  uint8_t* const fixed = take(connectx::kStaticBlocks);
  connectx::write_control({.index = last_,
                           .opcode = connectx::Opcode::kUmr,
                           .modifier = 1,
                           .queue = memory_.number,
                           .segments = connectx::kStaticSegments,
                           .fence = true,
                           .tis = context.tis},
                          fixed);
  connectx::write_static_parameters({.record_number = number, .iv = context.iv, .key = context.key},
                                    fixed);
  uint8_t* const progress = take(connectx::kProgressBlocks);
  connectx::write_control({.index = last_,
                           .opcode = connectx::Opcode::kSetPsv,
                           .modifier = 1,
                           .queue = memory_.number,
                           .segments = connectx::kProgressSegments},
                          progress);
  connectx::write_progress_parameters(context.tis, progress);
}

bool ConnectxQueue::post(rte_mbuf* frame, const ConnectxContext& context, const uint64_t* resync) {
  const size_t headers = size_t{frame->l2_len} + frame->l3_len + frame->l4_len;
  if (frame->data_len < headers || headers < 2) return false;
  size_t pointers = 0;
  for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
    pointers += part->data_len > (part == frame ? headers : 0) ? 1 : 0;
  }
  const size_t segments = 1 + connectx::header_segments(headers) + pointers;
  const size_t blocks = blocks_of(segments);
  const size_t parameters =
      resync == nullptr ? 0 : connectx::kStaticBlocks + connectx::kProgressBlocks;
  // Each of up to three descriptors may have to begin at the ring's beginning.
  if (segments > kMostSegments || free_blocks() <= parameters + 2 * blocks + 2) return false;
  if (resync != nullptr) write_parameters(context, *resync);
  const bool cut = (frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
  uint8_t* out = take(blocks);
  slots_[last_ & mask_].frame = frame;
  connectx::write_control({.index = last_,
                           .opcode = cut ? connectx::Opcode::kTso : connectx::Opcode::kSend,
                           .queue = memory_.number,
                           .segments = static_cast<uint8_t>(segments),
                           .fence = resync != nullptr,
                           .tis = context.tis},
                          out);
  out += connectx::kSegment;
  const auto* const first = rte_pktmbuf_mtod(frame, const uint8_t*);
  const bool v4 = (frame->ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
  connectx::write_headers({.bytes = {first, headers},
                           .mss = static_cast<uint16_t>(cut ? frame->tso_segsz : 0),
                           .ip_checksum = v4,
                           .l4_checksum = true},
                          out);
  out += connectx::header_segments(headers) * connectx::kSegment;
  for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
    const size_t skipped = part == frame ? headers : 0;
    if (part->data_len <= skipped) continue;
    const auto* const data = rte_pktmbuf_mtod(part, const uint8_t*) + skipped;
    connectx::write_pointer({.length = static_cast<uint32_t>(part->data_len - skipped),
                             .memory_key = memory_.memory_key,
                             .address = reinterpret_cast<uintptr_t>(data)},
                            out);
    out += connectx::kSegment;
  }
  return true;
}

void ConnectxQueue::ring() {
  if (!posted_) return;
  posted_ = false;
  connectx::Control last = connectx::read_control(block(last_));
  last.report = true;
  connectx::write_control(last, block(last_));
  // The device reads the blocks once it has seen the record, and the record once it was rung.
  std::atomic_thread_fence(std::memory_order_release);
  base::store_be32(memory_.doorbell_record, next_);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  uint64_t begin = 0;
  std::memcpy(&begin, block(last_), sizeof(begin));
  *reinterpret_cast<volatile uint64_t*>(memory_.doorbell) = begin;
}

size_t ConnectxQueue::reap() {
  const size_t ring = memory_.completions.size() / connectx::kCompletionBytes;
  size_t failed = 0;
  for (;;) {
    const size_t at = (completions_ & (ring - 1)) * connectx::kCompletionBytes;
    const auto found = connectx::read_completion(memory_.completions.data() + at);
    const bool turn = (completions_ & ring) != 0;
    if (found.kind == connectx::CompletionKind::kNone || found.owner != turn) break;
    std::atomic_thread_fence(std::memory_order_acquire);
    ++completions_;
    if (found.kind != connectx::CompletionKind::kSent) {
      stopped_ = true;
      ++failed;
      continue;
    }
    const auto end = static_cast<uint16_t>(found.index + slots_[found.index & mask_].blocks);
    while (done_ != end) {
      Slot& slot = slots_[done_ & mask_];
      rte_pktmbuf_free(slot.frame);
      slot.frame = nullptr;
      done_ = static_cast<uint16_t>(done_ + slot.blocks);
    }
  }
  return failed;
}

}  // namespace sluice::engine
