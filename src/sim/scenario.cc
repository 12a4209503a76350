// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "crypto/aead.h"
#include "sim/packet_pool.h"
#include "wire/header.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kIpUdpBytes = 28;  // IPv4 and UDP, of a packet's MTU.
constexpr uint32_t kMinMtu = 576;
constexpr uint32_t kMaxMtu = 9216;
constexpr uint64_t kArenaBytes = uint64_t{512} << 20;  // Of address space: it is never touched.

constexpr base::Nanos kShortestTimeout = base::micros(50);
constexpr uint32_t kMostCredit = 1u << 31;
constexpr uint32_t kEcnPackets = 64;
constexpr uint32_t kCreditPackets = 64;  // Credit where a bandwidth-delay product is less.
constexpr uint32_t kCongestedPackets = 4;
// A grant is worth an eighth of the credit, and at most so many packets.
constexpr uint32_t kGrantPackets = 4;
constexpr uint32_t kSenderPackets = 16;  // Of credit, that a sender alone may hold at least.
// Of few packets each is much of what a message can send in a round trip: the hybrid lets so many
// go unasked. So long messages go without asking for credit first: longer ones where each sends
// only those few, since what comes unasked is what racks have to buffer.
constexpr uint32_t kUnaskedPackets = 10;
constexpr uint32_t kBlindPacketsOfFew = 64;
constexpr uint32_t kBlindPackets = 32;
constexpr uint32_t kExchanges = 8192;
constexpr uint32_t kReassemblies = 4096;
constexpr uint32_t kMostOutstanding = 1024;  // Messages of one host that always has some.
constexpr uint32_t kMostTcpFlows = 65536;
constexpr uint32_t kMostLcores = 16;
// DCTCP's mark at 10 Gb/s (Alizadeh et al., SIGCOMM 2010, section 4.1). At 100 Gb/s and some
// microseconds of round trip it is still above a seventh of a bandwidth-delay product.
constexpr uint64_t kDctcpMarkPackets = 65;
constexpr uint64_t kHelloBytes = 2000;  // Of wire time, more than a new session sends.

absl::Status check(const Scenario& s) {
  if (!(s.load > 0 && s.load <= 1.2)) {
    return absl::InvalidArgumentError(
        absl::StrCat("load: ", s.load, " is no share of a link; choose 0.01 to 1.2"));
  }
  if (!(s.loss >= 0 && s.loss <= 0.5)) {
    return absl::InvalidArgumentError(
        absl::StrCat("loss: ", s.loss, " is too much to finish under; choose 0 to 0.5"));
  }
  if (s.mtu < kMinMtu || s.mtu > kMaxMtu) {
    return absl::InvalidArgumentError(
        absl::StrCat("mtu: ", s.mtu, " is no packet size; choose ", kMinMtu, " to ", kMaxMtu));
  }
  if (s.lcores == 0 || s.lcores > kMostLcores) {
    return absl::InvalidArgumentError(
        absl::StrCat("lcores: ", s.lcores, "; choose 1 to ", kMostLcores));
  }
  if (s.duration == Picos::zero()) {
    return absl::InvalidArgumentError("duration: nothing happens in no time; choose 10us or more");
  }
  if (!(s.incast_share >= 0 && s.incast_share < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("incast-share: ", s.incast_share, " is no part of a load; choose 0 to 0.99"));
  }
  if (!(s.stall_share >= 0 && s.stall_share <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("stalls: ", s.stall_share, " is no share of packets; choose 0 to 1"));
  }
  if (s.overcommit > base::limits::kMaxOvercommit) {
    return absl::InvalidArgumentError(
        absl::StrCat("overcommit: ", s.overcommit, "; choose 0 to ", base::limits::kMaxOvercommit));
  }
  if (s.outstanding == 0 || s.outstanding > kMostOutstanding) {
    return absl::InvalidArgumentError(
        absl::StrCat("outstanding: ", s.outstanding, "; choose 1 to ", kMostOutstanding));
  }
  return absl::OkStatus();
}

