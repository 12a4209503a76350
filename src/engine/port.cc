// SPDX-License-Identifier: Apache-2.0
#include "engine/port.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "engine/connectx_device.h"
#include "engine/dpdk_compat.h"
#include "engine/eal.h"
#include "engine/interrupt_thread.h"
#include "engine/limits.h"
#include "engine/security_port.h"

namespace sluice::engine {
namespace {

constexpr uint32_t kFrameOverhead = 22;  // Ethernet header, VLAN tag, checksum.
constexpr uint32_t kDefaultMtu = 1500;

absl::Status dpdk_error(const std::string& device, const std::string& what, int result) {
  return absl::FailedPreconditionError(
      absl::StrCat(device, ": ", what, ": ", rte_strerror(result < 0 ? -result : rte_errno)));
}

std::string unique_name(const std::string& prefix) {
  static std::atomic<uint32_t> serial{0};
  return absl::StrCat(prefix.substr(0, 12), "_", serial.fetch_add(1));
}

// Devices without an address of their own get one that is locally administered and random.
wire::MacAddress random_mac() {
  rte_ether_addr address{};
  rte_eth_random_addr(address.addr_bytes);
  return wire::MacAddress::from_bytes(address.addr_bytes);
}

}  // namespace

CableBox::~CableBox() {
  for (auto& [name, cable] : cables_) {
    for (auto& direction : cable.rings) {
      for (rte_ring* ring : direction) {
        void* frame = nullptr;
        while (rte_ring_dequeue(ring, &frame) == 0) {
          rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
        }
        rte_ring_free(ring);
      }
    }
  }
}

absl::Status CableBox::add_end(const std::string& cable, uint8_t lcores, uint32_t descriptors) {
  Cable& entry = cables_[cable];
  if (entry.lcores.size() == 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("pair:", cable, " has two ends, but a third port names it"));
  }
  entry.lcores.push_back(lcores);
  entry.descriptors = std::max(entry.descriptors, descriptors);
  return absl::OkStatus();
}

absl::Status CableBox::check() const {
  for (const auto& [name, cable] : cables_) {
    if (cable.lcores.size() == 2) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("pair:", name, " has one end only: name it in a second port"));
  }
  return absl::OkStatus();
}

