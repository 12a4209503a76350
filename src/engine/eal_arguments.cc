// SPDX-License-Identifier: Apache-2.0
#include "engine/eal_arguments.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace sluice::engine {
namespace {

// EAL's long options. Checked here, since EAL itself prints its whole usage on a misspelt one.
constexpr std::array kLongOptions = {"allow",
                                     "base-virtaddr",
                                     "block",
                                     "create-uio-dev",
                                     "file-prefix",
                                     "huge-dir",
                                     "huge-unlink",
                                     "in-memory",
                                     "iova-mode",
                                     "lcores",
                                     "legacy-mem",
                                     "log-level",
                                     "main-lcore",
                                     "master-lcore",
                                     "match-allocations",
                                     "mbuf-pool-ops-name",
                                     "no-hpet",
                                     "no-huge",
                                     "no-pci",
                                     "no-shconf",
                                     "no-telemetry",
                                     "proc-type",
                                     "single-file-segments",
                                     "socket-limit",
                                     "socket-mem",
                                     "syslog",
                                     "telemetry",
                                     "trace",
                                     "trace-bufsz",
                                     "trace-dir",
                                     "trace-mode",
                                     "vdev",
                                     "version",
                                     "vfio-intr",
                                     "vfio-vf-token",
                                     "vmware-tsc-map",
                                     "force-max-simd-bitwidth",
                                     "huge-worker-stack"};
constexpr std::string_view kShortOptions = "abcdhlmnrsSvw";
constexpr std::string_view kShortWithValue = "abcdlmnrsSw";

struct UserOption {
  std::string name;  // Without dashes.
  std::string value;
};

bool known_long(std::string_view name) {
  return std::find(kLongOptions.begin(), kLongOptions.end(), name) != kLongOptions.end();
}

bool takes_separate_value(std::string_view name) {
  constexpr std::array kWithValue = {"allow",
                                     "base-virtaddr",
                                     "block",
                                     "file-prefix",
                                     "huge-dir",
                                     "iova-mode",
                                     "lcores",
                                     "log-level",
                                     "main-lcore",
                                     "socket-limit",
                                     "proc-type",
                                     "socket-mem",
                                     "syslog",
                                     "trace",
                                     "trace-bufsz",
                                     "trace-dir",
                                     "vdev",
                                     "trace-mode",
                                     "vfio-intr",
                                     "vfio-vf-token",
                                     "master-lcore",
                                     "mbuf-pool-ops-name",
                                     "force-max-simd-bitwidth"};
  return std::find(kWithValue.begin(), kWithValue.end(), name) != kWithValue.end();
}

// One option at `*index`, which is moved past its separate value.
absl::StatusOr<UserOption> read_option(const std::vector<std::string>& arguments, size_t* index) {
  const std::string& text = arguments[*index];
  UserOption option;
  bool wants_value = false;
  if (text.starts_with("--") && text.size() > 2) {
    const size_t equals = text.find('=');
    option.name = text.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (!known_long(option.name)) {
      return absl::InvalidArgumentError(absl::StrCat("unknown EAL argument --", option.name,
                                                     "; application arguments go after --"));
    }
    if (equals != std::string::npos) option.value = text.substr(equals + 1);
    wants_value = equals == std::string::npos && takes_separate_value(option.name);
  } else if (text.size() >= 2 && text[0] == '-' &&
             kShortOptions.find(text[1]) != std::string_view::npos) {
    option.name = text.substr(1, 1);
    option.value = text.substr(2);
    wants_value = option.value.empty() && kShortWithValue.find(text[1]) != std::string_view::npos;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown EAL argument ", text, "; application arguments go after --"));
  }
  if (!wants_value) return option;
  if (*index + 1 >= arguments.size()) {
    return absl::InvalidArgumentError(absl::StrCat("EAL argument ", text, " needs a value"));
  }
  option.value = arguments[++*index];
  return option;
}

absl::StatusOr<std::vector<UserOption>> read_options(const std::vector<std::string>& arguments) {
  std::vector<UserOption> options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto option = read_option(arguments, &i);
    if (!option.ok()) return option.status();
    options.push_back(*std::move(option));
  }
  return options;
}