absl::Status check_pulls(const Scenario& s) {
  if (s.pulls == 0) return absl::OkStatus();
  if (s.pulls > kMostOutstanding) {
    return absl::InvalidArgumentError(
        absl::StrCat("pulls: ", s.pulls, "; choose 0 to ", kMostOutstanding));
  }
  if (s.pattern != Pattern::kRpc && s.pattern != Pattern::kNone) {
    return absl::InvalidArgumentError(
        "pulls: stand beside calls alone; choose pattern rpc or none");
  }
  if (s.pull_bytes == 0 || s.pull_bytes > kMaxMessage) {
    return absl::InvalidArgumentError(
        absl::StrCat("pull-bytes: ", s.pull_bytes, "; choose 1 to ", kMaxMessage));
  }
  return absl::OkStatus();
}

absl::Status check_tcp(const Scenario& s, const Topology& topology) {
  if (s.tcp == TcpKind::kNone) {
    return s.tcp_flows == 0 && (s.pattern != Pattern::kNone || s.pulls != 0)
               ? absl::OkStatus()
               : absl::InvalidArgumentError("tcp: there are no flows; choose reno or dctcp");
  }
  if (s.tcp_flows > kMostTcpFlows) {
    return absl::InvalidArgumentError(
        absl::StrCat("tcp-flows: ", s.tcp_flows, "; choose 0 to ", kMostTcpFlows));
  }
  if (s.tcp_priority >= kMaxPriorities) {
    return absl::InvalidArgumentError(
        absl::StrCat("tcp-priority: ", s.tcp_priority, "; choose 0 to ", kMaxPriorities - 1));
  }
  if (topology.hosts < 2 || s.ring_packets != 0) {
    return absl::InvalidArgumentError("ring: TCP-like flows share a link, not a ring; choose 0");
  }
  if (s.ideal) {
    return absl::InvalidArgumentError(
        "policy: the ideal network knows nothing of TCP; choose homa, sird, hybrid or fair");
  }
  if (s.tcp == TcpKind::kReno && s.buffer_bytes == 0) {
    return absl::InvalidArgumentError(
        "buffer: Reno fills a buffer without limit; choose 4000000, say");
  }
  return absl::OkStatus();
}

absl::Status check_faults(const Scenario& s, const Topology& topology) {
  for (const auto& [name, at] :
       {std::pair("dead-spine", s.dead_spine), std::pair("slow-spine", s.slow_spine)}) {
    if (at == Picos::zero()) continue;
    if (topology.switches == 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": ", topology.name, " has no spine; choose a leaf-spine topology"));
    }
    if (at >= s.duration) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": after the run's end; choose a time within its duration"));
    }
  }
  return absl::OkStatus();
}

absl::Status check_incast(const Scenario& s, const Topology& topology) {
  const bool many_to_one =
      s.pattern == Pattern::kIncast || s.pattern == Pattern::kFanin || s.incast_share > 0;
  if (!many_to_one && s.pattern != Pattern::kPermutation) return absl::OkStatus();
  if (many_to_one && (s.senders == 0 || s.senders >= topology.hosts)) {
    return absl::InvalidArgumentError(absl::StrCat("senders: ", s.senders, "; ", topology.name,
                                                   " has 1 to ", topology.hosts - 1,
                                                   " beside the receiver"));
  }
  if (s.incast_bytes == 0 || s.incast_bytes > kMaxMessage) {
    return absl::InvalidArgumentError(
        absl::StrCat("incast-bytes: ", s.incast_bytes, "; choose 1 to ", kMaxMessage));
  }
  return absl::OkStatus();
}

