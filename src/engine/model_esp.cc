// SPDX-License-Identifier: Apache-2.0
#include "engine/model_esp.h"

#include "absl/status/status.h"

#ifdef SLUICE_HAS_SECURITY_DRIVER
#include <rte_ip.h>
#include <rte_mbuf.h>

#include <array>
#include <cstring>
#include <optional>

#include "base/byte_order.h"
#include "base/check.h"
#include "engine/security_model.h"
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

class EspModel final : public SecurityModel<Association> {
 public:
  EspModel(const Setup& setup, int mark_offset)
      : SecurityModel(setup, SealedForm::kEsp, mark_offset) {}

  size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                  rte_mempool* pool) override;

 private:
  std::optional<Nonce> accept(const rte_security_session_conf& conf,
                              Association* association) override;
  const rte_security_capability* capabilities() const override;
  bool seal(const Association& association, rte_mbuf* frame);
};

const rte_security_capability* EspModel::capabilities() const {
  static const auto ciphers = gcm_capabilities(kAadBytes, kIvBytes);
  static const auto list = [] {
    std::array<rte_security_capability, 2> out{};
    out[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
    out[0].protocol = RTE_SECURITY_PROTOCOL_IPSEC;
    out[0].ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
    out[0].ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT;
    out[0].ipsec.direction = RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
    out[0].crypto_capabilities = ciphers.data();
    out[0].ol_flags = RTE_SECURITY_TX_OLOAD_NEED_MDATA;
    out[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
    return out;
  }();
  return list.data();
}

std::optional<EspModel::Nonce> EspModel::accept(const rte_security_session_conf& conf,
                                                Association* association) {
  const auto& aead = conf.crypto_xform->aead;
  if (conf.protocol != RTE_SECURITY_PROTOCOL_IPSEC ||
      conf.ipsec.proto != RTE_SECURITY_IPSEC_SA_PROTO_ESP ||
      conf.ipsec.mode != RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT ||
      conf.ipsec.direction != RTE_SECURITY_IPSEC_SA_DIR_EGRESS || aead.iv.length != kIvBytes ||
      aead.digest_length != crypto::kTagSize) {
    return std::nullopt;
  }
  association->spi = conf.ipsec.spi;
  Nonce salted{};
  std::memcpy(salted.data(), &conf.ipsec.salt, kSaltBytes);
  return salted;
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
    const bool sealed = plain || seal(*static_cast<Association*>(mark_of(frame).context), frame);
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
  return make_security_model<EspModel>(setup);
}

#else

absl::StatusOr<std::unique_ptr<ModelNic>> make_model_esp(const ModelNic::Setup& /*setup*/) {
  return absl::FailedPreconditionError(
      "this build has no model of rte_security: its DPDK came without rte_security_driver.h");
}

#endif

}  // namespace sluice::engine
