// SPDX-License-Identifier: Apache-2.0
//
// A send queue of a ConnectX, as its one writer fills it.
#ifndef SLUICE_ENGINE_CONNECTX_QUEUE_H_
#define SLUICE_ENGINE_CONNECTX_QUEUE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/aead.h"

struct rte_mbuf;

namespace sluice::engine {

// What a TIS was made for: a key for this queue's records.
struct ConnectxContext {
  uint32_t tis = 0;
  uint32_t key = 0;
  std::array<uint8_t, crypto::kNonceSize> iv{};
};

// Descriptors for frames with records in them, and before those that need it (a resync) the
// parameters of their context: 4 blocks of the queue, and a stall of the engine. What is posted
// becomes the device's with ring(). One lcore; allocates nothing after its construction.
//
// Descriptors that send again a part of a record before the packet that is missing (DUMP) are not
// needed: what is sent again goes in DATA packets (PROTOCOL MUST-R6).
class ConnectxQueue {
 public:
  // What the queue shares with the device; the caller's, and outlives this object.
  struct Memory {
    std::span<uint8_t> blocks;  // A power of two of connectx::kBlock bytes each, 65536 at most.
    std::span<uint8_t> completions;  // The same for completions; to begin with all of kind kNone.
    uint8_t* doorbell_record = nullptr;  // 4 bytes: how far the queue is written.
    uint8_t* doorbell = nullptr;         // 8 bytes: a write here makes the device look.
    uint32_t number = 0;                 // The queue's, 24 bits.
    uint32_t memory_key = 0;             // Of all buffers that frames lie in.
  };

  explicit ConnectxQueue(const Memory& memory);
  ~ConnectxQueue();
  ConnectxQueue(const ConnectxQueue&) = delete;
  ConnectxQueue& operator=(const ConnectxQueue&) = delete;

  // Takes over a frame, whose record is sealed under `context`; with `resync` the record has that
  // number. False, and the frame stays the caller's, when there is no room or its headers are not
  // in its first buffer.
  bool post(rte_mbuf* frame, const ConnectxContext& context, const uint64_t* resync);
  // Gives all that was posted to the device, and asks for one completion.
  void ring();
  // Frees the frames that the device has done with. Returns how many descriptors failed: after one
  // the device has stopped the queue, which then takes nothing any more.
  size_t reap();

  size_t free_blocks() const {
    return stopped_ ? 0 : count_ - static_cast<uint16_t>(next_ - done_);
  }

 private:
  uint8_t* block(uint16_t index) { return memory_.blocks.data() + (index & mask_) * kBlockBytes; }
  // Room for one descriptor in consecutive blocks; what is left before the end of the ring is
  // filled with one that does nothing.
  uint8_t* take(size_t blocks);
  void write_parameters(const ConnectxContext& context, uint64_t number);

  static constexpr size_t kBlockBytes = 64;
  struct Slot {
    rte_mbuf* frame = nullptr;  // To be freed with the descriptor that begins here.
    uint8_t blocks = 0;
  };

  Memory memory_;
  const size_t count_;
  const uint16_t mask_;
  uint16_t next_ = 0;    // Blocks written,
  uint16_t done_ = 0;    // and done with, counted without end.
  uint16_t last_ = 0;    // Where the last descriptor begins.
  bool posted_ = false;  // Since the last ring().
  bool stopped_ = false;
  uint32_t completions_ = 0;
  std::vector<Slot> slots_;  // By block.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CONNECTX_QUEUE_H_
