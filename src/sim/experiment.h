// SPDX-License-Identifier: Apache-2.0
//
// One run: a network of hosts that run the product's protocol core, messages by a pattern, and what
// became of them.
#ifndef SLUICE_SIM_EXPERIMENT_H_
#define SLUICE_SIM_EXPERIMENT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/host.h"
#include "sim/message_log.h"
#include "sim/network.h"
#include "sim/progress.h"
#include "sim/scenario.h"
#include "sim/tcp_host.h"
#include "sim/virtual_crypto.h"

namespace sluice::sim {

class Experiment {
 public:
  // An error is one line that names the field and the mend.
  static absl::StatusOr<std::unique_ptr<Experiment>> create(const Scenario& scenario);
  ~Experiment();
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  // Runs it to its end: until the sessions are quiet, then warm-up, duration, and until every
  // message is delivered or the drain time is over. To be called once.
  void run();

  const Scenario& scenario() const { return scenario_; }
  const Plan& plan() const { return plan_; }
  const MessageLog& log() const { return log_; }
  const Network& network() const { return *network_; }
  const Host& host(uint32_t index) const { return *hosts_[index]; }
  // When messages began and ceased to be measured.
  Picos window_begin() const { return plan_.settle + scenario_.warmup; }
  Picos window_end() const { return window_begin() + scenario_.duration; }
  // Payload that arrived within the window.
  uint64_t window_bytes() const { return window_bytes_; }
  // Wire time of the packets that it came in, in bytes.
  uint64_t window_data_wire_bytes() const { return window_data_wire_bytes_; }
  // The ports as they were at the end of the window, with what they sent in it alone.
  const std::vector<PortReport>& window_ports() const { return window_ports_; }
  // The TCP-like flows beside Sluice; null: none.
  const TcpFlows* tcp() const { return tcp_.get(); }
  // Their payload that arrived within the window.
  uint64_t window_tcp_bytes() const { return window_tcp_bytes_; }
  // The window, at evenly spaced times.
  const std::vector<ProgressPoint>& progress() const { return progress_; }
  // Payload that a host's link could carry at most in the window, all hosts together.
  double window_capacity() const;
  // Bytes of wire time of all hosts' links in the window.
  double window_wire_bytes() const;
  // The mean time between two submissions of a host; kUniform only.
  Picos mean_gap() const { return mean_gap_; }

  // Completion over what the same message takes in an empty network, with the same packets; for
  // records that were delivered.
  double slowdown(const MessageRecord& record, const Packetisation& packets) const;
  // The time a message takes in an empty network.
  Picos unloaded(uint32_t src, uint32_t dst, uint32_t size, const Packetisation& packets) const;

  // A hash over every record and every event of the network.
  uint64_t hash() const;

 private:
  Experiment(const Scenario& scenario, Plan plan, std::unique_ptr<Traffic> traffic);

  uint64_t payload_bytes() const;
  uint64_t data_wire_bytes() const;
  void run_window();
  void schedule_faults();
  void add_tcp();
  uint64_t tcp_bytes() const { return tcp_ == nullptr ? 0 : tcp_->received_bytes(); }

  const Scenario scenario_;
  const Plan plan_;
  VirtualBackend backend_;
  MessageLog log_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Traffic> traffic_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::unique_ptr<TcpFlows> tcp_;
  std::vector<std::unique_ptr<TcpHost>> tcp_hosts_;
  uint64_t window_tcp_bytes_ = 0;
  // By source and destination, found when first asked for.
  mutable std::vector<std::vector<PathHop>> paths_;
  uint64_t window_bytes_ = 0;
  uint64_t window_data_wire_bytes_ = 0;
  std::vector<PortReport> window_ports_;
  std::vector<ProgressPoint> progress_;
  Picos mean_gap_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_EXPERIMENT_H_
