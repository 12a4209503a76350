// SPDX-License-Identifier: Apache-2.0
#include "engine/model_esp.h"

#include "absl/status/status.h"

#ifdef SLUICE_HAS_SECURITY_DRIVER
#include <rte_cryptodev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_security_driver.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "base/byte_order.h"
#include "base/check.h"
#include "engine/dpdk_compat.h"
#include "engine/security_port.h"
#endif

namespace sluice::engine {

#ifdef SLUICE_HAS_SECURITY_DRIVER
namespace {

constexpr size_t kSaltBytes = 4;
constexpr size_t kIvBytes = 8;
constexpr size_t kAadBytes = 8;  // RFC 4106 §5, without extended sequence numbers.
constexpr size_t kTrailerBytes = 2;

// A security association.
struct Association {
  uint32_t spi = 0;
  crypto::AeadKey key;  // Its IV is the salt and zeros, so that a record's number is the IV.
};

// What set_pkt_metadata() leaves with a frame; the name and the size are those of model_nic.cc.
struct FrameMark {
  Association* association;
  uint64_t unused;
};

int mark_offset() {
  static const rte_mbuf_dynfield field = {.name = "sluice_inline_mark",
                                          .size = sizeof(FrameMark),
                                          .align = alignof(FrameMark),
                                          .flags = 0};
  return rte_mbuf_dynfield_register(&field);
}

Association* association_of(rte_security_session* session) {
  const auto at = reinterpret_cast<uintptr_t>(SECURITY_GET_SESS_PRIV(session));
  return reinterpret_cast<Association*>((at + alignof(Association) - 1) &
                                        ~(alignof(Association) - 1));
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
    aead.aad_size = {.min = kAadBytes, .max = kAadBytes, .increment = 0};
    aead.iv_size = {.min = kIvBytes, .max = kIvBytes, .increment = 0};
    out[1].op = RTE_CRYPTO_OP_TYPE_UNDEFINED;
    return out;
  }();
  return list.data();
}

const rte_security_capability* port_capabilities() {
  static const auto list = [] {
    std::array<rte_security_capability, 2> out{};
    out[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
    out[0].protocol = RTE_SECURITY_PROTOCOL_IPSEC;
    out[0].ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
    out[0].ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT;
    out[0].ipsec.direction = RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
    out[0].crypto_capabilities = cipher_capabilities();
    out[0].ol_flags = RTE_SECURITY_TX_OLOAD_NEED_MDATA;
    out[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
    return out;
  }();
  return list.data();
}

bool is_ours(const rte_security_session_conf& conf) {
  const rte_crypto_sym_xform* const cipher = conf.crypto_xform;
  return conf.action_type == RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO &&
         conf.protocol == RTE_SECURITY_PROTOCOL_IPSEC &&
         conf.ipsec.proto == RTE_SECURITY_IPSEC_SA_PROTO_ESP &&
         conf.ipsec.mode == RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT &&
         conf.ipsec.direction == RTE_SECURITY_IPSEC_SA_DIR_EGRESS && cipher != nullptr &&
         cipher->type == RTE_CRYPTO_SYM_XFORM_AEAD &&
         cipher->aead.algo == RTE_CRYPTO_AEAD_AES_GCM &&
         cipher->aead.op == RTE_CRYPTO_AEAD_OP_ENCRYPT && cipher->aead.iv.length == kIvBytes &&
         cipher->aead.digest_length == crypto::kTagSize;
}

class EspModel final : public ModelNic {
 public:
  EspModel(const Setup& setup, int offset)
      : ModelNic(setup.queues), setup_(setup), mark_offset_(offset), context_{} {
    context_.device = this;
    context_.ops = &operations();
  }

  absl::StatusOr<std::unique_ptr<InlineEngine>> open_engine(uint32_t contexts,
                                                            int socket) override {
    return SecurityPort::open(&context_, SealedForm::kEsp, contexts, socket, {});
  }
  size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                  rte_mempool* pool) override;

 private:
  static const rte_security_ops& operations();
  static EspModel& self(void* device) { return *static_cast<EspModel*>(device); }
  int open(const rte_security_session_conf& conf, Association* association);
  bool seal(const Association& association, rte_mbuf* frame);

  const Setup setup_;
  const int mark_offset_;
  rte_security_ctx context_;
  std::atomic<uint32_t> open_{0};
};

const rte_security_ops& EspModel::operations() {
  static const rte_security_ops table = [] {
    rte_security_ops ops{};
    ops.session_create = [](void* device, rte_security_session_conf* conf,
                            rte_security_session* session) {
      return self(device).open(*conf, new (association_of(session)) Association);
    };
    ops.session_destroy = [](void* device, rte_security_session* session) {
      Association* const own = association_of(session);
      self(device).setup_.backend->discard_key(&own->key);
      own->~Association();
      self(device).open_.fetch_sub(1, std::memory_order_relaxed);
      return 0;
    };
    ops.session_get_size = [](void*) -> unsigned {
      return sizeof(Association) + alignof(Association);
    };
    ops.set_pkt_metadata = [](void* device, rte_security_session* session, rte_mbuf* frame,
                              void* /*params*/) {
      *RTE_MBUF_DYNFIELD(frame, self(device).mark_offset_, FrameMark*) = {association_of(session),
                                                                          0};
      return 0;
    };
    ops.capabilities_get = [](void*) { return port_capabilities(); };
    return ops;
  }();
  return table;
}

int EspModel::open(const rte_security_session_conf& conf, Association* association) {
  if (!is_ours(conf)) return -ENOTSUP;
  if (open_.fetch_add(1, std::memory_order_relaxed) >= setup_.contexts) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return -ENOSPC;
  }
  const auto& aead = conf.crypto_xform->aead;
  const auto algorithm = aead.key.length == crypto::key_size(crypto::AeadAlgorithm::kAes128Gcm)
                             ? crypto::AeadAlgorithm::kAes128Gcm
                             : crypto::AeadAlgorithm::kAes256Gcm;
  std::array<uint8_t, crypto::kNonceSize> salted{};
  std::memcpy(salted.data(), &conf.ipsec.salt, kSaltBytes);
  association->spi = conf.ipsec.spi;
  if (setup_.backend->expand_key(algorithm, {aead.key.data, aead.key.length}, salted,
                                 &association->key)) {
    return 0;
  }
  open_.fetch_sub(1, std::memory_order_relaxed);
  return -ENOTSUP;
}

bool EspModel::seal(const Association& association, rte_mbuf* frame) {
  const size_t size = frame->data_len;
  if (frame->nb_segs != 1 || frame->l2_len == 0 || frame->l3_len == 0) return false;
  auto* const ip = rte_pktmbuf_mtod_offset(frame, uint8_t*, frame->l2_len);
  const bool v4 = (frame->ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
  const uint8_t protocol = v4 ? reinterpret_cast<const rte_ipv4_hdr*>(ip)->next_proto_id
                              : reinterpret_cast<const rte_ipv6_hdr*>(ip)->proto;
  const size_t headers = size_t{frame->l2_len} + frame->l3_len;
  const size_t least = headers + kAadBytes + kIvBytes + kTrailerBytes + crypto::kTagSize;
  if (protocol != IPPROTO_ESP || size < least) return false;
  uint8_t* const esp = ip + frame->l3_len;
  const size_t plaintext = size - headers - kAadBytes - kIvBytes - crypto::kTagSize;
  uint8_t* const begin = esp + kAadBytes + kIvBytes;
  const size_t padding = begin[plaintext - kTrailerBytes];
  const bool whole = padding + kTrailerBytes <= plaintext && plaintext % 4 == 0;
  if (!whole || base::load_be32(esp) != association.spi) return false;
  crypto::AeadJob job;
  job.key = &association.key;
  job.record_number = base::load_be64(esp + kAadBytes);  // The nonce is salt || IV.
  job.aad = esp;
  job.aad_length = kAadBytes;
  job.in = job.out = begin;
  job.length = static_cast<uint32_t>(plaintext);
  setup_.backend->submit_seal({&job, 1});
  return job.ok;
}

size_t EspModel::transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                          rte_mempool* /*pool*/) {
  SLUICE_CHECK(queue < setup_.queues);
  size_t count = 0;
  for (rte_mbuf* frame : frames) {
    const bool plain = (frame->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0;
    const auto* const mark = RTE_MBUF_DYNFIELD(frame, mark_offset_, const FrameMark*);
    const bool sealed = plain || seal(*mark->association, frame);
    if (!plain && sealed) counters_[queue].records.add();
    if (sealed && count < out.size()) {
      out[count++] = frame;
      continue;
    }
    counters_[queue].dropped.add();
    rte_pktmbuf_free(frame);
  }
  return count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelNic>> make_model_esp(const ModelNic::Setup& setup) {
  const int offset = mark_offset();
  if (offset < 0) {
    return absl::ResourceExhaustedError("no room in packet buffers for the model NIC");
  }
  return std::make_unique<EspModel>(setup, offset);
}

#else

absl::StatusOr<std::unique_ptr<ModelNic>> make_model_esp(const ModelNic::Setup& /*setup*/) {
  return absl::FailedPreconditionError(
      "this build has no model of rte_security: its DPDK came without rte_security_driver.h");
}

#endif

}  // namespace sluice::engine