bool has(const std::vector<UserOption>& options, std::initializer_list<std::string_view> names) {
  return std::any_of(options.begin(), options.end(), [&](const UserOption& option) {
    return std::find(names.begin(), names.end(), option.name) != names.end();
  });
}

// Adds the numbers of a list such as "0-3,8" to `cpus`; false when it cannot be read.
bool read_cpu_list(absl::string_view list, std::vector<uint32_t>* cpus) {
  for (const absl::string_view part : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> ends = absl::StrSplit(part, '-');
    uint32_t first = 0;
    uint32_t last = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &first) ||
        !absl::SimpleAtoi(ends.back(), &last) || last < first || last > 1'000'000) {
      return false;
    }
    for (uint32_t cpu = first; cpu <= last; ++cpu) cpus->push_back(cpu);
  }
  return true;
}

// The CPU numbers of a core map such as "0@(0,1),1@2": what follows the @ signs, or the whole list
// when there is none. nullopt when it cannot be read.
std::optional<std::vector<uint32_t>> cpus_in(const std::string& list) {
  std::vector<uint32_t> cpus;
  size_t at = list.find('@');
  if (at == std::string::npos) {
    if (list.find('(') == std::string::npos && !read_cpu_list(list, &cpus)) return std::nullopt;
    return cpus;
  }
  for (; at != std::string::npos; at = list.find('@', at + 1)) {
    const bool group = list.compare(at + 1, 1, "(") == 0;
    const size_t begin = group ? at + 2 : at + 1;
    const size_t end = std::min(list.find(group ? ')' : ',', begin), list.size());
    if (begin >= end || !read_cpu_list(list.substr(begin, end - begin), &cpus)) {
      return std::nullopt;
    }
  }
  return cpus;
}

absl::Status check_cores(const std::vector<UserOption>& options, const Machine& machine) {
  for (const UserOption& option : options) {
    if (option.name != "l" && option.name != "lcores") continue;
    const auto cpus = cpus_in(option.value);
    if (!cpus) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot read the core list '", option.value, "'; write e.g. -l 0-1"));
    }
    for (const uint32_t cpu : *cpus) {
      if (std::find(machine.cpus.begin(), machine.cpus.end(), cpu) != machine.cpus.end()) continue;
      return absl::InvalidArgumentError(absl::StrCat("no CPU ", cpu, " for this process: choose ",
                                                     "from ", format_cpu_list(machine.cpus)));
    }
  }
  return absl::OkStatus();
}

// How many lcores the user's own list names; 0 when unknown.
size_t cores_named(const std::vector<UserOption>& options) {
  for (const UserOption& option : options) {
    if (option.name != "l") continue;
    const auto cpus = cpus_in(option.value);
    if (cpus) return cpus->size();
  }
  return 0;
}

