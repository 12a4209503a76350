// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_engine.h"

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>

#include "absl/status/status.h"
#include "crypto/wipe.h"
#include "engine/inline_mark.h"

namespace sluice::engine {

absl::StatusOr<connectx::Capabilities> query_connectx(Devx* device) {
  std::vector<uint8_t> general(connectx::kQueryReplyBytes);
  std::vector<uint8_t> tls(connectx::kQueryReplyBytes);
  using connectx::CapabilityPage;
  if (!device->run(connectx::query_capabilities(CapabilityPage::kGeneral), general) ||
      !device->run(connectx::query_capabilities(CapabilityPage::kTls), tls)) {
    return absl::UnavailableError("the device does not say what it can do (QUERY_HCA_CAP)");
  }
  return connectx::read_capabilities(std::span<const uint8_t, connectx::kQueryReplyBytes>(general),
                                     std::span<const uint8_t, connectx::kQueryReplyBytes>(tls));
}

absl::StatusOr<std::unique_ptr<ConnectxEngine>> ConnectxEngine::open(Devx* device,
                                                                     uint32_t contexts) {
  const auto found = query_connectx(device);
  if (!found.ok()) return found.status();
  if (!found->tls_transmit) {
    return absl::FailedPreconditionError("the ConnectX has no TLS transmit engine");
  }
  if (!found->keys) return absl::FailedPreconditionError("the ConnectX takes no encryption keys");
  if (!found->tls13_aes_128 && !found->tls13_aes_256) {
    return absl::FailedPreconditionError("the ConnectX seals no TLS 1.3 records");
  }
  const int offset = inline_mark_offset();
  if (offset < 0) {
    return absl::ResourceExhaustedError("no room in packet buffers for marks of inline crypto");
  }
  const uint32_t keys = found->log_max_keys < 31 ? 1u << found->log_max_keys : contexts;
  std::unique_ptr<ConnectxEngine> engine(
      new ConnectxEngine(device, *found, std::min(contexts, keys), offset));
  connectx::Reply reply{};
  engine->transport_domain_ = device->create(connectx::alloc_transport_domain(), reply);
  if (engine->transport_domain_ == nullptr ||
      !connectx::read_reply(reply, &engine->transport_domain_number_)) {
    return absl::FailedPreconditionError("the ConnectX gives no transport domain");
  }
  return engine;
}

ConnectxEngine::ConnectxEngine(Devx* device, const connectx::Capabilities& capabilities,
                               uint32_t contexts, int mark_offset)
    : device_(device), capabilities_(capabilities), mark_offset_(mark_offset), slots_(contexts) {}

bool ConnectxEngine::supports(crypto::AeadAlgorithm algorithm) const {
  switch (algorithm) {
    case crypto::AeadAlgorithm::kAes128Gcm:
      return capabilities_.tls13_aes_128;
    case crypto::AeadAlgorithm::kAes256Gcm:
      return capabilities_.tls13_aes_256;
    default:
      return false;
  }
}

bool ConnectxEngine::make_tis(Slot* slot) {
  connectx::Reply reply{};
  slot->tis = device_->create(
      connectx::create_tis(transport_domain_number_, device_->protection_domain()), reply);
  return slot->tis != nullptr && connectx::read_reply(reply, &slot->context.tis);
}

bool ConnectxEngine::make_key(std::span<const uint8_t> key, Slot* slot) {
  connectx::Reply reply{};
  connectx::KeyCommand command = connectx::create_key(key, device_->protection_domain());
  crypto::WipeOnExit wipe(&command);
  slot->key = device_->create(command, reply);
  if (slot->key != nullptr && connectx::read_reply(reply, &slot->context.key)) return true;
  slot->key.reset();
  return false;
}

void* ConnectxEngine::open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                                   std::span<const uint8_t, crypto::kNonceSize> iv,
                                   uint32_t /*spi*/) {
  if (!supports(algorithm) || key.size() != crypto::key_size(algorithm)) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                 [](const Slot& each) { return each.key == nullptr; });
  if (slot == slots_.end()) return nullptr;
  if (slot->tis == nullptr && !make_tis(&*slot)) {
    slot->tis.reset();
    return nullptr;
  }
  if (!make_key(key, &*slot)) return nullptr;
  std::copy(iv.begin(), iv.end(), slot->context.iv.begin());
  return &*slot;
}

void ConnectxEngine::close_context(void* context) {
  const std::lock_guard lock(mutex_);
  auto* const slot = static_cast<Slot*>(context);
  slot->key.reset();
  slot->context.iv = {};
}

bool ConnectxEngine::mark(void* context, rte_mbuf* frame, const uint64_t* resync) {
  *RTE_MBUF_DYNFIELD(frame, mark_offset_, InlineMark*) = {
      &static_cast<Slot*>(context)->context, resync == nullptr ? InlineMark::kGoOn : *resync};
  frame->ol_flags |= RTE_MBUF_F_TX_SEC_OFFLOAD;
  return true;
}

bool ConnectxEngine::post(rte_mbuf* frame, ConnectxQueue* queue) const {
  const InlineMark mark = *RTE_MBUF_DYNFIELD(frame, mark_offset_, const InlineMark*);
  return queue->post(frame, *static_cast<const ConnectxContext*>(mark.context),
                     mark.resync == InlineMark::kGoOn ? nullptr : &mark.resync);
}

}  // namespace sluice::engine
