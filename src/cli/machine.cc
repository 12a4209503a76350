// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"

#include <sched.h>
#include <sys/utsname.h>

#include <fstream>
#include "absl/strings/string_view.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

// What follows "key:" on the first line of a file that begins so.
std::string value_of(const char* file, absl::string_view key) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (!absl::StartsWith(line, {key.data(), key.size()})) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    return std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return "";
}

uint64_t number_of(const char* file, absl::string_view key) {
  const std::string text = value_of(file, key);
  uint64_t value = 0;
  return absl::SimpleAtoi(text.substr(0, text.find(' ')), &value) ? value : 0;
}

}  // namespace

Machine read_machine() {
  Machine machine;
  machine.cpu = value_of("/proc/cpuinfo", "model name");
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (::sched_getaffinity(0, sizeof(cpus), &cpus) == 0) {
    machine.cores = static_cast<uint32_t>(CPU_COUNT(&cpus));
  }
  machine.memory_mb = number_of("/proc/meminfo", "MemTotal") / 1024;
  machine.huge_pages = number_of("/proc/meminfo", "HugePages_Free");
  utsname kernel = {};
  if (::uname(&kernel) == 0) {
    machine.kernel = absl::StrCat(kernel.sysname, " ", kernel.release, " ", kernel.machine);
  }
  return machine;
}

std::string machine_text(const Machine& machine) {
  return absl::StrCat(machine.cores, machine.cores == 1 ? " core of " : " cores of ",
                      machine.cpu.empty() ? "an unnamed CPU" : machine.cpu, ", ",
                      count_text(machine.memory_mb), " MB, ", count_text(machine.huge_pages),
                      " huge pages free, ", machine.kernel);
}

uint64_t resident_bytes() {
  return 1024 *
         (number_of("/proc/self/status", "VmRSS") + number_of("/proc/self/status", "HugetlbPages"));
}

}  // namespace sluice::cli
