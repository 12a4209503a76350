// SPDX-License-Identifier: Apache-2.0
//
// What a run of the simulator is told: network, traffic, protocol. The command line and scenario
// files fill it; validate() is the one place that says what is possible.
#ifndef SLUICE_SIM_SCENARIO_H_
#define SLUICE_SIM_SCENARIO_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/network_config.h"
#include "sim/tcp_control.h"
#include "sim/time.h"
#include "sim/topology.h"
#include "transport/config.h"

namespace sluice::sim {

// The longest message that a run may send.
inline constexpr uint32_t kMaxMessage = 64u << 20;
// What is left of the rate of a spine that has become slow: a quarter (goal G13).
inline constexpr uint32_t kSlowSpine = 4;

enum class Pattern : uint8_t {
  kUniform,  // Every host sends to all others, at Poisson times.
  kIncast,   // `senders` hosts send one message of `incast_bytes` to host 0 at once, at time 0.
  kRpc,      // Every host calls all others at Poisson times; responses have the workload's sizes.
  kFanin,    // Host 0 calls `senders` hosts at once, and each answers with `incast_bytes`.
  kPermutation,  // Every host sends one message of `incast_bytes` at once, at time 0, and gets one.
  kNone,         // Sluice sends nothing: what shares its links is alone.
  kSaturate,     // Every host always has `outstanding` messages under way to hosts drawn at random.
};

struct Scenario {
  std::string topology = "leafspine144-100g";
  std::string workload = "W4";  // W1 to W5, or a fixed size in bytes: "64", "500000".
  Pattern pattern = Pattern::kUniform;
  // kUniform: the share of each host's link that data packets take, headers, framing, preamble and
  // gap included, and control packets not, so that it is the same for every policy.
  double load = 0.8;
  uint32_t senders = 30;
  uint32_t incast_bytes = 500'000;  // kPermutation, too.
  uint32_t outstanding = 16;
  transport::GrantPolicyKind policy = transport::GrantPolicyKind::kHybrid;
  // No policy at all, but a network that cannot be built: every message is sent unasked, the
  // switches have infinitely many priorities, by what remains of a message, and endless buffers
  // (HomaSimulation's PseudoIdealPriority). The bound that policies are compared with, but not
  // where the core is oversubscribed: there some of its messages never arrive whole (at 4:1, of a
  // permutation of 1 MB, three in four), so that least_time() is the bound.
  bool ideal = false;
  uint64_t seed = 1;
  Picos warmup;                           // Messages submitted before it are not measured.
  Picos duration = picos(4'000'000'000);  // Then messages are submitted and measured.
  Picos drain = picos(100'000'000'000);   // Given up that long after the last submission.
  uint32_t priorities = 8;                // Of the switches: 1 to 8.
  uint64_t buffer_bytes = 0;              // Shared, of each switch; 0: without limit.
  bool trim = false;                      // Cut packets that find no room, not drop them.
  double loss = 0;                        // Of each packet on each link.
  Routing routing = Routing::kSpray;
  // When the first spine goes dead, or its links fall to 1 / kSlowSpine of their rate: so long
  // after the window begins. Zero: never.
  Picos dead_spine;
  Picos slow_spine;
  Picos detection;         // Switches route around what is dead so long after; zero: never.
  double stall_share = 0;  // Of received packets, before which the host stops...
  Picos stall = picos(20'000'000);  // ...for so long.
  // kUniform: this share of the messages' bytes comes as incasts of `senders` times `incast_bytes`
  // to receivers drawn at random, at Poisson times (0.07 in SIRD's evaluation, NSDI'25).
  double incast_share = 0;
  // kRpc, or kNone: beside that, so many pulls of `pull_bytes` that every host always has under way
  // from hosts drawn at random, as a decoder that loads a KV cache does; 0: none. Not measured as
  // messages: they take what is left, and Report says how much of that.
  uint32_t pulls = 0;
  uint32_t pull_bytes = 65536;
  uint32_t overcommit = 0;  // Messages granted at a time (homa); 0: the product's own.
  uint32_t mtu = 1500;      // IP bytes of a packet.
  uint32_t lcores = 1;      // Of each host, with an endpoint each; they share its link and credit.
  // Full packets that wait in a host's transmit ring, where nothing overtakes them. None, as in the
  // simulations of Homa and SIRD: the link asks for each packet.
  uint32_t ring_packets = 0;
  uint64_t unscheduled_bytes = 0;  // 0: what a round trip takes.
  double window_rtts = 0;          // Granted and not arrived; 0: the policy's own.
  // TCP-like flows that share the hosts' links, each from one host to another until the end.
  TcpKind tcp = TcpKind::kNone;
  uint32_t tcp_flows = 0;       // 0: one from each host.
  uint32_t tcp_priority = 0;    // Of their packets, 0 to 7.
  uint64_t ecn_host_bytes = 0;  // Waiting at a port to a host, above which it marks; 0: never, or
                                // with DCTCP what its authors propose.
  Picos sample_period = picos(1'000'000);  // Of queue lengths; zero: none.
};

// What validate() works out on the way.
struct Plan {
  Topology topology;
  NetworkConfig network;
  transport::EndpointConfig endpoint;
  uint32_t record_bytes = 0;  // Of payload in a full packet.
  Picos rtt;                  // Of a full packet there and the shortest back, the longest way.
  uint64_t bdp_bytes = 0;     // What a host's link carries in that time.
  Picos settle;               // Until the first packets of new sessions are through; traffic then.
};

// Everything that a run needs, or one line that names the field and what would do.
absl::StatusOr<Plan> plan(const Scenario& scenario);

absl::StatusOr<transport::GrantPolicyKind> policy_named(absl::string_view name);
absl::string_view policy_name(transport::GrantPolicyKind policy);
// What a run calls its policy: that, or "ideal".
absl::string_view policy_name(const Scenario& scenario);
// Sets the scenario's policy by that name.
absl::Status set_policy(absl::string_view name, Scenario* scenario);
absl::StatusOr<Pattern> pattern_named(absl::string_view name);
absl::StatusOr<TcpKind> tcp_named(absl::string_view name);
absl::StatusOr<Routing> routing_named(absl::string_view name);

// How a message is cut into packets: as many full ones as there are, and one with the rest.
struct Packetisation {
  uint32_t payload;   // Bytes of payload in a full packet.
  uint32_t overhead;  // Bytes of wire time that each packet takes beside its payload.

  uint64_t full_packets(uint32_t size) const { return size / payload; }
  uint32_t full_wire_bytes() const { return payload + overhead; }
  // Of the last packet; 0 when the full ones are all.
  uint32_t last_wire_bytes(uint32_t size) const;
  uint64_t wire_bytes(uint32_t size) const;
};

// Sluice's own, and that of Homa's published simulations, with which slowdowns are printed too so
// that longer headers cannot buy a better figure: 1442 bytes of payload and 96 beside them in a
// full frame (PlatformLab/HomaSimulation).
Packetisation own_packetisation(const Plan& plan);
Packetisation homa_packetisation();

}  // namespace sluice::sim

#endif  // SLUICE_SIM_SCENARIO_H_
