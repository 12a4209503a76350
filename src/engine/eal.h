// SPDX-License-Identifier: Apache-2.0
//
// DPDK's environment, which a process has once and keeps: the first engine brings it up, or takes
// over what the host program brought up before (libsluice-dpdk.so); later ones share it.
#ifndef SLUICE_ENGINE_EAL_H_
#define SLUICE_ENGINE_EAL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/clock.h"
#include "engine/config.h"
#include "engine/eal_arguments.h"
#include "engine/report.h"

namespace sluice::engine {

// True in a child that the process forked: none of DPDK's threads are there, so nothing works.
bool in_forked_child();
// FailedPrecondition in a forked child.
absl::Status refuse_forked_child();

// Turns what EAL logged before it gave up into one line that says what to change.
std::string explain_eal_failure(std::string_view log, std::string_view error);

class Eal {
 public:
  // The process's environment. The first call adopts it where the host has it up already
  // (InvalidArgument if `config` has EAL arguments, which would come too late), and brings it up
  // otherwise; then the caller's CPU affinity and signal mask are as before. A failed start cannot
  // be repeated within the process (DPDK's rule); what can be checked is checked before. An adopted
  // environment must stay until the engines are gone.
  static absl::StatusOr<Eal*> acquire(const EalConfig& config, const EalNeeds& needs);

  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  const Clock& clock() const { return clock_; }
  bool huge_pages() const { return plan_.huge_pages; }
  const std::vector<ReportLine>& report() const { return plan_.report; }

  // Worker lcores that no engine uses, nor the host where the environment is its own; DPDK's
  // numbers. ResourceExhausted when there are too few.
  absl::StatusOr<std::vector<uint32_t>> take_lcores(uint32_t count);
  void return_lcores(const std::vector<uint32_t>& lcores);

 private:
  Eal(EalPlan plan, Clock clock, bool adopted);
  static absl::StatusOr<std::unique_ptr<Eal>> start(const EalConfig& config, const EalNeeds& needs);
  static absl::StatusOr<std::unique_ptr<Eal>> adopt(const EalConfig& config);

  EalPlan plan_;
  Clock clock_;
  const bool adopted_;
  std::mutex mutex_;
  std::vector<uint32_t> free_lcores_;  // Ascending.
};

// Runs something that calls DPDK on the control path and returns what DPDK logged meanwhile,
// which then is not printed. SIGPIPE does not reach the program meanwhile. One thread at a time.
std::string capture_log(const std::function<void()>& work);
// The last line of such a text that says something, without its prefix; "" when there is none.
std::string last_log_line(std::string_view log);

// The CPUs that a worker lcore may run on.
std::vector<uint32_t> cpus_of_lcore(uint32_t eal_lcore);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_EAL_H_
