// SPDX-License-Identifier: Apache-2.0
//
// What an engine found and chose at start, for people and for --json.
#ifndef SLUICE_ENGINE_REPORT_H_
#define SLUICE_ENGINE_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::engine {

// A thing, what was chosen for it, and the reason in a few words.
struct ReportLine {
  std::string what;
  std::string choice;
  std::string why;
};

struct PortReport {
  std::string node;
  std::string name;  // The device's name in DPDK.
  std::string driver;
  std::string mac;
  std::vector<std::string> addresses;
  uint32_t mtu = 0;
  uint16_t rx_queues = 0;
  uint16_t tx_queues = 0;
  std::vector<ReportLine> features;  // Checksum offload, steering, multi segments...
};

struct EngineReport {
  std::string dpdk_version;
  std::vector<ReportLine> lines;  // Huge pages, lcores, clock, crypto backend, modules...
  std::vector<PortReport> ports;
  uint64_t startup_ns = 0;  // From create() to the end of start().
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_REPORT_H_
