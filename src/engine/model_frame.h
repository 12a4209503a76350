// SPDX-License-Identifier: Apache-2.0
//
// What models of NICs do with a frame in one piece: seal the TLS record in it, and cut it.
#ifndef SLUICE_ENGINE_MODEL_FRAME_H_
#define SLUICE_ENGINE_MODEL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::engine {

inline constexpr size_t kMaxModelFrame = 65536;  // Of a segmented frame: IP cannot say more.

// A frame with one record behind headers whose last one has TCP's shape.
struct ModelFrame {
  uint8_t* data = nullptr;
  size_t size = 0;
  size_t l2 = 0;  // Bytes of each header,
  size_t l3 = 0;
  size_t headers = 0;  // and of all.
  size_t segment = 0;  // Bytes of the record in each packet; 0: it goes in one.
  bool v4 = false;
  uint16_t port = 0;  // As in rte_mbuf.
};

// Where a context is in its stream.
struct ModelPosition {
  bool synced = false;
  uint32_t sequence = 0;  // TCP's, of the next byte.
  uint64_t number = 0;    // Of the next record.
};

// TLS's framing, which is all that an engine sees, says that there is one record and no more.
bool holds_a_record(const ModelFrame& frame);
// The sequence number in its headers.
uint32_t sequence_of(const ModelFrame& frame);
// Seals the record in place, under the number that the position has come to, and moves that on.
// False, and the record is garbled, where its sequence number does not continue the stream: what
// hardware makes of one that it has lost is nobody's promise, so a model never makes it right.
bool seal_in_turn(const ModelFrame& frame, const crypto::AeadKey& key, ModelPosition* position,
                  crypto::AeadBackend* backend);
// Appends the packets to the first `count` of `out`, in buffers of `pool`; false when there was no
// room for them all.
bool cut_frame(const ModelFrame& frame, std::span<rte_mbuf*> out, size_t* count, rte_mempool* pool);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_MODEL_FRAME_H_
