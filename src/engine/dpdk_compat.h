// SPDX-License-Identifier: Apache-2.0
//
// Every difference between DPDK versions that concerns us, from 22.11 on. Only for .cc files of
// the engine: this header brings DPDK in.
#ifndef SLUICE_ENGINE_DPDK_COMPAT_H_
#define SLUICE_ENGINE_DPDK_COMPAT_H_

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_flow.h>
#include <rte_ip.h>
#include <rte_security.h>
#include <rte_version.h>

#include <cstdint>
#include <cstring>

namespace sluice::engine::dpdk {

// 24.11 replaced the bare array in the IPv6 header by a structure.
inline void set_ipv6_destination(rte_ipv6_hdr* header, const uint8_t address[16]) {
#if RTE_VERSION >= RTE_VERSION_NUM(24, 11, 0, 0)
  std::memcpy(header->dst_addr.a, address, 16);
#else
  std::memcpy(header->dst_addr, address, 16);
#endif
}

// 23.11 refuses a hash key without its length and the other way round; neither is given here.
inline void request_rss(rte_eth_conf* configuration, uint64_t hash_functions) {
  configuration->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  configuration->rx_adv_conf.rss_conf.rss_key = nullptr;
  configuration->rx_adv_conf.rss_conf.rss_key_len = 0;
  configuration->rx_adv_conf.rss_conf.rss_hf = hash_functions;
}

// 23.11 made what rte_security's functions take opaque.
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
using SecurityInstance = void;
#else
using SecurityInstance = rte_security_ctx;
#endif
inline SecurityInstance* security_instance(void* instance) {
  return static_cast<SecurityInstance*>(instance);
}

// TLS records came with 23.11. Before, they have the number that they got then, and the nonce
// travels as user data: no driver of that time takes either, but the model NIC does.
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
inline constexpr rte_security_session_protocol kTlsRecord = RTE_SECURITY_PROTOCOL_TLS_RECORD;
#else
inline constexpr auto kTlsRecord = static_cast<rte_security_session_protocol>(5);
#endif
inline constexpr size_t kTlsNonceBytes = 12;

// Of a session that writes TLS 1.3 records, the first with the number 0. `nonce` (RFC 8446 §5.3)
// must outlive the call that `conf` is for.
inline void set_tls_record(rte_security_session_conf* conf, uint8_t* nonce) {
  conf->action_type = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
  conf->protocol = kTlsRecord;
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
  conf->tls_record.ver = RTE_SECURITY_VERSION_TLS_1_3;
  conf->tls_record.type = RTE_SECURITY_TLS_SESS_TYPE_WRITE;
  conf->tls_record.tls_1_3.seq_no = 0;
  std::memcpy(conf->tls_record.tls_1_3.imp_nonce, nonce, kTlsNonceBytes);
#else
  conf->userdata = nonce;
#endif
}

inline const uint8_t* tls_record_nonce(const rte_security_session_conf& conf) {
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
  return conf.tls_record.tls_1_3.imp_nonce;
#else
  return static_cast<const uint8_t*>(conf.userdata);
#endif
}

inline constexpr size_t kEspIvBytes = 8;

// Of a session that seals packets of ESP with this SPI, in transport mode. `salt` is the first 4
// bytes of the nonce, in its order.
inline void set_esp(rte_security_session_conf* conf, uint32_t spi, const uint8_t* salt) {
  conf->action_type = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
  conf->protocol = RTE_SECURITY_PROTOCOL_IPSEC;
  conf->ipsec.spi = spi;
  std::memcpy(&conf->ipsec.salt, salt, sizeof(conf->ipsec.salt));
  conf->ipsec.direction = RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
  conf->ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
  conf->ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT;
}

}  // namespace sluice::engine::dpdk

#endif  // SLUICE_ENGINE_DPDK_COMPAT_H_
