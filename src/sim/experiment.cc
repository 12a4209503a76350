// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment.h"

#include <utility>

#include "base/hash.h"
#include "sim/traffic.h"

namespace sluice::sim {
namespace {

// Between two points of progress: short enough to see a fault of 100 us.
constexpr Picos kProgressStep(10'000'000);

uint32_t host_picos_per_byte(const Topology& topology) {
  return path_between(topology, 0, 1).front().picos_per_byte;
}

// The incasts that make up their share of all hosts' load together.
BurstConfig bursts_of(const Scenario& scenario, const Plan& plan) {
  BurstConfig config{scenario.senders, scenario.incast_bytes, Picos::max()};
  const double load = scenario.load * scenario.incast_share * plan.topology.hosts;
  if (load <= 0) return config;
  const uint64_t bytes =
      own_packetisation(plan).wire_bytes(scenario.incast_bytes) * scenario.senders;
  config.mean_gap = picos(static_cast<uint64_t>(
      static_cast<double>(bytes * host_picos_per_byte(plan.topology)) / load));
  return config;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Experiment>> Experiment::create(const Scenario& scenario) {
  auto made = sim::plan(scenario);
  if (!made.ok()) return made.status();
  auto workload = workload_of(scenario);
  if (!workload.ok()) return workload.status();
  const uint32_t hosts = made->topology.hosts;
  const Picos end = made->settle + scenario.warmup + scenario.duration;
  Picos gap;
  std::unique_ptr<Traffic> traffic;
  switch (scenario.pattern) {
    case Pattern::kRpc:
    case Pattern::kUniform: {
      const Picos wire =
          mean_wire_time(*workload, own_packetisation(*made), host_picos_per_byte(made->topology));
      const double load = scenario.load * (1 - scenario.incast_share);
      gap = picos(static_cast<uint64_t>(static_cast<double>(wire.value()) / load));
      traffic = std::make_unique<UniformTraffic>(*workload, scenario.seed, hosts, gap, end,
                                                 scenario.pattern == Pattern::kRpc,
                                                 bursts_of(scenario, *made));
      break;
    }
    case Pattern::kSaturate:
      traffic = std::make_unique<SaturatingTraffic>(*workload, scenario.seed, hosts,
                                                    scenario.outstanding, end);
      break;
    case Pattern::kNone:
      traffic = std::make_unique<NoTraffic>();
      break;
    case Pattern::kPermutation:
      traffic = std::make_unique<PermutationTraffic>(scenario.seed, hosts, scenario.incast_bytes);
      break;
    case Pattern::kFanin:
    case Pattern::kIncast:
      traffic = std::make_unique<IncastTraffic>(scenario.senders, scenario.incast_bytes,
                                                scenario.pattern == Pattern::kFanin);
      break;
  }
  if (scenario.pulls != 0) {
    traffic = std::make_unique<PullingTraffic>(std::move(traffic), scenario.seed, hosts,
                                               scenario.pulls, scenario.pull_bytes, end);
  }
  std::unique_ptr<Experiment> experiment(
      new Experiment(scenario, *std::move(made), std::move(traffic)));
  experiment->mean_gap_ = gap;
  return experiment;
}

Experiment::Experiment(const Scenario& scenario, Plan plan, std::unique_ptr<Traffic> traffic)
    : scenario_(scenario),
      plan_(std::move(plan)),
      network_(std::make_unique<Network>(plan_.topology, plan_.network)),
      traffic_(std::move(traffic)),
      paths_(size_t{plan_.topology.hosts} * plan_.topology.hosts) {
  const uint32_t hosts = plan_.topology.hosts;
  for (uint32_t host = 0; host < hosts; ++host) {
    transport::EndpointConfig config = plan_.endpoint;
    config.seed = base::mix64(scenario.seed, host + 1);
    hosts_.push_back(
        std::make_unique<Host>(host, config, &backend_, network_.get(), &log_, traffic_.get()));
  }
  for (uint32_t a = 0; a < hosts; ++a) {
    for (uint32_t b = 0; b < hosts; ++b) {
      if (a != b) hosts_[a]->connect(b);
    }
  }
  if (scenario.tcp != TcpKind::kNone) add_tcp();
}

// Sources go round, destinations are drawn, so that some links have more flows than others.
void Experiment::add_tcp() {
  TcpFlowConfig config;
  config.kind = scenario_.tcp;
  config.min_rto = std::max(config.min_rto, plan_.rtt * 3);
  config.first_rto = std::max(config.first_rto, plan_.rtt * 3);
  tcp_ = std::make_unique<TcpFlows>(config, scenario_.mtu,
                                    static_cast<uint8_t>(scenario_.tcp_priority));
  const uint32_t hosts = plan_.topology.hosts;
  Random random(scenario_.seed, kTcpDestinations, 0);
  const uint32_t flows = scenario_.tcp_flows == 0 ? hosts : scenario_.tcp_flows;
  for (uint32_t i = 0; i < flows; ++i) {
    const uint32_t src = i % hosts;
    const auto other = static_cast<uint32_t>(random.below(hosts - 1));
    tcp_->add(src, other < src ? other : other + 1);
  }
  for (uint32_t host = 0; host < hosts; ++host) {
    tcp_hosts_.push_back(
        std::make_unique<TcpHost>(host, hosts_[host].get(), network_.get(), tcp_.get()));
  }
}

Experiment::~Experiment() = default;

void Experiment::run() {
  network_->run_until(plan_.settle);
  schedule_faults();
  traffic_->start(&hosts_);
  for (const auto& host : tcp_hosts_) host->start(network_->now());
  network_->run_until(window_begin());
  network_->start_window();
  const uint64_t before = payload_bytes();
  const uint64_t wire_before = data_wire_bytes();
  const uint64_t tcp_before = tcp_bytes();
  const std::vector<PortReport> sent_before = network_->ports();
  run_window();
  window_bytes_ = payload_bytes() - before;
  window_data_wire_bytes_ = data_wire_bytes() - wire_before;
  window_tcp_bytes_ = tcp_bytes() - tcp_before;
  window_ports_ = network_->ports();
  for (size_t i = 0; i < window_ports_.size(); ++i) {
    window_ports_[i].sent_bytes -= sent_before[i].sent_bytes;
  }
  const Picos end = after(window_end(), scenario_.drain);
  // In steps, since idle hosts go on setting timers for ever.
  const Picos step = picos(plan_.rtt.value() * 10);
  while (log_.outstanding() > 0 && network_->now() < end) {
    network_->run_until(std::min(end, network_->now() + step));
  }
}

void Experiment::run_window() {
  for (Picos at = window_begin();; at += kProgressStep) {
    const Picos until = std::min(at, window_end());
    network_->run_until(until);
    progress_.push_back({until, log_.submitted_bytes(), payload_bytes()});
    if (until == window_end()) return;
  }
}

// The first spine is the first switch that has no hosts: leaves come before it.
void Experiment::schedule_faults() {
  const auto spine = static_cast<uint32_t>(network_->leaves().size());
  const Topology& topology = plan_.topology;
  if (scenario_.dead_spine != Picos::zero()) {
    network_->fail_switch(window_begin() + scenario_.dead_spine, spine);
  }
  if (scenario_.slow_spine == Picos::zero()) return;
  for (LinkId link = 0; link < topology.links.size(); ++link) {
    const LinkSpec& spec = topology.links[link];
    if (spec.b != topology.switch_node(spine)) continue;
    network_->change_rate(window_begin() + scenario_.slow_spine, link, spec.gbps / kSlowSpine);
  }
}

uint64_t Experiment::payload_bytes() const {
  uint64_t sum = 0;
  for (const auto& host : hosts_) sum += host->counters().payload_bytes;
  return sum;
}

uint64_t Experiment::data_wire_bytes() const {
  uint64_t sum = 0;
  for (const auto& host : hosts_) sum += host->counters().data_wire_bytes;
  return sum;
}

double Experiment::window_wire_bytes() const {
  return static_cast<double>(scenario_.duration.value()) / host_picos_per_byte(plan_.topology) *
         plan_.topology.hosts;
}

double Experiment::window_capacity() const {
  const Packetisation packets = own_packetisation(plan_);
  return window_wire_bytes() * packets.payload / packets.full_wire_bytes();
}

Picos Experiment::unloaded(uint32_t src, uint32_t dst, uint32_t size,
                           const Packetisation& packets) const {
  std::vector<PathHop>& path = paths_[src * plan_.topology.hosts + dst];
  if (path.empty()) path = path_between(plan_.topology, src, dst);
  return unloaded_message(path, packets.full_packets(size), packets.full_wire_bytes(),
                          packets.last_wire_bytes(size));
}

double Experiment::slowdown(const MessageRecord& record, const Packetisation& packets) const {
  const Picos alone = unloaded(record.src, record.dst, record.size, packets);
  return static_cast<double>((record.done - record.start).value()) /
         static_cast<double>(alone.value());
}

uint64_t Experiment::hash() const { return base::mix64(log_.hash(), network_->trace_hash()); }

}  // namespace sluice::sim