NetworkConfig network_config(const Scenario& s) {
  NetworkConfig network;
  network.seed = s.seed;
  network.switches.priorities = s.priorities;
  network.switches.buffer_bytes = s.buffer_bytes;
  network.switches.ecn_host_bytes = s.ecn_host_bytes;
  if (s.tcp == TcpKind::kDctcp && s.ecn_host_bytes == 0) {
    network.switches.ecn_host_bytes = kDctcpMarkPackets * framed_bytes(s.mtu - kIpUdpBytes);
  }
  // No class takes all of the buffer from the others.
  if (s.tcp != TcpKind::kNone && s.buffer_bytes != 0) network.switches.alpha_sixteenths = 16;
  if (s.ideal) network.switches.discipline = Discipline::kRanked;
  network.switches.when_full = s.trim ? WhenFull::kTrim : WhenFull::kDrop;
  network.loss.loss = chance(s.loss);
  network.routing = s.routing;
  if (s.detection != Picos::zero()) network.detection_delay = s.detection;
  network.hosts.stall_chance = chance(s.stall_share);
  network.hosts.stall = s.stall;
  network.buffer_bytes = s.mtu;
  network.hosts.ring_bytes = uint64_t{s.ring_packets} * framed_bytes(s.mtu - kIpUdpBytes);
  network.hosts.refill_bytes = 1;
  network.sample_period = s.sample_period;
  if (s.sample_period != Picos::zero()) {
    network.max_samples =
        static_cast<uint32_t>(std::min<uint64_t>(s.duration / s.sample_period + 1, 1u << 20));
  }
  return network;
}

// Where switches serve one class nothing overtakes: what a host was sent unasked or granted is the
// queue that a short message finds there. So the hybrid lets little go unasked, and has no floors
// in packets under what is granted.
bool one_class(const Scenario& s) {
  return s.policy == transport::GrantPolicyKind::kHybrid && s.priorities == 1;
}

// Bytes granted and not arrived, in bandwidth-delay products. Homa: one for each of its K messages
// and one more; SIRD: its B (ns-2 configuration). The hybrid does with one, as priorities let it
// use what it has and the credit grows with what congested senders hold; in one class with a little
// more, as it has no floor there.
double own_window(const Scenario& s, uint32_t overcommit) {
  using Kind = transport::GrantPolicyKind;
  if (s.policy == Kind::kHoma) return overcommit + 1;
  if (s.policy != Kind::kHybrid) return 1.5;
  return one_class(s) ? 1.05 : 1.0;
}

// Nothing here runs late as a thread does, so that the shortest time-out may follow the network.
// What all credit takes on the receiver's link is no loss either.
void set_timers(const Plan& plan, transport::EndpointConfig* config) {
  const base::Nanos rtt = to_nanos(plan.rtt);
  const uint64_t credit = std::max(config->credit_bytes, config->most_credit_bytes);
  const base::Nanos arrival(rtt.value() * credit / plan.bdp_bytes);
  config->rto_min = config->rto_initial = std::max({kShortestTimeout, rtt * 3, arrival * 2 + rtt});
  config->rto_max = std::max(config->rto_max, rtt * 16);
  config->peer_timeout = std::max(config->peer_timeout, rtt * 64);
}

// A part of the bandwidth-delay product, in bytes.
uint32_t product_share(const Plan& plan, double share) {
  const double bytes = static_cast<double>(plan.bdp_bytes) * share;
  return static_cast<uint32_t>(std::min(bytes, static_cast<double>(kMostCredit)));
}

uint32_t own_unscheduled(const Scenario& s, const Plan& plan) {
  if (s.policy != transport::GrantPolicyKind::kHybrid) return product_share(plan, 1);
  return one_class(s) ? std::max(product_share(plan, 0.25), plan.record_bytes)
                      : std::max(product_share(plan, 0.5), kUnaskedPackets * plan.record_bytes);
}

