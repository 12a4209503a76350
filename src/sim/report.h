// SPDX-License-Identifier: Apache-2.0
//
// What a run came to, as figures: slowdowns by size, queues, goodput.
#ifndef SLUICE_SIM_REPORT_H_
#define SLUICE_SIM_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/experiment.h"

namespace sluice::sim {

// The slowdowns of the messages of one range of sizes, measured in the window.
struct SlowdownGroup {
  std::string name;   // "short", "all", "upto_bdp", "upto_8bdp", "above_8bdp", "tenth_1"...
  uint32_t from = 0;  // Sizes in bytes, both inclusive.
  uint32_t to = 0;
  uint64_t count = 0;
  Picos
      unloaded;  // What the longest of them takes in an empty network, between the farthest hosts.
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double homa_p50 = 0;  // The same against Homa's packetisation.
  double homa_p99 = 0;
  double homa_p999 = 0;
};

struct Report {
  std::vector<SlowdownGroup> groups;  // Those without a message are left out.
  uint64_t submitted = 0;             // In the window.
  uint64_t delivered = 0;             // Of those, until the end of the run.
  uint64_t payload_bytes = 0;         // Delivered within the window.
  double goodput_fraction = 0;        // Of what full packets could carry on all hosts' links.
  double offered_fraction = 0;        // The same of what was submitted within the window.
  uint64_t backlog_bytes = 0;         // Submitted and not arrived, at the end of the window.
  // By how much the backlog grew in the second half of the window, of what full packets could
  // carry on all hosts' links in the same time.
  double backlog_growth = 0;
  bool fault = false;              // A spine went dead or slow in the window...
  std::optional<Picos> recovered;  // ...which was felt for so long; see recovery_time().
  uint64_t dropped_packets = 0;    // By switches and links, since the start.
  uint64_t stalls = 0;             // Of hosts.
  // Of pulls, if there were any.
  bool pulls = false;
  // Wire time of the pulls that ended in the window, of what other data packets left of all hosts'
  // links; their requests are other data.
  double pulled_fraction = 0;
  // Of TCP-like flows, if there were any.
  bool tcp = false;
  double tcp_goodput_fraction = 0;  // Of what full packets of TCP could carry on all hosts' links.
  uint64_t tcp_repeated = 0;        // Segments, since the start.
  uint64_t tcp_timeouts = 0;
  uint64_t marked_packets = 0;  // Of either kind, since the start.
  double data_share = 0;  // Of the hosts' links, taken by data that arrived for the first time.
  double wire_share = 0;  // Of the hosts' links, taken by all packets they sent in the window.
  double mean_payload_share = 0;     // Payload of the wire bytes of all data packets submitted...
  double homa_payload_share = 0;     // ...and the same in Homa's packetisation.
  uint64_t max_tor_bytes = 0;        // Largest sum of a leaf's queues towards its hosts.
  uint64_t max_port_bytes = 0;       // Largest queue of one switch port.
  uint64_t max_host_port_bytes = 0;  // The same of ports to hosts.
  double mean_host_port_bytes = 0;   // Over time and ports to hosts.
  Picos last_done;  // When the last message was delivered, since the first was submitted.
  Picos least;      // And the earliest that could be (least_time()); incasts and permutations only.
  uint64_t hash = 0;
  // Sums over all hosts.
  uint64_t packets_sent = 0;
  uint64_t control_packets = 0;
  uint64_t control_bytes = 0;
  uint64_t retransmitted = 0;
  uint64_t timeouts = 0;
  uint64_t grants = 0;
  uint64_t failed = 0;
  uint64_t backlogged = 0;
  uint64_t lanes_down = 0;
};

// Of a run that is over.
Report report_of(const Experiment& experiment);

// The value that `ppm` millionths of the values do not exceed, with the nearest-rank definition.
// Reorders what it is given. 0 without values.
double quantile(std::vector<double>* values, uint32_t ppm);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_REPORT_H_
