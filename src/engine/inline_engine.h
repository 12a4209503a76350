// SPDX-License-Identifier: Apache-2.0
//
// What seals records, or packets of ESP, at transmit, in a port or beside it.
#ifndef SLUICE_ENGINE_INLINE_ENGINE_H_
#define SLUICE_ENGINE_INLINE_ENGINE_H_

#include <cstdint>
#include <span>

#include "crypto/aead.h"

struct rte_mbuf;

namespace sluice::engine {

// TLS 1.3 records sealed by a device (inline crypto): contexts for keys, and what a frame has to
// say of the record in it. A context belongs to one transmit queue: the device counts records for
// each queue apart. Called where keys change and for each record, never for each packet. Or packets
// of ESP: then it is called for each of them, and a device counts nothing.
class InlineEngine {
 public:
  virtual ~InlineEngine() = default;

  virtual bool supports(crypto::AeadAlgorithm algorithm) const = 0;
  // Packets of ESP (PROTOCOL.md §18.4), and else records (§18.3).
  virtual bool seals_esp() const = 0;

  // A context for the key, which is copied; null when the device, or this object, has none left.
  // Any lcore, where keys change: lcores wait for each other. `spi`: of the packets of ESP, else 0.
  virtual void* open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                             std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) = 0;
  virtual void close_context(void* context) = 0;

  // The frame, a whole record behind its headers, is to be sealed and cut at transmit. With
  // `resync` the record has that number; without, the one after the context's last on this queue. A
  // packet of ESP has its number in itself: `resync` is null.
  // False when the device does not take it: the frame must not be sent then.
  virtual bool mark(void* context, rte_mbuf* frame, const uint64_t* resync) = 0;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_INLINE_ENGINE_H_