absl::Status plan_cores(const EalNeeds& needs, const Machine& machine,
                        const std::vector<UserOption>& options, EalPlan* plan) {
  if (has(options, {"l", "c", "lcores", "s"})) {
    const size_t named = cores_named(options);
    if (named != 0 && named < needs.lcores + 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("-l names ", named, " lcores, of which one is the control thread's; ",
                       needs.lcores, " polling lcores are wanted: name ", needs.lcores + 1,
                       ", or leave -l out to share the CPUs there are"));
    }
    plan->report.push_back({"lcores", absl::StrCat(needs.lcores), "placed by EAL arguments"});
    return absl::OkStatus();
  }
  if (needs.lcores > kMaxPollingLcores) {
    return absl::InvalidArgumentError(absl::StrCat(needs.lcores, " lcores are wanted: at most ",
                                                   kMaxPollingLcores, " are possible"));
  }
  if (machine.cpus.empty()) return absl::InternalError("this process may run on no CPU at all");
  const bool pin = needs.pinned || needs.lcores >= machine.cpus.size();
  const std::string all = absl::StrJoin(machine.cpus, ",");
  std::string map = absl::StrCat("0@(", all, ")");
  for (uint32_t i = 0; i < needs.lcores; ++i) {
    const uint32_t cpu = machine.cpus[i % machine.cpus.size()];
    absl::StrAppend(&map, ",", i + 1, "@", pin ? absl::StrCat(cpu) : absl::StrCat("(", all, ")"));
  }
  plan->arguments.insert(plan->arguments.end(), {"--lcores", map});
  std::string why;
  if (needs.lcores > machine.cpus.size()) {
    why = absl::StrCat("shared: CPUs ", format_cpu_list(machine.cpus),
                       " are all there is, so idle lcores yield");
  } else if (pin) {
    why = absl::StrCat("one CPU each, of ", format_cpu_list(machine.cpus));
  } else {
    why = absl::StrCat("on ", format_cpu_list(machine.cpus), " as the kernel likes; -l pins them");
  }
  plan->report.push_back({"lcores", absl::StrCat(needs.lcores), why});
  return absl::OkStatus();
}

absl::Status plan_memory(const EalConfig& config, const EalNeeds& needs, const Machine& machine,
                         const std::vector<UserOption>& options, EalPlan* plan) {
  if (has(options, {"no-huge", "in-memory", "legacy-mem", "huge-dir", "socket-mem"})) {
    plan->huge_pages = !has(options, {"no-huge"});
    plan->report.push_back({"huge pages", plan->huge_pages ? "yes" : "no", "by EAL arguments"});
    if (!plan->huge_pages && !has(options, {"m"})) {
      plan->memory_mb = config.memory_mb != 0 ? config.memory_mb : needs.memory_mb;
      plan->arguments.insert(plan->arguments.end(), {"-m", absl::StrCat(plan->memory_mb)});
    }
    if (has(options, {"no-huge"}) && has(options, {"in-memory"})) {
      return absl::InvalidArgumentError(
          "--no-huge and --in-memory exclude each other in DPDK: leave one out");
    }
    return absl::OkStatus();
  }
  uint32_t wanted = config.memory_mb != 0 ? config.memory_mb : needs.memory_mb;
  for (const UserOption& option : options) {
    if (option.name == "m" && !absl::SimpleAtoi(option.value, &wanted)) {
      return absl::InvalidArgumentError(
          absl::StrCat("-m takes a number of megabytes, not '", option.value, "'"));
    }
  }
  if (wanted < needs.memory_mb) {
    return absl::ResourceExhaustedError(
        absl::StrCat("too little memory: ", wanted, " MB given, ", needs.memory_mb,
                     " MB needed; raise -m, or use fewer lcores or descriptors"));
  }
  plan->memory_mb = wanted;
  const bool huge_there = machine.free_huge_mb >= wanted;
  if (config.huge_pages == HugePages::kYes && !huge_there) {
    return absl::FailedPreconditionError(
        absl::StrCat("huge pages are asked for, but only ", machine.free_huge_mb, " MB of ", wanted,
                     " MB are free: raise vm.nr_hugepages, or do not insist on them"));
  }
  plan->huge_pages = huge_there && config.huge_pages != HugePages::kNo;
  if (!plan->huge_pages && machine.available_mb < wanted) {
    return absl::ResourceExhaustedError(
        absl::StrCat("too little memory: ", wanted, " MB needed, ", machine.available_mb,
                     " MB available; lower -m, or use fewer lcores or descriptors"));
  }
  if (plan->huge_pages) {
    plan->arguments.push_back("--in-memory");
    if (needs.shared_memory) plan->arguments.push_back("--single-file-segments");
    plan->report.push_back({"huge pages", absl::StrCat("yes, ", wanted, " MB"),
                            absl::StrCat(machine.free_huge_mb, " MB can be had")});
  } else {
    plan->arguments.insert(plan->arguments.end(), {"--no-huge", "--no-shconf"});
    const bool off = config.huge_pages == HugePages::kNo;
    plan->report.push_back({"huge pages", absl::StrCat("no, ", wanted, " MB of small pages"),
                            off ? "turned off" : "none free (sysctl vm.nr_hugepages)"});
  }
  if (!has(options, {"m"})) {
    plan->arguments.insert(plan->arguments.end(), {"-m", absl::StrCat(wanted)});
  }
  return absl::OkStatus();
}

