// SPDX-License-Identifier: Apache-2.0
//
// What models that are driven by rte_security have in common. Only where DPDK came with
// rte_security_driver.h.
#ifndef SLUICE_ENGINE_SECURITY_MODEL_H_
#define SLUICE_ENGINE_SECURITY_MODEL_H_

#include <rte_cryptodev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_security_driver.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <new>
#include <optional>

#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "engine/dpdk_compat.h"
#include "engine/inline_mark.h"
#include "engine/model_nic.h"
#include "engine/security_port.h"

namespace sluice::engine {

// As a port's list: AES-GCM alone, with additional data and an IV of so many bytes, and its end.
inline std::array<rte_cryptodev_capabilities, 2> gcm_capabilities(uint16_t aad, uint16_t iv) {
  std::array<rte_cryptodev_capabilities, 2> out{};
  out[0].op = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
  out[0].sym.xform_type = RTE_CRYPTO_SYM_XFORM_AEAD;
  auto& aead = out[0].sym.aead;
  aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
  aead.block_size = 16;
  aead.key_size = {.min = 16, .max = 32, .increment = 16};
  aead.digest_size = {.min = 16, .max = 16, .increment = 0};
  aead.aad_size = {.min = aad, .max = aad, .increment = 0};
  aead.iv_size = {.min = iv, .max = iv, .increment = 0};
  out[1].op = RTE_CRYPTO_OP_TYPE_UNDEFINED;
  return out;
}

// Offers an rte_security instance with operations of its own, as a driver does. `Context` is what
// the model keeps of a session, its `key` (a crypto::AeadKey) among that.
template <class Context>
class SecurityModel : public ModelNic {
 public:
  absl::StatusOr<std::unique_ptr<InlineEngine>> open_engine(uint32_t contexts,
                                                            int socket) override {
    return SecurityPort::open(&instance_, form_, contexts, socket, {});
  }

 protected:
  using Nonce = std::array<uint8_t, crypto::kNonceSize>;

  // `mark_offset`: of inline_mark_offset().
  SecurityModel(const Setup& setup, SealedForm form, int mark_offset)
      : ModelNic(setup.queues), setup_(setup), form_(form), mark_offset_(mark_offset), instance_{} {
    instance_.device = this;
    instance_.ops = &operations();
  }

  // The IV of a session's key, where the session is one that this model takes; it may note in
  // `context` what else it needs. Its cipher is AES-GCM, to encrypt.
  virtual std::optional<Nonce> accept(const rte_security_session_conf& conf, Context* context) = 0;
  virtual const rte_security_capability* capabilities() const = 0;

  const InlineMark& mark_of(rte_mbuf* frame) const {
    return *RTE_MBUF_DYNFIELD(frame, mark_offset_, const InlineMark*);
  }

  const Setup setup_;

 private:
  static SecurityModel& self(void* device) { return *static_cast<SecurityModel*>(device); }

  // What rte_security keeps for a driver has no alignment of its own.
  static Context* context_of(rte_security_session* session) {
    const auto at = reinterpret_cast<uintptr_t>(SECURITY_GET_SESS_PRIV(session));
    return reinterpret_cast<Context*>((at + alignof(Context) - 1) & ~(alignof(Context) - 1));
  }

  static const rte_security_ops& operations() {
    static const rte_security_ops table = [] {
      rte_security_ops ops{};
      ops.session_create = [](void* device, rte_security_session_conf* conf,
                              rte_security_session* session) {
        return self(device).open(*conf, new (context_of(session)) Context);
      };
      ops.session_destroy = [](void* device, rte_security_session* session) {
        Context* const own = context_of(session);
        self(device).setup_.backend->discard_key(&own->key);
        own->~Context();
        self(device).open_.fetch_sub(1, std::memory_order_relaxed);
        return 0;
      };
      ops.session_get_size = [](void*) -> unsigned { return sizeof(Context) + alignof(Context); };
      ops.set_pkt_metadata = [](void* device, rte_security_session* session, rte_mbuf* frame,
                                void* params) {
        const uint64_t resync =
            params == nullptr ? InlineMark::kGoOn : *static_cast<const uint64_t*>(params);
        *RTE_MBUF_DYNFIELD(frame, self(device).mark_offset_, InlineMark*) = {context_of(session),
                                                                             resync};
        return 0;
      };
      ops.capabilities_get = [](void* device) { return self(device).capabilities(); };
      return ops;
    }();
    return table;
  }

  int open(const rte_security_session_conf& conf, Context* context) {
    const rte_crypto_sym_xform* const cipher = conf.crypto_xform;
    if (conf.action_type != RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO || cipher == nullptr ||
        cipher->type != RTE_CRYPTO_SYM_XFORM_AEAD || cipher->aead.algo != RTE_CRYPTO_AEAD_AES_GCM ||
        cipher->aead.op != RTE_CRYPTO_AEAD_OP_ENCRYPT) {
      return -ENOTSUP;
    }
    const std::optional<Nonce> iv = accept(conf, context);
    if (!iv.has_value()) return -ENOTSUP;
    if (open_.fetch_add(1, std::memory_order_relaxed) >= setup_.contexts) {
      open_.fetch_sub(1, std::memory_order_relaxed);
      return -ENOSPC;
    }
    const auto& key = cipher->aead.key;
    const auto algorithm = key.length == crypto::key_size(crypto::AeadAlgorithm::kAes128Gcm)
                               ? crypto::AeadAlgorithm::kAes128Gcm
                               : crypto::AeadAlgorithm::kAes256Gcm;
    if (setup_.backend->expand_key(algorithm, {key.data, key.length}, *iv, &context->key)) return 0;
    open_.fetch_sub(1, std::memory_order_relaxed);
    return -ENOTSUP;
  }

  const SealedForm form_;
  const int mark_offset_;
  rte_security_ctx instance_;
  std::atomic<uint32_t> open_{0};
};

// A model, or why there can be none.
template <class Model>
absl::StatusOr<std::unique_ptr<ModelNic>> make_security_model(const ModelNic::Setup& setup) {
  const int offset = inline_mark_offset();
  if (offset < 0) {
    return absl::ResourceExhaustedError("no room in packet buffers for the model NIC");
  }
  return std::make_unique<Model>(setup, offset);
}

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SECURITY_MODEL_H_
