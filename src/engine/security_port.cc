// SPDX-License-Identifier: Apache-2.0
#include "engine/security_port.h"

#include <rte_crypto_sym.h>
#include <rte_cryptodev.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "crypto/wipe.h"
#include "engine/dpdk_compat.h"
#include "wire/esp.h"
#include "wire/record_packet.h"

namespace sluice::engine {
namespace {

const char* protocol_name(rte_security_session_protocol protocol) {
  switch (protocol) {
    case RTE_SECURITY_PROTOCOL_IPSEC:
      return "IPsec";
    case RTE_SECURITY_PROTOCOL_MACSEC:
      return "MACsec";
    case RTE_SECURITY_PROTOCOL_PDCP:
      return "PDCP";
    case RTE_SECURITY_PROTOCOL_DOCSIS:
      return "DOCSIS";
    default:
      return protocol == dpdk::kTlsRecord ? "TLS records" : "another protocol";
  }
}

constexpr uint32_t size_bit(size_t key_bytes) { return 1u << (key_bytes / 8); }

// The key sizes of AES-GCM with tags of TLS's size, a bit each.
uint32_t gcm_key_sizes(const rte_cryptodev_capabilities* capability) {
  uint32_t sizes = 0;
  for (; capability->op != RTE_CRYPTO_OP_TYPE_UNDEFINED; ++capability) {
    const auto& aead = capability->sym.aead;
    if (capability->sym.xform_type != RTE_CRYPTO_SYM_XFORM_AEAD) continue;
    if (aead.algo != RTE_CRYPTO_AEAD_AES_GCM || aead.digest_size.max < crypto::kTagSize) continue;
    for (const uint16_t size : {uint16_t{16}, uint16_t{32}}) {
      const bool step = aead.key_size.increment == 0
                            ? size == aead.key_size.min
                            : (size - aead.key_size.min) % aead.key_size.increment == 0;
      if (size >= aead.key_size.min && size <= aead.key_size.max && step) sizes |= size_bit(size);
    }
  }
  return sizes;
}

// Inline crypto alone, which writes what is sealed and its tag and nothing else: inline protocol
// would make the header too.
bool seals(const rte_security_capability& capability, SealedForm form) {
  if (capability.action != RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO) return false;
  if (form == SealedForm::kTlsRecord) return capability.protocol == dpdk::kTlsRecord;
  return capability.protocol == RTE_SECURITY_PROTOCOL_IPSEC &&
         capability.ipsec.proto == RTE_SECURITY_IPSEC_SA_PROTO_ESP &&
         capability.ipsec.mode == RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT &&
         capability.ipsec.direction == RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SecurityPort>> SecurityPort::open(void* instance, SealedForm form,
                                                                 uint32_t contexts, int socket,
                                                                 std::chrono::milliseconds drain) {
  std::unique_ptr<SecurityPort> port(new SecurityPort(instance, form, drain));
  std::string others;
  const rte_security_capability* each =
      rte_security_capabilities_get(dpdk::security_instance(instance));
  for (; each != nullptr && each->action != RTE_SECURITY_ACTION_TYPE_NONE; ++each) {
    if (seals(*each, form) && each->crypto_capabilities != nullptr) {
      port->key_sizes_ |= gcm_key_sizes(each->crypto_capabilities);
      port->metadata_ |= (each->ol_flags & RTE_SECURITY_TX_OLOAD_NEED_MDATA) != 0;
    } else {
      absl::StrAppend(&others, others.empty() ? "" : ", ", protocol_name(each->protocol));
    }
  }
  if (port->key_sizes_ == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the device seals no ", form == SealedForm::kEsp ? "ESP" : "TLS records",
                     ", but ", others.empty() ? "nothing" : others));
  }
  static std::atomic<uint32_t> serial{0};
  const unsigned size = rte_security_session_get_size(dpdk::security_instance(instance));
  port->pool_ = rte_mempool_create(absl::StrCat("security_", serial.fetch_add(1)).c_str(), contexts,
                                   size, 0, 0, nullptr, nullptr, nullptr, nullptr, socket, 0);
  if (port->pool_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", contexts,
                                                     " contexts of inline crypto (",
                                                     rte_strerror(rte_errno), "): raise -m"));
  }
  return port;
}

SecurityPort::~SecurityPort() {
  for (const Closed& each : closed_) destroy(each.context);
  rte_mempool_free(pool_);
}

bool SecurityPort::supports(crypto::AeadAlgorithm algorithm) const {
  const bool gcm = algorithm == crypto::AeadAlgorithm::kAes128Gcm ||
                   algorithm == crypto::AeadAlgorithm::kAes256Gcm;
  return gcm && (key_sizes_ & size_bit(crypto::key_size(algorithm))) != 0;
}

void* SecurityPort::open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                                 std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) {
  if (!supports(algorithm)) return nullptr;
  const bool esp = form_ == SealedForm::kEsp;
  std::array<uint8_t, crypto::kMaxKeySize> key_bytes;
  std::array<uint8_t, dpdk::kTlsNonceBytes> nonce;
  crypto::WipeOnExit wipe_key(&key_bytes);
  crypto::WipeOnExit wipe_nonce(&nonce);
  std::copy(key.begin(), key.end(), key_bytes.begin());
  std::copy(iv.begin(), iv.end(), nonce.begin());
  rte_crypto_sym_xform cipher{};
  cipher.type = RTE_CRYPTO_SYM_XFORM_AEAD;
  cipher.aead.op = RTE_CRYPTO_AEAD_OP_ENCRYPT;
  cipher.aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
  cipher.aead.key.data = key_bytes.data();
  cipher.aead.key.length = static_cast<uint16_t>(key.size());
  // RFC 4106: 8 bytes of it travel in each packet, the first 4 are the SA's salt.
  cipher.aead.iv.length = esp ? dpdk::kEspIvBytes : crypto::kNonceSize;
  cipher.aead.digest_length = crypto::kTagSize;
  cipher.aead.aad_length = esp ? wire::kEspAadSize : wire::kTlsHeaderSize;
  rte_security_session_conf conf{};
  conf.crypto_xform = &cipher;
  if (esp) {
    dpdk::set_esp(&conf, spi, nonce.data());
  } else {
    dpdk::set_tls_record(&conf, nonce.data());
  }
  crypto::WipeOnExit wipe_conf(&conf);
  const std::lock_guard lock(mutex_);
  destroy_drained();
  return rte_security_session_create(dpdk::security_instance(instance_), &conf, pool_);
}

void SecurityPort::destroy(void* context) {
  const int result = rte_security_session_destroy(dpdk::security_instance(instance_), context);
  SLUICE_CHECK(result == 0);  // The key would stay with the device.
}

void SecurityPort::destroy_drained() {
  const auto now = std::chrono::steady_clock::now();
  while (!closed_.empty() && now - closed_.front().at >= drain_) {
    destroy(closed_.front().context);
    closed_.pop_front();
  }
}

void SecurityPort::close_context(void* context) {
  const std::lock_guard lock(mutex_);
  closed_.push_back({context, std::chrono::steady_clock::now()});
  destroy_drained();
}

bool SecurityPort::mark(void* context, rte_mbuf* frame, const uint64_t* resync) {
  frame->ol_flags |= RTE_MBUF_F_TX_SEC_OFFLOAD;
  if (!metadata_) return resync == nullptr;  // It knows by the SPI.
  return rte_security_set_pkt_metadata(dpdk::security_instance(instance_), context, frame,
                                       const_cast<uint64_t*>(resync)) == 0;
}

}  // namespace sluice::engine
