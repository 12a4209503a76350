// SPDX-License-Identifier: Apache-2.0
#include "engine/inline_contexts.h"

#include <algorithm>
#include <utility>

#include "base/byte_order.h"
#include "wire/record_packet.h"

namespace sluice::engine {

InlineContexts::InlineContexts(std::vector<InlineEngine*> ports, const std::vector<Route>* routes,
                               LcoreStats* stats)
    : ports_(std::move(ports)), routes_(*routes), stats_(*stats) {}

InlineContexts::~InlineContexts() {
  for (Context& each : contexts_) {
    if (each.session != nullptr) ports_[each.port]->close_context(each.session);
  }
}

uint32_t InlineContexts::open(uint32_t route, crypto::AeadAlgorithm algorithm,
                              std::span<const uint8_t> key,
                              std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) {
  if (route >= routes_.size() || !routes_[route].valid) return crypto::kNoInlineContext;
  const uint8_t number = routes_[route].port;
  InlineEngine* const port = number < ports_.size() ? ports_[number] : nullptr;
  const bool can = port != nullptr && port->supports(algorithm) && port->seals_esp() == (spi != 0);
  if (!can) return crypto::kNoInlineContext;
  const auto free = std::find_if(contexts_.begin(), contexts_.end(),
                                 [](const Context& each) { return each.session == nullptr; });
  void* const session =
      free == contexts_.end() ? nullptr : port->open_context(algorithm, key, iv, spi);
  if (session == nullptr) {
    stats_.limit_inline_contexts.add();
    return crypto::kNoInlineContext;
  }
  free->session = session;
  free->port = number;
  free->next = kNoNumber;
  ++free->generation;
  return free->generation << kIndexBits | static_cast<uint32_t>(free - contexts_.begin());
}

InlineContexts::Context* InlineContexts::find(uint32_t context) {
  const uint32_t index = context & ((1u << kIndexBits) - 1);
  if (index >= contexts_.size()) return nullptr;
  Context& found = contexts_[index];
  const bool same = found.generation << kIndexBits == (context & ~((1u << kIndexBits) - 1));
  return found.session != nullptr && same ? &found : nullptr;
}

void InlineContexts::close(uint32_t context) {
  Context* const found = find(context);
  if (found == nullptr) return;
  ports_[found->port]->close_context(std::exchange(found->session, nullptr));
}

bool InlineContexts::mark_esp(rte_mbuf* frame, uint32_t context, uint8_t port) {
  Context* const found = find(context);
  return found != nullptr && found->port == port &&
         ports_[port]->mark(found->session, frame, nullptr);
}

bool InlineContexts::mark(rte_mbuf* frame, uint32_t context, const uint8_t* header, uint8_t port) {
  Context* const found = find(context);
  if (found == nullptr || found->port != port) return false;
  const uint64_t number = base::load_be64(header + wire::offsets::kRecordNumber);
  const uint32_t sequence = base::load_be32(header + wire::offsets::kSequence);
  const bool resync = found->next != number || found->sequence != sequence;  // PROTOCOL MUST-R10
  if (!ports_[port]->mark(found->session, frame, resync ? &number : nullptr)) return false;
  if (resync) stats_.inline_resyncs.add();
  found->next = number + 1;
  found->sequence = sequence + base::load_be16(header + wire::offsets::kRecordLength);
  return true;
}

}  // namespace sluice::engine