// Memory in MB that /proc/meminfo names under `key`; 0 when it does not.
uint32_t meminfo_mb(std::string_view key) {
  std::FILE* file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) return 0;
  std::array<char, 256> line{};
  uint32_t result = 0;
  while (std::fgets(line.data(), line.size(), file) != nullptr) {
    const std::vector<std::string> words =
        absl::StrSplit(line.data(), absl::ByAnyChar(" :\n"), absl::SkipEmpty());
    uint64_t kilobytes = 0;
    if (words.size() >= 2 && words[0] == key && absl::SimpleAtoi(words[1], &kilobytes)) {
      result = static_cast<uint32_t>(kilobytes / 1024);
    }
  }
  std::fclose(file);
  return result;
}

// Whether that much memory in huge pages can really be had: counters do not know of cgroups.
uint32_t probe_huge_mb(uint32_t wanted_mb) {
  const uint32_t page_mb = meminfo_mb("Hugepagesize");
  if (page_mb == 0 || wanted_mb == 0) return 0;
  const uint32_t rounded = (wanted_mb + page_mb - 1) / page_mb * page_mb;
  const size_t bytes = size_t{rounded} << 20;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (memory == MAP_FAILED) return 0;
  munmap(memory, bytes);
  return rounded;
}

}  // namespace

std::string format_cpu_list(const std::vector<uint32_t>& cpus) {
  std::string out;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    absl::StrAppend(&out, out.empty() ? "" : ",", cpus[i]);
    if (last > i) absl::StrAppend(&out, "-", cpus[last]);
    i = last + 1;
  }
  return out.empty() ? "none" : out;
}

Machine read_machine(uint32_t huge_needed_mb) {
  Machine machine;
  machine.process_id = static_cast<uint32_t>(getpid());
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) machine.cpus.push_back(cpu);
    }
  }
  machine.available_mb = meminfo_mb("MemAvailable");
  machine.free_huge_mb = probe_huge_mb(huge_needed_mb);
  return machine;
}

absl::StatusOr<EalPlan> plan_eal(const EalConfig& config, const EalNeeds& needs,
                                 const Machine& machine) {
  const auto options = read_options(config.arguments);
  if (!options.ok()) return options.status();
  if (auto status = check_cores(*options, machine); !status.ok()) return status;
  EalPlan plan;
  if (auto status = plan_cores(needs, machine, *options, &plan); !status.ok()) return status;
  if (auto status = plan_memory(config, needs, machine, *options, &plan); !status.ok()) {
    return status;
  }
  if (!needs.pci && !has(*options, {"a", "b", "w", "allow", "block", "no-pci"})) {
    plan.arguments.push_back("--no-pci");
  }
  if (!has(*options, {"file-prefix"})) {
    plan.own_prefix = config.file_prefix.empty();
    plan.file_prefix =
        plan.own_prefix ? absl::StrCat("sluice-", machine.process_id) : config.file_prefix;
    plan.arguments.insert(plan.arguments.end(), {"--file-prefix", plan.file_prefix});
  }
  if (!config.telemetry && !has(*options, {"telemetry", "no-telemetry"})) {
    plan.arguments.push_back("--no-telemetry");
  }
  plan.arguments.insert(plan.arguments.end(), config.arguments.begin(), config.arguments.end());
  return plan;
}

}  // namespace sluice::engine
