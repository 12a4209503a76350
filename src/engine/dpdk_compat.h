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

}  // namespace sluice::engine::dpdk

#endif  // SLUICE_ENGINE_DPDK_COMPAT_H_