absl::Status CableBox::make_rings(const std::string& name, Cable* cable) {
  for (size_t end = 0; end < 2; ++end) {
    for (size_t i = 0; i < cable->lcores[end]; ++i) {
      rte_ring* ring =
          rte_ring_create(unique_name(name).c_str(), std::bit_ceil(cable->descriptors),
                          static_cast<int>(rte_socket_id()), RING_F_SP_ENQ | RING_F_SC_DEQ);
      if (ring == nullptr) {
        return absl::ResourceExhaustedError(absl::StrCat("no memory for the rings of pair:", name,
                                                         ": raise -m, or use fewer descriptors"));
      }
      cable->rings[end].push_back(ring);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint16_t> CableBox::open_end(const std::string& cable) {
  Cable& entry = cables_.at(cable);
  if (entry.opened == 0) {
    if (auto status = make_rings(cable, &entry); !status.ok()) return status;
  }
  const size_t end = entry.opened++;
  SLUICE_CHECK(end < 2);
  const auto& in = entry.rings[1 - end];
  const auto& out = entry.rings[end];
  const int id =
      rte_eth_from_rings(unique_name(cable).c_str(), in.data(), static_cast<unsigned>(in.size()),
                         out.data(), static_cast<unsigned>(out.size()), rte_socket_id());
  if (id < 0) return dpdk_error(absl::StrCat("pair:", cable), "cannot make the port", id);
  return static_cast<uint16_t>(id);
}

absl::StatusOr<std::unique_ptr<Port>> Port::open(const PortConfig& config, const std::string& node,
                                                 uint8_t lcores, CableBox* cables) {
  if (auto status = check_port_config(config); !status.ok()) return status;
  auto spec = parse_device(config.device);
  if (!spec.ok()) return spec.status();
  complete_device(&*spec, lcores, config.mtu);
  std::unique_ptr<Port> port(new Port(config, lcores));
  port->report_.node = node;
  if (auto status = port->attach(*spec, cables); !status.ok()) return status;
  if (auto status = port->find_facts(*spec); !status.ok()) return status;
  if (auto status = port->set_mtu(*spec); !status.ok()) return status;
  return port;
}

absl::Status Port::attach(const DeviceSpec& spec, CableBox* cables) {
  if (spec.kind == DeviceKind::kPair) {
    auto id = cables->open_end(spec.name);
    if (!id.ok()) return id.status();
    id_ = *id;
    removable_ = true;
  } else {
    const bool there = rte_eth_dev_get_port_by_name(spec.name.c_str(), &id_) == 0;
    if (!there && spec.kind == DeviceKind::kExisting) {
      return absl::NotFoundError(absl::StrCat(
          "no port ", spec.name, ": make it with the EAL argument --vdev, or name the device"));
    }
    if (!there) {
      if (auto status = probe(spec); !status.ok()) return status;
    }
  }
  attached_ = true;
  return absl::OkStatus();
}

absl::Status Port::probe(const DeviceSpec& spec) {
  remove_dead_socket(spec);
  int result = 0;
  const std::string log = capture_log([&] { result = rte_dev_probe(spec.text().c_str()); });
  if (result == 0) result = rte_eth_dev_get_port_by_name(spec.name.c_str(), &id_);
  if (result == 0) {
    removable_ = spec.kind == DeviceKind::kVirtual;
    return absl::OkStatus();
  }
  if (log.find("parse device") != std::string::npos) {
    return absl::NotFoundError(explain_eal_failure(log, rte_strerror(-result)));
  }
  const std::string line = last_log_line(log);
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot open ", spec.text(), ": ", line.empty() ? std::string(rte_strerror(-result)) : line,
      "; check its arguments, that what they name exists, and your privileges"));
}

absl::Status Port::find_facts(const DeviceSpec& spec) {
  rte_eth_dev_info info{};
  if (const int result = rte_eth_dev_info_get(id_, &info); result != 0) {
    return dpdk_error(spec.name, "the device does not describe itself", result);
  }
  char name[RTE_ETH_NAME_MAX_LEN] = {};
  rte_eth_dev_get_name_by_port(id_, name);
  report_.name = name;
  report_.driver = info.driver_name != nullptr ? info.driver_name : "?";
  driven_by_peer_ = report_.driver == "net_memif";
  if (driven_by_peer_ && !unmapping_waits()) {
    feature("peer's exit", "unguarded",
            "a shared DPDK unmaps the rings under a burst: end the traffic before the peer");
  }
  device_ = info.device;
  socket_ = rte_eth_dev_socket_id(id_);
  rte_ether_addr address{};
  const bool has_mac = rte_eth_macaddr_get(id_, &address) == 0;
  mac_ = wire::MacAddress::from_bytes(address.addr_bytes);
  if (!has_mac || mac_.is_zero() || mac_.is_group()) mac_ = random_mac();
  report_.mac = wire::format_mac_address(mac_);
  for (const IpPrefix& prefix : config_.addresses) {
    report_.addresses.push_back(absl::StrCat(wire::format_ip_address(prefix.address), "/",
                                             static_cast<unsigned>(prefix.length)));
  }
  const bool pair = spec.kind == DeviceKind::kPair;
  rx_queues_ = pair ? info.max_rx_queues : std::min<uint16_t>(info.max_rx_queues, lcores_);
  tx_queues_ = std::min<uint16_t>(info.max_tx_queues, lcores_);
  if (rx_queues_ == 0 || tx_queues_ == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(spec.name, ": the device cannot both receive and send"));
  }
  report_.rx_queues = rx_queues_;
  report_.tx_queues = tx_queues_;
  choose_offloads(info.tx_offload_capa, info.rx_offload_capa);
  return absl::OkStatus();
}

