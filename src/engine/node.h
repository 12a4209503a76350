// SPDX-License-Identifier: Apache-2.0
//
// One node: its ports, buffers, lcores and control thread, joined.
#ifndef SLUICE_ENGINE_NODE_H_
#define SLUICE_ENGINE_NODE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/capture.h"
#include "engine/channel.h"
#include "engine/config.h"
#include "engine/control.h"
#include "engine/crypto_loader.h"
#include "engine/eal.h"
#include "engine/engine.h"
#include "engine/inline_choice.h"
#include "engine/lcore.h"
#include "engine/port.h"
#include "transport/credit_board.h"

struct rte_mempool;

namespace sluice::engine {

// The packet buffers of an engine. They travel between nodes, so they outlive all of them.
class PoolBox {
 public:
  PoolBox() = default;
  ~PoolBox();
  PoolBox(const PoolBox&) = delete;
  PoolBox& operator=(const PoolBox&) = delete;

  // nullptr when there is no memory (rte_errno says why).
  rte_mempool* make(const std::string& name, uint32_t count, uint32_t bytes, int socket);

 private:
  std::vector<rte_mempool*> pools_;
};

// Checks everything about a node that can be checked without DPDK.
absl::Status check_node_config(const NodeConfig& config);
// Megabytes of DPDK's memory that a node takes, rounded up, as far as known before its devices.
uint32_t estimate_memory_mb(const NodeConfig& config);

class Node {
 public:
  struct Setup {
    size_t index = 0;
    const NodeConfig* config = nullptr;  // Outlives the node.
    Eal* eal = nullptr;
    const CryptoLibrary* library = nullptr;
    ChosenCrypto crypto;
    crypto::BackendKind wanted_crypto = crypto::BackendKind::kAuto;
    std::unique_ptr<crypto::HandshakeMechanism> mechanism;
    crypto::TlsMechanism* tls = nullptr;  // The same where it is TLS, else null.
    std::shared_ptr<const crypto::Policy> policy;
    AuditLog* audit = nullptr;
    CableBox* cables = nullptr;
    PoolBox* pools = nullptr;
    std::vector<uint32_t> eal_lcores;
    std::vector<bool> yields;  // By lcore.
    IdleConfig idle;
  };

  static absl::StatusOr<std::unique_ptr<Node>> create(Setup setup);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  absl::Status start();
  // No exchange is under way on any lcore.
  bool idle();
  // Ends polling, then the control thread, then the ports.
  void stop();

  Control& control() { return *control_; }
  const Control& control() const { return *control_; }
  std::vector<std::unique_ptr<Lcore>>& lcores() { return lcores_; }
  const std::vector<std::unique_ptr<Port>>& ports() const { return ports_; }
  const NodeConfig& config() const { return *setup_.config; }
  // What seals the records of record mode; empty without that.
  const ReportLine& sealing_report() const { return inline_.report; }

  absl::Status set_faults(size_t port, FaultDirection direction, const FaultConfig& faults);
  std::vector<FaultSnapshot> faults() const;
  // Frames recorded and left out by captures, over all ports.
  uint64_t captured() const;
  uint64_t capture_dropped() const;

 private:
  // The injectors of one direction of one port, one per lcore, owned by the queues.
  struct FaultPlace {
    FaultConfig config;
    std::vector<FaultInjector*> injectors;
  };

  explicit Node(Setup setup) : setup_(std::move(setup)), credit_board_(setup_.config->lcores) {}
  absl::Status open_ports();
  absl::Status choose_sealing();
  absl::Status make_pools();
  absl::Status make_lcores();
  absl::Status connect_lcores();
  absl::Status connect_interrupts();
  absl::Status make_control();
  NodeLayout make_layout() const;
  uint32_t max_packet() const;
  std::unique_ptr<FaultInjector> make_injector(size_t port, FaultDirection direction,
                                               uint8_t lcore);
  FaultPlace& place(size_t port, FaultDirection direction) {
    return faults_[2 * port + (direction == FaultDirection::kTransmit ? 1 : 0)];
  }

  Setup setup_;
  InlineChoice inline_;
  NodeLayout layout_;
  std::unique_ptr<SpiLcores> spi_lcores_;  // Null without ESP.
  std::vector<rte_mempool*> pools_;        // By lcore, the control thread's last.
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::unique_ptr<Capture>> captures_;  // By port; null where none.
  std::unique_ptr<ControlChannel> channel_;
  std::unique_ptr<LcoreApplication> refusing_;
  transport::CreditBoard credit_board_;  // Of all lcores, whose endpoints use it.
  std::vector<std::unique_ptr<Lcore>> lcores_;
  std::unique_ptr<Control> control_;
  mutable std::mutex fault_mutex_;
  std::vector<FaultPlace> faults_;
  bool stopped_ = false;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_NODE_H_
