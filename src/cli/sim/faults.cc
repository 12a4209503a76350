// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/faults.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "cli/args.h"
#include "cli/json_report.h"
#include "cli/machine.h"
#include "cli/text.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "sim/fault_case.h"
#include "sim/fault_machine.h"
#include "sluice/version.h"

namespace sluice::cli {
namespace {

constexpr uint32_t kShrinkAttempts = 200;

struct FaultsCommand {
  uint64_t seeds = 200;
  uint64_t first_seed = 1;
  std::string seed_file;
  std::string shrink;
  std::string json;
};

struct FaultTotals {
  uint64_t seeds = 0;
  uint64_t packets = 0;
  uint64_t records = 0;
  uint64_t esp = 0;
  uint64_t inline_records = 0;
  uint64_t calls = 0;
  uint64_t completed_ok = 0;
  uint64_t sessions = 0;
  uint64_t hash = 0;
  sim::FaultCounts fired{};
};

int fail(int status, const std::string& why) {
  std::fprintf(stderr, "sluice-sim: %s\n", why.c_str());
  return status;
}

OptionSet faults_options(FaultsCommand* command) {
  OptionSet set;
  set.add_count("seeds", "N", "how many seeds to run", &command->seeds, 1, 1'000'000'000);
  set.add_count("first-seed", "S", "the first of them", &command->first_seed, 0, INT64_MAX);
  set.add_text("seed-file", "FILE", "run one case from a file instead", &command->seed_file);
  set.add_text("shrink", "FILE", "where to write what fails, made as small as it can be",
               &command->shrink);
  set.add_text("json", "FILE", "write the figures for machines", &command->json);
  return set;
}

void add(const sim::FaultReport& report, FaultTotals* totals) {
  ++totals->seeds;
  totals->packets += report.packets;
  totals->records += report.records;
  totals->esp += report.esp;
  totals->inline_records += report.inline_records;
  totals->calls += report.calls;
  totals->completed_ok += report.completed_ok;
  totals->sessions += report.sessions;
  totals->hash = base::mix64(totals->hash, report.hash);
  for (uint32_t i = 0; i < sim::kFaultKinds; ++i) totals->fired[i] += report.fired[i];
}

std::string totals_text(const FaultTotals& totals) {
  Table table({"fault", "fired"});
  for (uint32_t i = 0; i < sim::kFaultKinds; ++i) {
    table.row({sim::kFaultNames[i], count_text(totals.fired[i])});
  }
  return absl::StrCat(
      table.text(), "\n", count_text(totals.seeds), " seeds, ", count_text(totals.packets),
      " packets (", count_text(totals.esp), " of ESP), ", count_text(totals.records),
      " records of several of them (", count_text(totals.inline_records), " sealed by ports), ",
      count_text(totals.sessions), " sessions, ", count_text(totals.calls), " calls of which ",
      count_text(totals.completed_ok), " completed; every promise was kept\n");
}

absl::Status write_json(const FaultsCommand& command, const FaultTotals& totals,
                        const std::string& words) {
  if (command.json.empty()) return absl::OkStatus();
  JsonReport json(
      words,
      absl::StrCat(SLUICE_VERSION_MAJOR, ".", SLUICE_VERSION_MINOR, ".", SLUICE_VERSION_PATCH),
      read_machine());
  json.add("faults.seeds", totals.seeds, "seeds");
  json.add("faults.packets", totals.packets, "packets");
  json.add("faults.records", totals.records, "records");
  json.add("faults.esp", totals.esp, "packets");
  json.add("faults.inline_records", totals.inline_records, "records");
  json.add("faults.calls", totals.calls, "calls");
  for (uint32_t i = 0; i < sim::kFaultKinds; ++i) {
    json.add("faults.fired", totals.fired[i], "times", {{"kind", sim::kFaultNames[i]}});
  }
  json.add("run.hash", totals.hash >> 11, "hash");
  json.add_real("run.cpu_seconds", static_cast<double>(std::clock()) / CLOCKS_PER_SEC, "s");
  return write_whole(command.json, json.text());
}

sim::FaultReport run_case(const sim::FaultCase& fault_case, crypto::AeadBackend* backend) {
  sim::FaultMachine machine(sim::fault_plan(fault_case), backend);
  return machine.run();
}

// Makes the failing case small and writes it down, where that was asked for.
absl::Status write_shrunk(const FaultsCommand& command, const sim::FaultCase& failing,
                          crypto::AeadBackend* backend) {
  if (command.shrink.empty()) return absl::OkStatus();
  std::string violation;
  const auto fails = [&violation, backend](const sim::FaultCase& smaller) {
    const sim::FaultReport report = run_case(smaller, backend);
    if (!report.ok()) violation = report.violation;
    return !report.ok();
  };
  const sim::FaultCase small = sim::shrink_fault_case(failing, kShrinkAttempts, fails);
  return write_whole(command.shrink, absl::StrCat("# ", violation, "\n", fault_case_text(small)));
}

int run_cases(const FaultsCommand& command, const std::vector<sim::FaultCase>& given,
              const std::string& words) {
  const auto backend = crypto::make_ipsec_mb_backend();
  if (backend == nullptr) return fail(1, "this processor has no AES instructions");
  FaultTotals totals;
  const uint64_t count = given.empty() ? command.seeds : given.size();
  for (uint64_t i = 0; i < count; ++i) {
    const sim::FaultCase now = given.empty() ? sim::fault_case(command.first_seed + i) : given[i];
    const sim::FaultReport report = run_case(now, backend.get());
    if (!report.ok()) {
      const auto status = write_shrunk(command, now, backend.get());
      if (!status.ok()) fail(1, std::string(status.message()));
      return fail(1, absl::StrCat("seed ", now.seed, ": ", report.violation));
    }
    add(report, &totals);
  }
  std::fputs(totals_text(totals).c_str(), stdout);
  const auto status = write_json(command, totals, words);
  return status.ok() ? 0 : fail(1, std::string(status.message()));
}

absl::StatusOr<sim::FaultCase> read_case(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("seed-file: cannot read ", path));
  std::ostringstream text;
  text << file.rdbuf();
  auto read = sim::parse_fault_case(text.str());
  if (read.ok()) return read;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", read.status().message()));
}

}  // namespace

int run_faults(const std::vector<std::string>& arguments, const std::string& words) {
  FaultsCommand command;
  const OptionSet set = faults_options(&command);
  const auto rest = set.parse(arguments);
  if (!rest.ok()) return fail(2, std::string(rest.status().message()));
  if (std::find(rest->begin(), rest->end(), "--help") != rest->end()) {
    std::printf("sluice-sim faults: the fault machine\n\n%s", set.help().c_str());
    return 0;
  }
  if (!rest->empty()) return fail(2, absl::StrCat("'", rest->front(), "' is not understood"));
  for (const std::string& path : {command.json, command.shrink}) {
    if (path.empty()) continue;
    const auto status = check_writable(path);
    if (!status.ok()) return fail(2, std::string(status.message()));
  }
  std::vector<sim::FaultCase> cases;
  if (!command.seed_file.empty()) {
    auto read = read_case(command.seed_file);
    if (!read.ok()) return fail(2, std::string(read.status().message()));
    cases.push_back(*std::move(read));
  }
  return run_cases(command, cases, words);
}

}  // namespace sluice::cli