transport::EndpointConfig endpoint_config(const Scenario& s, const Plan& plan) {
  transport::EndpointConfig config;
  // Of each lcore; rounded down to the powers of two that the arena needs.
  const uint32_t lcores = std::bit_ceil(s.lcores);
  config.max_exchanges = kExchanges / lcores;
  config.max_reassemblies = kReassemblies / lcores;
  config.max_lanes = plan.topology.hosts;
  config.arena_bytes = std::max(kArenaBytes / lcores, uint64_t{2} * kMaxMessage);
  config.max_buffered_message = kMaxMessage;
  config.max_message = kMaxMessage;
  config.max_packet = config.base_packet = s.mtu - kIpUdpBytes;
  if (s.overcommit != 0) config.overcommit = static_cast<uint8_t>(s.overcommit);
  const auto share_of_bdp = [&plan](double share) { return product_share(plan, share); };
  using Kind = transport::GrantPolicyKind;
  const bool credits = s.policy != Kind::kHoma;
  const bool single = one_class(s);
  config.unscheduled_bytes = s.unscheduled_bytes != 0 ? static_cast<uint32_t>(s.unscheduled_bytes)
                                                      : own_unscheduled(s, plan);
  config.max_incoming_bytes = config.credit_bytes =
      share_of_bdp(s.window_rtts > 0 ? s.window_rtts : own_window(s, config.overcommit));
  if (credits && !single && s.window_rtts == 0) {
    config.credit_bytes = std::max(config.credit_bytes, kCreditPackets * plan.record_bytes);
  }
  config.grant_increment =
      std::clamp(config.credit_bytes / 8, plan.record_bytes, kGrantPackets * plan.record_bytes);
  // A grant is given once there is room for all of it: without that room on top, a sender alone
  // would not fill the link.
  config.sender_credit_bytes = std::max(share_of_bdp(1.0) + config.grant_increment,
                                        (single ? 1 : kSenderPackets) * plan.record_bytes);
  config.fifo_share = config.turn_share = 0;
  config.credit_spread = 1;
  config.congested_sender_bytes = UINT32_MAX;
  if (credits && s.policy != Kind::kFair) {
    config.blind_bytes = config.unscheduled_bytes;
    if (s.policy == Kind::kHybrid && !single) {
      const uint32_t packets = config.unscheduled_bytes <= kUnaskedPackets * plan.record_bytes
                                   ? kBlindPacketsOfFew
                                   : kBlindPackets;
      config.blind_bytes = std::max(config.blind_bytes, packets * plan.record_bytes);
    }
    config.congested_sender_bytes =
        s.policy == Kind::kSird ? share_of_bdp(0.5) : kCongestedPackets * plan.record_bytes;
    config.outranked_bytes = std::max(share_of_bdp(0.1), kCongestedPackets * plan.record_bytes);
    config.turn_share = s.policy == Kind::kSird ? 2 : 8;
  }
  if (s.policy == Kind::kHybrid) {
    config.most_credit_bytes = (single ? 2 : 4) * config.credit_bytes;
    config.credit_spread = 3;
  }
  set_timers(plan, &config);
  if (s.ideal) {
    // What waits in the network is not lost.
    config.unscheduled_bytes = kMaxMessage;
    config.blind_bytes = UINT32_MAX;
    config.rto_min = config.rto_initial = config.rto_max = base::seconds(100);
    config.peer_timeout = base::seconds(1000);
  }
  config.grant_policy = s.ideal ? Kind::kHoma : s.policy;
  config.recovery = transport::RecoveryKind::kRack;
  config.seed = s.seed;
  return config;
}

// The two hosts that are farthest apart are in the first and the last rack.
Picos round_trip(const Topology& topology, uint32_t wire_bytes) {
  const uint32_t far = topology.hosts - 1;
  return unloaded_packet(path_between(topology, 0, far), wire_bytes) +
         unloaded_packet(path_between(topology, far, 0), kMinWireBytes);
}

uint64_t host_picos_per_byte(const Topology& topology) {
  return path_between(topology, 0, 1).front().picos_per_byte;
}

}  // namespace

absl::StatusOr<Plan> plan(const Scenario& scenario) {
  if (auto status = check(scenario); !status.ok()) return status;
  auto topology = topology_named(scenario.topology);
  if (!topology.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("topology: ", topology.status().message()));
  }
  if (auto status = check_incast(scenario, *topology); !status.ok()) return status;
  if (auto status = check_pulls(scenario); !status.ok()) return status;
  if (auto status = check_tcp(scenario, *topology); !status.ok()) return status;
  if (auto status = check_faults(scenario, *topology); !status.ok()) return status;
  Plan plan;
  plan.topology = *std::move(topology);
  plan.network = network_config(scenario);
  if (auto status = validate(plan.network); !status.ok()) return status;
  const uint32_t packet = scenario.mtu - kIpUdpBytes;
  plan.record_bytes = packet - static_cast<uint32_t>(wire::kDataHeaderSize) - crypto::kTagSize;
  plan.rtt = round_trip(plan.topology, framed_bytes(packet));
  plan.bdp_bytes = plan.rtt.value() / host_picos_per_byte(plan.topology);
  // SIRD's K: 1.25 products, but room for some packets that spraying brings together by chance.
  // Queues to hosts are the receiver's own doing, which credit governs.
  plan.network.switches.ecn_fabric_bytes =
      std::max(plan.bdp_bytes * 5 / 4, uint64_t{kEcnPackets} * framed_bytes(packet));
  plan.endpoint = endpoint_config(scenario, plan);
  // Every session sends a few control packets as it comes up.
  plan.settle = picos(plan.rtt.value() * 4 + uint64_t{plan.topology.hosts} * scenario.lcores *
                                                 kHelloBytes * host_picos_per_byte(plan.topology));
  return plan;
}

