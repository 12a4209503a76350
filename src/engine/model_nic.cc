// SPDX-License-Identifier: Apache-2.0
#include "engine/model_nic.h"

#include "absl/status/status.h"
#include "engine/eal_arguments.h"
#include "engine/model_connectx.h"
#include "engine/model_esp.h"

#ifdef SLUICE_HAS_SECURITY_DRIVER
#include <rte_cryptodev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_security_driver.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/check.h"
#include "engine/dpdk_compat.h"
#include "engine/model_frame.h"
#include "engine/security_port.h"
#endif

namespace sluice::engine {

std::vector<std::pair<const char*, uint64_t>> ModelNic::totals() const {
  uint64_t records = 0;
  uint64_t garbled = 0;
  uint64_t resyncs = 0;
  uint64_t dropped = 0;
  for (const Counters& queue : counters_) {
    records += queue.records.value();
    garbled += queue.garbled.value();
    resyncs += queue.resyncs.value();
    dropped += queue.dropped.value();
  }
  return {{"model_records", records},
          {"model_garbled", garbled},
          {"model_resyncs", resyncs},
          {"model_resync_bytes", resyncs * kResyncBytes},
          {"model_dropped", dropped}};
}

#ifdef SLUICE_HAS_SECURITY_DRIVER
namespace {

constexpr uint64_t kGoOn = UINT64_MAX;  // No record of a message has this number.

struct Session {
  crypto::AeadKey key;
  std::array<ModelPosition, kMaxPollingLcores> at;  // By queue.
};

// What set_pkt_metadata() leaves with a frame.
struct FrameMark {
  Session* session;
  uint64_t resync;
};

int mark_offset() {
  static const rte_mbuf_dynfield field = {.name = "sluice_inline_mark",  // connectx_engine.cc
                                          .size = sizeof(FrameMark),
                                          .align = alignof(FrameMark),
                                          .flags = 0};
  return rte_mbuf_dynfield_register(&field);
}

Session* session_of(rte_security_session* session) {
  const auto at = reinterpret_cast<uintptr_t>(SECURITY_GET_SESS_PRIV(session));
  return reinterpret_cast<Session*>((at + alignof(Session) - 1) & ~(alignof(Session) - 1));
}

const rte_cryptodev_capabilities* cipher_capabilities() {
  static const auto list = [] {
    std::array<rte_cryptodev_capabilities, 2> out{};
    out[0].op = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
    out[0].sym.xform_type = RTE_CRYPTO_SYM_XFORM_AEAD;
    auto& aead = out[0].sym.aead;
    aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
    aead.block_size = 16;
    aead.key_size = {.min = 16, .max = 32, .increment = 16};
    aead.digest_size = {.min = 16, .max = 16, .increment = 0};
    aead.aad_size = {.min = 5, .max = 5, .increment = 0};
    aead.iv_size = {.min = 12, .max = 12, .increment = 0};
    out[1].op = RTE_CRYPTO_OP_TYPE_UNDEFINED;
    return out;
  }();
  return list.data();
}

class Model final : public ModelNic {
 public:
  Model(const Setup& setup, int offset)
      : ModelNic(setup.queues), setup_(setup), mark_offset_(offset), context_{} {
    context_.device = this;
    context_.ops = &operations();
    for (uint16_t queue = 0; queue < setup.queues; ++queue) scratch_.emplace_back(kMaxModelFrame);
  }

  absl::StatusOr<std::unique_ptr<InlineEngine>> open_engine(uint32_t contexts,
                                                            int socket) override {
    return SecurityPort::open(&context_, SealedForm::kTlsRecord, contexts, socket, {});
  }
  size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                  rte_mempool* pool) override;

 private:
  static const rte_security_ops& operations();
  static Model& self(void* device) { return *static_cast<Model*>(device); }
  int open(const rte_security_session_conf& conf, Session* session);
  bool gather(uint16_t queue, const rte_mbuf& frame, ModelFrame* whole);
  void seal(uint16_t queue, const FrameMark& mark, const ModelFrame& whole);

