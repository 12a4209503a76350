// SPDX-License-Identifier: Apache-2.0
//
// How the cost of a 64-byte RPC, and memory, grow with the number of peers and of RPCs outstanding:
// the transport alone, both sides in one thread (perf/transport_bench.h), a packet for each
// message. All cases take turns in every round, so that the ratios hold on a machine whose speed
// changes.
//
// usage: growth [--peers=N] [--rounds=N] [--json]
//   --peers       of the largest case (default 100000; 13 KB of memory each)
//   --only        "peers" or "outstanding": what grows
//   --rounds      measurements of each case, of which the median is shown (default 5)
//   --json        the project's common form instead of a table
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/arguments.h"
#include "bench/resident.h"
#include "transport/lane.h"
#include "transport_bench.h"

namespace {

using namespace sluice;
using sluice::transport::Bench;
using sluice::transport::Work;

constexpr const char* kOneActive = "peers, one of them active";
constexpr uint64_t kCalls = 200'000;  // Of one measurement.

struct Case {
  const char* name;  // What grows.
  uint32_t size;     // How large it is.
  Work work;
  std::unique_ptr<Bench> bench;
  double rss = 0;  // Bytes that it took.
  std::vector<double> nanos;
  double packets = 0;  // For each RPC.

  double median() {
    std::sort(nanos.begin(), nanos.end());
    return nanos[nanos.size() / 2];
  }
};

std::vector<Case> cases(uint32_t most, const std::string& only) {
  std::vector<Case> out;
  const auto add = [&](const char* name, uint32_t size, uint32_t outstanding, uint32_t peers,
                       uint32_t active) {
    Work work{.outstanding = outstanding, .bundling = false, .peers = peers, .active = active};
    // A microsecond for each RPC, about as long as it takes, so that what is held back for a while
    // meets as many peers as it would. Thousands outstanding would time out meanwhile.
    if (outstanding <= 60) {
      work.step = base::nanos(500) * std::min<uint64_t>(outstanding, transport::kBurst);
    }
    out.push_back({.name = name, .size = size, .work = work, .bench = nullptr, .nanos = {}});
  };
  if (only != "outstanding") {
    for (uint32_t peers = 1; peers <= most; peers *= 10) add("peers", peers, 60, peers, peers);
    add(kOneActive, most, 60, most, 1);
  }
  if (only == "peers") return out;
  // One lane takes 8192; a hundred share them.
  for (uint32_t calls = 1; calls <= 100'000; calls *= 10)
    add("outstanding", calls, calls, 100, 100);
  return out;
}

void measure(Case* each) {
  // Enough calls that each has been outstanding beside as many others as the case says.
  const uint64_t calls = std::max<uint64_t>(kCalls, 4ull * each->work.outstanding);
  const uint64_t packets = each->bench->packets();
  const auto begin = std::chrono::steady_clock::now();
  each->bench->run(calls);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  each->nanos.push_back(took.count() / static_cast<double>(calls));
  each->packets =
      static_cast<double>(each->bench->packets() - packets) / static_cast<double>(calls);
}

// Figures in the project's common form, shown at the end, or lines of a table, shown at once.
class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  ~Report() {
    if (json_) std::printf("{\"command\": \"growth\", \"results\": [\n  %s]}\n", results_.c_str());
  }

  void add(const char* metric, double value, const char* unit, const std::string& labels) {
    char line[256];
    std::snprintf(line, sizeof line,
                  "%s{\"metric\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", %s}",
                  results_.empty() ? "" : ",\n  ", metric, value, unit,
                  ("\"labels\": {" + labels + "}").c_str());
    results_ += line;
  }
  bool table() const { return !json_; }

 private:
  const bool json_;
  std::string results_;
};

void report_costs(std::vector<Case>* all, Report* report) {
  const char* group = "";
  double least = 0;
  for (Case& each : *all) {
    if (std::strcmp(group, each.name) != 0 && std::strcmp(each.name, kOneActive) != 0) {
      group = each.name;
      least = each.median();
    }
    const double nanos = each.median();
    const std::string labels = std::string("\"grows\": \"") + each.name + "\", \"size\": \"" +
                               std::to_string(each.size) + "\"";
    report->add("growth.rpc", nanos, "ns", labels);
    report->add("growth.ratio", nanos / least, "", labels);
    if (!report->table()) continue;
    std::printf(
        "%-26s %7u  %6.0f ns of both sides and %.2f packets for an RPC, %.2f of the smallest\n",
        each.name, each.size, nanos, each.packets, nanos / least);
  }
}

// Of what the case with the most peers takes more than the one before, each peer's share; what an
// endpoint lends to busy lanes is the same in both, from 10,000 peers on.
void report_memory(const std::vector<Case>& all, Report* report) {
  const Case* largest = &all[0];
  const Case* before = largest;
  for (const Case& each : all) {
    if (each.work.active == each.work.peers && each.work.peers > largest->work.peers) {
      before = std::exchange(largest, &each);
    }
  }
  const auto of_keys =
      static_cast<double>(sluice::transport::kLaneKeys * sizeof(sluice::crypto::AeadKey));
  const double peer = (largest->rss - before->rss) / 2 / (largest->size - before->size);
  report->add("growth.peer_memory", peer, "bytes", "\"of\": \"a lane of one side\"");
  report->add("growth.peer_memory", peer - of_keys, "bytes",
              "\"of\": \"the same without its keys\"");
  if (!report->table()) return;
  std::printf("memory of an idle peer     %7.0f bytes on each side, %.0f of them expanded keys\n",
              peer, of_keys);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 1);
  const uint64_t peers = arguments.number("peers", 100'000);
  const uint64_t rounds = arguments.number("rounds", 5);
  const std::string only = arguments.text("only");
  if (peers < 10 || peers > 1'000'000 || rounds < 1 || rounds > 1000) {
    std::fprintf(stderr, "growth: --peers must be 10 to 1000000, --rounds 1 to 1000\n");
    return 2;
  }
  if (!only.empty() && only != "peers" && only != "outstanding") {
    std::fprintf(stderr, "growth: --only must be peers or outstanding\n");
    return 2;
  }
  auto all = cases(static_cast<uint32_t>(peers), only);
  for (Case& each : all) {
    const double before = bench::resident_bytes();
    each.bench = std::make_unique<Bench>(each.work, crypto::make_ipsec_mb_backend());
    each.bench->settle();
    each.bench->run(each.work.active + each.work.outstanding);
    each.rss = bench::resident_bytes() - before;
  }
  for (uint64_t round = 0; round < rounds; ++round) {
    for (Case& each : all) measure(&each);
  }
  Report report(arguments.has("json"));
  report_costs(&all, &report);
  if (only != "outstanding") report_memory(all, &report);
}