absl::StatusOr<transport::GrantPolicyKind> policy_named(absl::string_view name) {
  using Kind = transport::GrantPolicyKind;
  for (const Kind kind : {Kind::kHoma, Kind::kSird, Kind::kHybrid, Kind::kFair}) {
    if (name == policy_name(kind)) return kind;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "policy: '", name, "' is no grant policy; choose homa, sird, hybrid, fair or ideal"));
}

absl::string_view policy_name(const Scenario& scenario) {
  return scenario.ideal ? "ideal" : policy_name(scenario.policy);
}

absl::Status set_policy(absl::string_view name, Scenario* scenario) {
  scenario->ideal = name == "ideal";
  if (scenario->ideal) return absl::OkStatus();
  const auto policy = policy_named(name);
  if (!policy.ok()) return policy.status();
  scenario->policy = *policy;
  return absl::OkStatus();
}

absl::string_view policy_name(transport::GrantPolicyKind policy) {
  switch (policy) {
    case transport::GrantPolicyKind::kHoma:
      return "homa";
    case transport::GrantPolicyKind::kSird:
      return "sird";
    case transport::GrantPolicyKind::kHybrid:
      return "hybrid";
    case transport::GrantPolicyKind::kFair:
      return "fair";
  }
  return "unknown";
}

absl::StatusOr<Pattern> pattern_named(absl::string_view name) {
  if (name == "uniform") return Pattern::kUniform;
  if (name == "incast") return Pattern::kIncast;
  if (name == "rpc") return Pattern::kRpc;
  if (name == "fanin") return Pattern::kFanin;
  if (name == "none") return Pattern::kNone;
  if (name == "permutation") return Pattern::kPermutation;
  if (name == "saturate") return Pattern::kSaturate;
  return absl::InvalidArgumentError(absl::StrCat(
      "pattern: '", name,
      "' is unknown; choose uniform, rpc, incast, fanin, permutation, saturate or none"));
}

absl::StatusOr<TcpKind> tcp_named(absl::string_view name) {
  if (name == "none") return TcpKind::kNone;
  if (name == "reno") return TcpKind::kReno;
  if (name == "dctcp") return TcpKind::kDctcp;
  return absl::InvalidArgumentError(
      absl::StrCat("tcp: '", name, "' is unknown; choose none, reno or dctcp"));
}

absl::StatusOr<Routing> routing_named(absl::string_view name) {
  if (name == "spray") return Routing::kSpray;
  if (name == "ecmp") return Routing::kEcmp;
  if (name == "turns") return Routing::kRoundRobin;
  return absl::InvalidArgumentError(
      absl::StrCat("routing: '", name, "' is none; choose spray, ecmp or turns"));
}

uint32_t Packetisation::last_wire_bytes(uint32_t size) const {
  const uint32_t rest = size % payload;
  return rest == 0 ? 0 : std::max(rest + overhead, kMinWireBytes);
}

uint64_t Packetisation::wire_bytes(uint32_t size) const {
  return full_packets(size) * full_wire_bytes() + last_wire_bytes(size);
}

Packetisation own_packetisation(const Plan& plan) {
  const uint32_t beside = static_cast<uint32_t>(wire::kDataHeaderSize) + crypto::kTagSize;
  return {plan.record_bytes, beside + kFramingBytes};
}

Packetisation homa_packetisation() { return {1442, 96}; }

}  // namespace sluice::sim