  const Setup setup_;
  const int mark_offset_;
  rte_security_ctx context_;
  std::atomic<uint32_t> open_{0};
  std::vector<std::vector<uint8_t>> scratch_;  // By queue.
};

const rte_security_ops& Model::operations() {
  static const rte_security_ops table = [] {
    rte_security_ops ops{};
    ops.session_create = [](void* device, rte_security_session_conf* conf,
                            rte_security_session* session) {
      return self(device).open(*conf, new (session_of(session)) Session);
    };
    ops.session_destroy = [](void* device, rte_security_session* session) {
      Session* const own = session_of(session);
      self(device).setup_.backend->discard_key(&own->key);
      own->~Session();
      self(device).open_.fetch_sub(1, std::memory_order_relaxed);
      return 0;
    };
    ops.session_get_size = [](void*) -> unsigned { return sizeof(Session) + alignof(Session); };
    ops.set_pkt_metadata = [](void* device, rte_security_session* session, rte_mbuf* frame,
                              void* params) {
      const FrameMark mark{session_of(session),
                           params == nullptr ? kGoOn : *static_cast<const uint64_t*>(params)};
      *RTE_MBUF_DYNFIELD(frame, self(device).mark_offset_, FrameMark*) = mark;
      return 0;
    };
    ops.capabilities_get = [](void*) {
      static const auto list = [] {
        std::array<rte_security_capability, 2> out{};
        out[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
        out[0].protocol = dpdk::kTlsRecord;
        out[0].crypto_capabilities = cipher_capabilities();
        out[0].ol_flags = RTE_SECURITY_TX_OLOAD_NEED_MDATA;
        out[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
        return out;
      }();
      return list.data();
    };
    return ops;
  }();
  return table;
}

int Model::open(const rte_security_session_conf& conf, Session* session) {
  const rte_crypto_sym_xform* const cipher = conf.crypto_xform;
  const uint8_t* const nonce = dpdk::tls_record_nonce(conf);
  if (conf.action_type != RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO ||
      conf.protocol != dpdk::kTlsRecord || cipher == nullptr || nonce == nullptr ||
      cipher->type != RTE_CRYPTO_SYM_XFORM_AEAD || cipher->aead.algo != RTE_CRYPTO_AEAD_AES_GCM ||
      cipher->aead.op != RTE_CRYPTO_AEAD_OP_ENCRYPT) {
    return -ENOTSUP;
  }
  if (open_.fetch_add(1, std::memory_order_relaxed) >= setup_.contexts) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return -ENOSPC;
  }
  const auto algorithm =
      cipher->aead.key.length == crypto::key_size(crypto::AeadAlgorithm::kAes128Gcm)
          ? crypto::AeadAlgorithm::kAes128Gcm
          : crypto::AeadAlgorithm::kAes256Gcm;
  const bool taken = setup_.backend->expand_key(
      algorithm, {cipher->aead.key.data, cipher->aead.key.length},
      std::span<const uint8_t, crypto::kNonceSize>(nonce, crypto::kNonceSize), &session->key);
  if (taken) return 0;
  open_.fetch_sub(1, std::memory_order_relaxed);
  return -ENOTSUP;
}

// Copies the frame together, and looks for its record.
bool Model::gather(uint16_t queue, const rte_mbuf& frame, ModelFrame* whole) {
  if (frame.pkt_len > kMaxModelFrame) return false;
  whole->data = scratch_[queue].data();
  whole->size = frame.pkt_len;
  whole->l2 = frame.l2_len;
  whole->l3 = frame.l3_len;
  whole->headers = whole->l2 + whole->l3 + frame.l4_len;
  whole->segment = (frame.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ? frame.tso_segsz : 0;
  whole->v4 = (frame.ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
  whole->port = frame.port;
  size_t at = 0;
  for (const rte_mbuf* part = &frame; part != nullptr; part = part->next) {
    std::memcpy(whole->data + at, rte_pktmbuf_mtod(part, const uint8_t*), part->data_len);
    at += part->data_len;
  }
  return holds_a_record(*whole);
}

void Model::seal(uint16_t queue, const FrameMark& mark, const ModelFrame& whole) {
  Counters& counters = counters_[queue];
  ModelPosition& at = mark.session->at[queue];
  if (mark.resync != kGoOn) {
    at = {.synced = true, .sequence = sequence_of(whole), .number = mark.resync};
    counters.resyncs.add();
  }
  counters.records.add();
  if (!seal_in_turn(whole, mark.session->key, &at, setup_.backend)) counters.garbled.add();
}

size_t Model::transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                       rte_mempool* pool) {
  SLUICE_CHECK(queue < setup_.queues);
  size_t count = 0;
  for (rte_mbuf* frame : frames) {
    const bool plain = (frame->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0;
    if (plain && count < out.size()) {
      out[count++] = frame;
      continue;
    }
    ModelFrame whole;
    bool all = false;
    if (!plain && gather(queue, *frame, &whole)) {
      seal(queue, *RTE_MBUF_DYNFIELD(frame, mark_offset_, FrameMark*), whole);
      all = cut_frame(whole, out, &count, pool);
    }
    if (!all) counters_[queue].dropped.add();
    rte_pktmbuf_free(frame);
  }
  return count;
}

absl::StatusOr<std::unique_ptr<ModelNic>> make_security_model(const ModelNic::Setup& setup) {
  const int offset = mark_offset();
  if (offset < 0) {
    return absl::ResourceExhaustedError("no room in packet buffers for the model NIC");
  }
  return std::make_unique<Model>(setup, offset);
}

}  // namespace

#else
namespace {

absl::StatusOr<std::unique_ptr<ModelNic>> make_security_model(const ModelNic::Setup& /*setup*/) {
  return absl::FailedPreconditionError(
      "this build has no model of rte_security: its DPDK came without rte_security_driver.h; take "
      "the model of a ConnectX");
}

}  // namespace
#endif

absl::StatusOr<std::unique_ptr<ModelNic>> ModelNic::create(const Setup& setup) {
  if (setup.queues > kMaxPollingLcores) {
    return absl::InvalidArgumentError("the model NIC has fewer queues than that");
  }
  if (!setup.backend->supports(crypto::AeadAlgorithm::kAes128Gcm)) {
    return absl::FailedPreconditionError("the model NIC seals with AES-GCM: choose that cipher");
  }
  switch (setup.engine) {
    case ModelEngine::kSecurity:
      return make_security_model(setup);
    case ModelEngine::kConnectx:
      return make_model_connectx(setup);
    case ModelEngine::kEsp:
      return make_model_esp(setup);
  }
  return absl::InvalidArgumentError("unknown model NIC");
}

}  // namespace sluice::engine
