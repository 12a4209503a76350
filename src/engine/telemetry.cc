// SPDX-License-Identifier: Apache-2.0
#include "engine/telemetry.h"

#include <rte_telemetry.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/engine.h"

namespace sluice::engine {
namespace {

// The mutex guards the list, and with it the engines against removal.
struct Registry {
  std::mutex mutex;
  std::vector<const Engine*> engines;
  bool registered = false;
};

// Never freed: DPDK's telemetry thread answers to the end of the process.
Registry& registry() {
  static Registry* const instance = new Registry();
  return *instance;
}

void add_u64(rte_tel_data* dictionary, const std::string& name, uint64_t value) {
  rte_tel_data_add_dict_u64(dictionary, name.c_str(), value);
}

// Adds `part` under `name`; a full reply leaves it out.
void add_part(rte_tel_data* dictionary, const std::string& name, rte_tel_data* part) {
  if (rte_tel_data_add_dict_container(dictionary, name.c_str(), part, 0) != 0) {
    rte_tel_data_free(part);
  }
}

rte_tel_data* new_dictionary() {
  rte_tel_data* part = rte_tel_data_alloc();
  if (part != nullptr) rte_tel_data_start_dict(part);
  return part;
}

// DPDK allows letters, digits, '_' and '/' in names.
std::string telemetry_name(const char* name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

template <typename Stats>
void add_counters(rte_tel_data* dictionary, const Stats& stats) {
  for_each_counter(stats, [&](const char* name, const char* /*help*/, uint64_t value) {
    add_u64(dictionary, telemetry_name(name), value);
  });
}

int on_stats(const char* /*command*/, const char* /*parameters*/, rte_tel_data* reply) {
  const std::lock_guard lock(registry().mutex);
  rte_tel_data_start_dict(reply);
  for (const Engine* engine : registry().engines) {
    const std::vector<NodeSnapshot> nodes = engine->nodes();
    for (const LcoreSnapshot& lcore : engine->lcores()) {
      rte_tel_data* part = new_dictionary();
      if (part == nullptr) continue;
      add_counters(part, *lcore.lcore_stats);
      add_counters(part, *lcore.endpoint_stats);
      add_part(reply, absl::StrCat(nodes[lcore.node].name, "_lcore", unsigned{lcore.lcore}), part);
    }
    for (const NodeSnapshot& node : nodes) {
      rte_tel_data* part = new_dictionary();
      if (part == nullptr) continue;
      add_counters(part, *node.control_stats);
      add_counters(part, *node.connector_stats);
      add_part(reply, absl::StrCat(node.name, "_control"), part);
    }
  }
  return 0;
}

int on_sessions(const char* /*command*/, const char* /*parameters*/, rte_tel_data* reply) {
  const std::lock_guard lock(registry().mutex);
  rte_tel_data_start_dict(reply);
  for (const Engine* engine : registry().engines) {
    const std::vector<NodeSnapshot> nodes = engine->nodes();
    for (size_t node = 0; node < nodes.size(); ++node) {
      for (const SessionInfo& session : engine->sessions(node)) {
        rte_tel_data* part = new_dictionary();
        if (part == nullptr) continue;
        rte_tel_data_add_dict_string(part, "peer",
                                     wire::format_ip_address(session.peer.ip).c_str());
        add_u64(part, "port", session.peer.port);
        add_u64(part, "initiator", session.initiator ? 1 : 0);
        rte_tel_data_add_dict_string(part, "aead", crypto::algorithm_name(session.algorithm));
        rte_tel_data_add_dict_string(part, "name", session.peer_name.c_str());
        add_u64(part, "lanes", session.lanes.size());
        add_part(reply, absl::StrCat(nodes[node].name, "_", session.session.value()), part);
      }
    }
  }
  return 0;
}

// Whether the port seals records, as the report says it.
std::string inline_crypto(const Engine& engine, const PortSnapshot& port) {
  for (const PortReport& report : engine.report().ports) {
    if (report.name != port.name) continue;
    for (const ReportLine& line : report.features) {
      if (line.what == "inline crypto") return line.choice;
    }
  }
  return "no";
}

int on_ports(const char* /*command*/, const char* /*parameters*/, rte_tel_data* reply) {
  const std::lock_guard lock(registry().mutex);
  rte_tel_data_start_dict(reply);
  for (const Engine* engine : registry().engines) {
    for (const PortSnapshot& port : engine->ports()) {
      rte_tel_data* part = new_dictionary();
      if (part == nullptr) continue;
      add_u64(part, "node", port.node);
      add_u64(part, "link_up", engine->link_up(port.node, port.port) ? 1 : 0);
      add_u64(part, "rx_packets", port.stats.rx_packets);
      add_u64(part, "tx_packets", port.stats.tx_packets);
      add_u64(part, "rx_bytes", port.stats.rx_bytes);
      add_u64(part, "tx_bytes", port.stats.tx_bytes);
      add_u64(part, "rx_missed", port.stats.rx_missed);
      add_u64(part, "rx_errors", port.stats.rx_errors);
      add_u64(part, "tx_errors", port.stats.tx_errors);
      rte_tel_data_add_dict_string(part, "inline_crypto", inline_crypto(*engine, port).c_str());
      add_u64(part, "rx_no_mbuf", port.stats.rx_no_mbuf);
      add_part(reply, port.name, part);
    }
  }
  return 0;
}

int on_faults(const char* /*command*/, const char* /*parameters*/, rte_tel_data* reply) {
  const std::lock_guard lock(registry().mutex);
  rte_tel_data_start_dict(reply);
  for (const Engine* engine : registry().engines) {
    const auto faults = engine->faults();
    if (!faults.ok()) continue;
    for (const FaultSnapshot& each : *faults) {
      rte_tel_data* part = new_dictionary();
      if (part == nullptr) continue;
      add_u64(part, "loss_ppm", each.config.loss_ppm);
      add_u64(part, "duplicate_ppm", each.config.duplicate_ppm);
      add_u64(part, "reorder_ppm", each.config.reorder_ppm);
      add_u64(part, "corrupt_ppm", each.config.corrupt_ppm);
      add_u64(part, "delay_ns", each.config.delay.value());
      add_u64(part, "jitter_ns", each.config.jitter.value());
      for (const auto& [name, value] : each.counters) {
        add_u64(part, telemetry_name(name.c_str()), value);
      }
      const char* direction = each.direction == FaultDirection::kReceive ? "rx" : "tx";
      add_part(reply, absl::StrCat("node", each.node, "_port", each.port, "_", direction), part);
    }
  }
  return 0;
}

}  // namespace

void telemetry_add(const Engine* engine) {
  const std::lock_guard lock(registry().mutex);
  registry().engines.push_back(engine);
  if (std::exchange(registry().registered, true)) return;
  rte_telemetry_register_cmd("/sluice/stats", on_stats, "Counters of lcores and nodes.");
  rte_telemetry_register_cmd("/sluice/sessions", on_sessions, "Sessions. Takes no parameters.");
  rte_telemetry_register_cmd("/sluice/ports", on_ports, "Counters of ports.");
  rte_telemetry_register_cmd("/sluice/faults", on_faults, "Injected faults, set and counted.");
}

void telemetry_remove(const Engine* engine) {
  const std::lock_guard lock(registry().mutex);
  std::erase(registry().engines, engine);
}

}  // namespace sluice::engine
