// SPDX-License-Identifier: Apache-2.0
//
// The contexts of inline crypto that one lcore has in its ports.
#ifndef SLUICE_ENGINE_INLINE_CONTEXTS_H_
#define SLUICE_ENGINE_INLINE_CONTEXTS_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/inline_crypto.h"
#include "engine/inline_engine.h"
#include "engine/limits.h"
#include "engine/route.h"
#include "engine/stats.h"

struct rte_mbuf;

namespace sluice::engine {

// Each context is used by this lcore's queue alone, so that where the device is in its stream and
// what is kept of that here agree: a record that does not follow is announced (a resync).
class InlineContexts final : public crypto::InlineCrypto {
 public:
  // `ports` in the node's order, null where one does not seal or this lcore has no transmit queue;
  // `routes` are the lcore's. All outlive this object.
  InlineContexts(std::vector<InlineEngine*> ports, const std::vector<Route>* routes,
                 LcoreStats* stats);
  ~InlineContexts() override;
  InlineContexts(const InlineContexts&) = delete;
  InlineContexts& operator=(const InlineContexts&) = delete;

  uint32_t open(uint32_t route, crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) override;
  void close(uint32_t context) override;

  // Has the frame, which leaves by `port`, sealed as a record of the context; `header` is that of
  // the record's first packet (kRecordHeaderSize). False, and the frame must not be sent, when the
  // context is gone or another port's. Frames have to reach the device in the order of these calls.
  bool mark(rte_mbuf* frame, uint32_t context, const uint8_t* header, uint8_t port);
  // The same of a frame with a packet of ESP in it, in any order.
  bool mark_esp(rte_mbuf* frame, uint32_t context, uint8_t port);

 private:
  static constexpr unsigned kIndexBits = 8;
  // One less than fits, so that no context is kNoInlineContext.
  static_assert(limits::kMaxInlineContexts < 1u << kIndexBits);
  static constexpr uint64_t kNoNumber = UINT64_MAX;  // No record of a message has it.

  struct Context {
    void* session = nullptr;
    uint64_t next = kNoNumber;  // What the device counts to,
    uint32_t sequence = 0;      // and the sequence number that it waits for.
    uint32_t generation = 0;
    uint8_t port = 0;
  };
  Context* find(uint32_t context);

  const std::vector<InlineEngine*> ports_;
  const std::vector<Route>& routes_;
  LcoreStats& stats_;
  std::array<Context, limits::kMaxInlineContexts> contexts_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_INLINE_CONTEXTS_H_
