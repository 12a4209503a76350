// SPDX-License-Identifier: Apache-2.0
//
// A network device of any driver: found, set up, started, stopped, closed.
#ifndef SLUICE_ENGINE_PORT_H_
#define SLUICE_ENGINE_PORT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/config.h"
#include "engine/device.h"
#include "engine/inline_engine.h"
#include "engine/model_nic.h"
#include "engine/report.h"
#include "engine/rx_interrupt.h"
#include "engine/stats.h"
#include "wire/ip_address.h"

struct rte_device;
struct rte_flow;
struct rte_mempool;
struct rte_ring;

namespace sluice::engine {

// The cables between ports of one engine: pairs of rings. Must outlive the ports.
class CableBox {
 public:
  CableBox() = default;
  ~CableBox();
  CableBox(const CableBox&) = delete;
  CableBox& operator=(const CableBox&) = delete;

  // Announces one end of a cable and its queues, all ends before the first open_end().
  absl::Status add_end(const std::string& cable, uint8_t lcores, uint32_t descriptors);
  // Makes the port of the next end; returns DPDK's number.
  absl::StatusOr<uint16_t> open_end(const std::string& cable);
  // Every cable has two ends.
  absl::Status check() const;

 private:
  struct Cable {
    std::vector<uint8_t> lcores;  // Of the ends.
    uint32_t descriptors = 0;
    std::vector<rte_ring*> rings[2];  // From end 0, from end 1; one per sending lcore.
    size_t opened = 0;
  };
  absl::Status make_rings(const std::string& name, Cable* cable);

  std::map<std::string, Cable> cables_;
};

class Port {
 public:
  // Finds or makes the device for `lcores` lcores; its MTU and queues are known afterwards.
  static absl::StatusOr<std::unique_ptr<Port>> open(const PortConfig& config,
                                                    const std::string& node, uint8_t lcores,
                                                    CableBox* cables);
  // Stops and closes.
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Bytes that a receive buffer must hold, without headroom.
  uint32_t buffer_bytes() const { return buffer_bytes_; }
  // Buffers that one lcore's queues can hold.
  uint32_t buffers_per_lcore() const;

  // Before configure(): lcores are to be woken by packets.
  void want_interrupts() { interrupts_ = true; }
  // After start(): those of the lcore's queues. Unimplemented when the device has none; the text
  // says what to do instead.
  absl::StatusOr<std::vector<RxInterrupt>> interrupts_of(uint8_t lcore) const;

  // Sets up the queues; `pools` has one per lcore. Steers lane ports to queues where it can.
  absl::Status configure(const std::vector<rte_mempool*>& pools, uint16_t base_port,
                         wire::Encapsulation encapsulation);
  // Finds what seals at transmit, records or, with `esp`, packets of ESP: the device, or with
  // PortConfig::model_contexts a model before it, which seals with `backend`. To be called once,
  // before configure().
  absl::Status find_inline_crypto(crypto::AeadBackend* backend, bool esp);
  absl::Status start();
  // No lcore may poll it any more. One that is driven by its peer is closed too, in one step: no
  // peer can plug itself into a port that will not be polled again.
  void stop();

  uint16_t id() const { return id_; }
  const wire::MacAddress& mac() const { return mac_; }
  uint32_t mtu() const { return mtu_; }
  int socket() const { return socket_; }
  bool checksum_offload() const { return checksum_offload_; }
  uint8_t senders() const { return static_cast<uint8_t>(tx_queues_); }
  std::vector<uint16_t> rx_queues_of(uint8_t lcore) const;
  int32_t tx_queue_of(uint8_t lcore) const { return lcore < tx_queues_ ? lcore : -1; }
  InlineEngine* inline_engine() const { return inline_engine_.get(); }  // Null where nothing seals.
  ModelNic* model() const { return model_.get(); }
  const std::string& sealing() const { return sealing_; }  // What does, or why nothing does.
  const PortConfig& config() const { return config_; }
  const PortReport& report() const { return report_; }

  // The driver changes the port on DPDK's interrupt thread as the peer, another process, comes and
  // goes: interrupt_thread.h says what that asks of us.
  bool driven_by_peer() const { return driven_by_peer_; }

  // Any thread, until the port is destroyed; after its end what it last was.
  bool link_up() const;
  PortStats stats() const;
  void clear_stats();

 private:
  Port(const PortConfig& config, uint8_t lcores) : config_(config), lcores_(lcores) {}
  absl::Status attach(const DeviceSpec& spec, CableBox* cables);
  void find_sealing_device(bool esp);
  absl::Status probe(const DeviceSpec& spec);
  absl::Status find_facts(const DeviceSpec& spec);
  absl::Status set_mtu(const DeviceSpec& spec);
  absl::Status set_up_queues(const std::vector<rte_mempool*>& pools);
  void choose_offloads(uint64_t tx_capabilities, uint64_t rx_capabilities);
  void receive_groups();
  void close();
  PortStats read_stats() const;
  void steer(uint16_t base_port, wire::Encapsulation encapsulation);
  void feature(const std::string& what, const std::string& choice, const std::string& why);

  PortConfig config_;
  uint8_t lcores_;
  uint16_t id_ = UINT16_MAX;
  bool attached_ = false;
  bool removable_ = false;  // We made the device, so we remove it.
  bool started_ = false;
  bool driven_by_peer_ = false;
  bool interrupts_ = false;
  rte_device* device_ = nullptr;
  mutable std::mutex mutex_;  // Keeps close() and whoever asks for figures apart.
  bool closed_ = false;
  PortStats last_stats_;  // Of a port that is closed.
  wire::MacAddress mac_;
  uint32_t mtu_ = 0;
  uint32_t buffer_bytes_ = 0;
  int socket_ = -1;
  uint16_t rx_queues_ = 0;
  uint16_t tx_queues_ = 0;
  uint16_t rx_descriptors_ = 0;
  uint16_t tx_descriptors_ = 0;
  uint64_t tx_offloads_ = 0;
  bool checksum_offload_ = false;
  std::vector<rte_flow*> flows_;
  std::unique_ptr<ModelNic> model_;
  std::unique_ptr<InlineEngine> inline_engine_;  // The model's; after it, so that it goes first.
  std::string sealing_;
  PortReport report_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_PORT_H_