absl::Status Port::set_mtu(const DeviceSpec& spec) {
  uint32_t own = kDefaultMtu;
  if (const auto kernel = kernel_mtu(spec)) {
    own = std::min(*kernel, limits::kMaxMtu);
  } else if (spec.kind == DeviceKind::kPci) {
    uint16_t mtu = 0;
    if (rte_eth_dev_get_mtu(id_, &mtu) == 0 && mtu >= limits::kMinMtu) own = mtu;
  }
  mtu_ = config_.mtu != 0 ? config_.mtu : own;
  if (mtu_ < limits::kMinMtu) {
    return absl::FailedPreconditionError(absl::StrCat(
        spec.name, ": its MTU is ", mtu_, ", Sluice needs ", limits::kMinMtu, ": raise it"));
  }
  const auto kernel = kernel_mtu(spec);
  if (kernel && *kernel < mtu_) {
    return absl::FailedPreconditionError(absl::StrCat(spec.name, ": the interface's MTU is ",
                                                      *kernel, ", not ", mtu_,
                                                      ": raise it with ip link"));
  }
  report_.mtu = mtu_;
  buffer_bytes_ = std::max({mtu_ + kFrameOverhead, device_frame_bytes(spec),
                            static_cast<uint32_t>(RTE_MBUF_DEFAULT_DATAROOM)});
  return absl::OkStatus();
}

void Port::feature(const std::string& what, const std::string& choice, const std::string& why) {
  report_.features.push_back({what, choice, why});
}

void Port::choose_offloads(uint64_t tx_capabilities, uint64_t rx_capabilities) {
  constexpr uint64_t kUdp = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  if (!config_.offloads) {
    feature("checksum offload", "no", "turned off");
  } else if ((tx_capabilities & kUdp) != 0) {
    checksum_offload_ = true;
    tx_offloads_ |= kUdp;
    feature("checksum offload", "yes", "the device computes UDP checksums");
  } else {
    feature("checksum offload", "no", "the device has none: zero on IPv4, computed on IPv6");
  }
  const bool segments = (tx_capabilities & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
  feature("multi segments", segments ? "there, not used" : "no", "every frame lies in one buffer");
  const bool scatter = (rx_capabilities & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
  feature("receive scatter", scatter ? "there, not used" : "no", "buffers hold a whole frame");
}

// A device that seals records is found and named, but not used: rte_security leaves it to each
// driver how it is told of a resync, and no driver yet seals TLS records at transmit, by which that
// could be known. ESP has nothing to be told of.
void Port::find_sealing_device(bool esp) {
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(id_, &info);
  void* const instance = rte_eth_dev_get_sec_ctx(id_);
  const bool has = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_SECURITY) != 0 && instance != nullptr;
  if (report_.driver.starts_with("mlx5") && !esp) {
    sealing_ = describe_connectx(device_ == nullptr ? "" : rte_dev_name(device_));
  } else if (!has) {
    sealing_ = esp ? "the device has no rte_security"
                   : "the device has none: it is no ConnectX, and has no rte_security";
  } else {
    auto found = SecurityPort::open(instance, esp ? SealedForm::kEsp : SealedForm::kTlsRecord,
                                    limits::kMaxInlineContexts, socket_, limits::kContextDrain);
    if (!found.ok()) {
      sealing_ = std::string(found.status().message());
    } else if (!esp) {
      sealing_ = "the device seals TLS records, but its driver is not known here";
    } else {
      sealing_ = "the device seals ESP (model-tested, not run on hardware)";
      inline_engine_ = *std::move(found);
      tx_offloads_ |= RTE_ETH_TX_OFFLOAD_SECURITY;
    }
  }
  feature("inline crypto", inline_engine_ != nullptr ? "yes" : "no", sealing_);
}

absl::Status Port::find_inline_crypto(crypto::AeadBackend* backend, bool esp) {
  if (config_.model_contexts == 0) {
    find_sealing_device(esp);
    return absl::OkStatus();
  }
  auto model = ModelNic::create({.engine = config_.model_engine,
                                 .queues = tx_queues_,
                                 .contexts = config_.model_contexts,
                                 .backend = backend});
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  auto engine = model_->open_engine(config_.model_contexts, socket_);
  if (!engine.ok()) return engine.status();
  inline_engine_ = *std::move(engine);
  const bool connectx = config_.model_engine == ModelEngine::kConnectx;
  sealing_ = absl::StrCat("a model ", connectx ? "ConnectX" : "NIC", " in software with ",
                          config_.model_contexts, " contexts (model-tested, not run on hardware)");
  feature("inline crypto", "model", sealing_);
  return absl::OkStatus();
}

uint32_t Port::buffers_per_lcore() const {
  // What the rings can hold, the bursts under way, the other lcores' and the control thread's
  // rings, and what caches keep.
  const uint32_t queues = (rx_queues_ + lcores_ - 1u) / lcores_;
  return config_.descriptors * (queues + 1) + limits::kSpareBuffersOfPort;
}

absl::Status Port::configure(const std::vector<rte_mempool*>& pools, uint16_t base_port,
                             wire::Encapsulation encapsulation) {
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(id_, &info);
  rte_eth_conf conf{};
  conf.txmode.offloads = tx_offloads_;
  // What a device states is a limit on hardware; virtual devices state the Ethernet default and
  // carry whatever fits their buffers.
  const uint32_t stated =
      std::min<uint32_t>(info.max_mtu, info.max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN);
  conf.rxmode.mtu = std::min(mtu_, stated);
  if (parse_device(config_.device)->kind == DeviceKind::kPci && stated < mtu_) {
    return absl::InvalidArgumentError(
        absl::StrCat(report_.name, ": the device carries an MTU of at most ", stated));
  }
  if (rx_queues_ > 1 && info.flow_type_rss_offloads != 0 && config_.offloads) {
    dpdk::request_rss(&conf, info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP));
  }
  conf.intr_conf.rxq = interrupts_ ? 1 : 0;
  int result = 0;
  const std::string log =
      capture_log([&] { result = rte_eth_dev_configure(id_, rx_queues_, tx_queues_, &conf); });
  if (result != 0) return dpdk_error(report_.name, last_log_line(log), result);
  if (auto status = set_up_queues(pools); !status.ok()) return status;
  steer(base_port, encapsulation);
  return absl::OkStatus();
}

absl::Status Port::set_up_queues(const std::vector<rte_mempool*>& pools) {
  rx_descriptors_ = static_cast<uint16_t>(config_.descriptors);
  tx_descriptors_ = rx_descriptors_;
  rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx_descriptors_, &tx_descriptors_);
  const unsigned socket =
      socket_ < 0 ? static_cast<unsigned>(SOCKET_ID_ANY) : static_cast<unsigned>(socket_);
  for (uint16_t queue = 0; queue < rx_queues_; ++queue) {
    const int result = rte_eth_rx_queue_setup(id_, queue, rx_descriptors_, socket, nullptr,
                                              pools[queue % lcores_]);
    if (result != 0) return dpdk_error(report_.name, "cannot set up a receive queue", result);
  }
  for (uint16_t queue = 0; queue < tx_queues_; ++queue) {
    const int result = rte_eth_tx_queue_setup(id_, queue, tx_descriptors_, socket, nullptr);
    if (result != 0) return dpdk_error(report_.name, "cannot set up a transmit queue", result);
  }
  return absl::OkStatus();
}

std::vector<uint16_t> Port::rx_queues_of(uint8_t lcore) const {
  std::vector<uint16_t> queues;
  for (uint16_t queue = lcore; queue < rx_queues_; queue = static_cast<uint16_t>(queue + lcores_)) {
    queues.push_back(queue);
  }
  return queues;
}

absl::StatusOr<std::vector<RxInterrupt>> Port::interrupts_of(uint8_t lcore) const {
  std::vector<RxInterrupt> out;
  for (const uint16_t queue : rx_queues_of(lcore)) {
    auto found = RxInterrupt::find(id_, queue);
    if (!found.ok()) {
      return absl::UnimplementedError(
          absl::StrCat(report_.name, ": ", found.status().message(), " (", report_.driver,
                       "), by which lcores were to wake: let them sleep in steps, as sleep:1ms "
                       "does, or poll"));
    }
    out.push_back(*found);
  }
  return out;
}

absl::Status Port::start() {
  int result = 0;
  const std::string log = capture_log([&] { result = rte_eth_dev_start(id_); });
  if (result != 0) {
    return dpdk_error(report_.name, absl::StrCat("cannot start: ", last_log_line(log)), result);
  }
  started_ = true;
  receive_groups();
  return absl::OkStatus();
}

// Neighbour discovery uses multicast; a device that cannot be asked for it passes it as a rule.
void Port::receive_groups() {
  capture_log([&] {
    if (rte_eth_allmulticast_enable(id_) != 0) rte_eth_promiscuous_enable(id_);
  });
}

void Port::stop() {
  if (!started_) return;
  started_ = false;
  if (driven_by_peer_) return close();
  capture_log([&] { rte_eth_dev_stop(id_); });
}

void Port::close() {
  const std::lock_guard lock(mutex_);
  if (!attached_ || closed_) return;
  last_stats_ = read_stats();
  const auto close_device = [this] {
    if (driven_by_peer_) rte_eth_dev_stop(id_);
    rte_eth_dev_close(id_);
  };
  capture_log([&] { driven_by_peer_ ? run_on_interrupt_thread(close_device) : close_device(); });
  closed_ = true;
}

Port::~Port() {
  stop();
  close();
  if (removable_ && device_ != nullptr) capture_log([&] { rte_dev_remove(device_); });
}

bool Port::link_up() const {
  const std::lock_guard lock(mutex_);
  rte_eth_link link{};
  return !closed_ && rte_eth_link_get_nowait(id_, &link) == 0 &&
         link.link_status == RTE_ETH_LINK_UP;
}

PortStats Port::stats() const {
  const std::lock_guard lock(mutex_);
  return closed_ ? last_stats_ : read_stats();
}

PortStats Port::read_stats() const {
  PortStats out;
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id_, &stats) == 0) {
    out.rx_packets = stats.ipackets;
    out.tx_packets = stats.opackets;
    out.rx_bytes = stats.ibytes;
    out.tx_bytes = stats.obytes;
    out.rx_missed = stats.imissed;
    out.rx_errors = stats.ierrors;
    out.tx_errors = stats.oerrors;
    out.rx_no_mbuf = stats.rx_nombuf;
  }
  if (model_ != nullptr) {
    for (const auto& [name, value] : model_->totals()) out.extended.emplace_back(name, value);
  }
  const int count = rte_eth_xstats_get(id_, nullptr, 0);
  if (count <= 0) return out;
  std::vector<rte_eth_xstat> values(static_cast<size_t>(count));
  std::vector<rte_eth_xstat_name> names(static_cast<size_t>(count));
  const auto size = static_cast<unsigned>(count);
  if (rte_eth_xstats_get(id_, values.data(), size) != count) return out;
  if (rte_eth_xstats_get_names(id_, names.data(), size) != count) return out;
  for (const rte_eth_xstat& value : values) {
    out.extended.emplace_back(names[value.id].name, value.value);
  }
  return out;
}

void Port::clear_stats() {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  rte_eth_stats_reset(id_);
  rte_eth_xstats_reset(id_);
}

}  // namespace sluice::engine
