// SPDX-License-Identifier: Apache-2.0
#include "engine/eal.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sluice::engine {
namespace {

std::atomic<bool> g_forked{false};
bool g_init_failed = false;  // Guarded by the mutex of Eal::acquire().

void mark_forked() { g_forked.store(true, std::memory_order_relaxed); }

// Where DPDK's log goes: kept aside while EAL starts, so that a failure can be explained in one
// line; afterwards warnings and errors go to stderr as DPDK's own default has it.
class LogStream {
 public:
  static LogStream& instance() {
    static LogStream* const stream = new LogStream();  // DPDK's threads may outlive main().
    return *stream;
  }

  // `quiet` keeps the text for take(); otherwise everything goes to stderr.
  void begin(bool quiet) {
    const std::lock_guard lock(mutex_);
    keep_ = quiet;
    text_.clear();
    if (!quiet || file_ == nullptr) return;
    if (borrowed_) hosts_ = rte_log_get_stream();
    rte_openlog_stream(file_);
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    keep_ = false;
    if (hosts_ != nullptr) rte_openlog_stream(std::exchange(hosts_, nullptr));
    return std::exchange(text_, {});
  }
  // The log is the host's: it goes where that had it, but for what is kept meanwhile.
  void borrow() {
    const std::lock_guard lock(mutex_);
    borrowed_ = true;
  }

 private:
  LogStream() {
    const cookie_io_functions_t functions{
        .read = nullptr, .write = &write, .seek = nullptr, .close = nullptr};
    file_ = fopencookie(this, "w", functions);
  }

  static ssize_t write(void* cookie, const char* data, size_t size) {
    auto* self = static_cast<LogStream*>(cookie);
    const std::lock_guard lock(self->mutex_);
    if (self->keep_) {
      if (self->text_.size() < kMaxKept) self->text_.append(data, size);
    } else if (rte_log_cur_msg_loglevel() <= static_cast<int>(RTE_LOG_WARNING)) {
      std::fwrite(data, 1, size, stderr);
    }
    return static_cast<ssize_t>(size);
  }

  static constexpr size_t kMaxKept = 65536;

  std::FILE* file_ = nullptr;
  std::mutex mutex_;
  bool keep_ = false;
  bool borrowed_ = false;
  std::FILE* hosts_ = nullptr;  // To be put back.
  std::string text_;
};

// rte_eal_init() changes both of the calling thread; its own threads must inherit a mask under
// which signals go to the program's threads.
class CallerGuard {
 public:
  CallerGuard() {
    CPU_ZERO(&affinity_);
    has_affinity_ = sched_getaffinity(0, sizeof(affinity_), &affinity_) == 0;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask_);
  }
  ~CallerGuard() {
    if (has_affinity_) sched_setaffinity(0, sizeof(affinity_), &affinity_);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  CallerGuard(const CallerGuard&) = delete;
  CallerGuard& operator=(const CallerGuard&) = delete;

 private:
  cpu_set_t affinity_;
  sigset_t mask_;
  bool has_affinity_ = false;
};

// A driver may write to the socket of a peer that is gone (net_virtio_user does when its port is
// stopped); that ends the write, and not the program. DPDK's own threads have all signals blocked.
class PipeGuard {
 public:
  PipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    was_pending_ = pending();
    pthread_sigmask(SIG_BLOCK, &pipe_, &mask_);
  }
  ~PipeGuard() {
    const timespec at_once{};
    if (!was_pending_ && pending()) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  PipeGuard(const PipeGuard&) = delete;
  PipeGuard& operator=(const PipeGuard&) = delete;

 private:
  static bool pending() {
    sigset_t set;
    return sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 1;
  }

  sigset_t pipe_;
  sigset_t mask_;
  bool was_pending_ = false;
};

// The runtime directory holds nothing but the telemetry socket; DPDK leaves it behind.
void remove_runtime_directory() {
  if (in_forked_child()) return;
  std::error_code ignored;
  std::filesystem::remove_all(rte_eal_get_runtime_dir(), ignored);
}

// argv for EAL, which keeps the pointers for good and permutes them.
std::vector<char*>* make_argv(const std::vector<std::string>& arguments) {
  auto* strings = new std::vector<std::string>{"sluice"};
  strings->insert(strings->end(), arguments.begin(), arguments.end());
  auto* argv = new std::vector<char*>();
  for (std::string& text : *strings) argv->push_back(text.data());
  argv->push_back(nullptr);
  return argv;
}

bool wants_log(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& text) {
    return text.starts_with("--log-level") || text == "-v";
  });
}

// rte_eal_init() sets the count; without it there are none.
bool is_up() { return rte_lcore_count() > 0; }

Clock make_clock(std::vector<ReportLine>* report) {
  const bool invariant = tsc_is_invariant();
  report->push_back({"clock", invariant ? "TSC" : "kernel",
                     invariant ? absl::StrCat(rte_get_tsc_hz() / 1'000'000, " MHz, invariant")
                               : "the TSC's rate is not constant here"});
  return Clock(invariant ? rte_get_tsc_hz() : 0);
}

}  // namespace

bool in_forked_child() { return g_forked.load(std::memory_order_relaxed); }

absl::Status refuse_forked_child() {
  if (!in_forked_child()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this is a forked child of a process that uses Sluice: only the parent can use it");
}

std::string explain_eal_failure(std::string_view log, std::string_view error) {
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(log.data(), log.size()), '\n', absl::SkipEmpty())) {
    if (absl::StrContains(line, "failed to parse device") ||
        absl::StrContains(line, "nable to parse device")) {
      return absl::StrCat("no such device: ", absl::StripPrefix(line, "EAL: "),
                          "; drivers here are net_af_packet, net_af_xdp, net_memif, net_null, "
                          "net_pcap, net_ring, net_tap, net_vhost and net_virtio_user");
    }
    if (absl::StrContains(line, "ot enough memory") || absl::StrContains(line, "annot allocate") ||
        absl::StrContains(line, "ouldn't allocate")) {
      return absl::StrCat("too little memory: ", absl::StripPrefix(line, "EAL: "),
                          "; lower -m, or free memory");
    }
    if (absl::StrContains(line, "annot create lock")) {
      return "another process uses this --file-prefix: choose another, or leave it out";
    }
  }
  std::string last(absl::StripPrefix(last_log_line(log), "EAL: "));
  if (last.empty()) last = error;
  return absl::StrCat("DPDK did not start: ", last, "; check the EAL arguments");
}

Eal::Eal(EalPlan plan, Clock clock, bool adopted)
    : plan_(std::move(plan)), clock_(clock), adopted_(adopted) {
  unsigned lcore = 0;
  RTE_LCORE_FOREACH_WORKER(lcore) { free_lcores_.push_back(lcore); }
}

absl::StatusOr<std::unique_ptr<Eal>> Eal::start(const EalConfig& config, const EalNeeds& needs) {
  auto plan = plan_eal(config, needs, read_machine(std::max(config.memory_mb, needs.memory_mb)));
  if (!plan.ok()) return plan.status();
  const std::vector<char*>* argv = make_argv(plan->arguments);
  std::vector<char*> permuted = *argv;
  LogStream::instance().begin(!wants_log(config.arguments));
  int result = 0;
  int error = 0;
  {
    const CallerGuard guard;
    result = rte_eal_init(static_cast<int>(argv->size() - 1), permuted.data());
    error = rte_errno;
  }
  const std::string log = LogStream::instance().take();
  if (result < 0) {
    g_init_failed = true;
    return absl::FailedPreconditionError(explain_eal_failure(log, rte_strerror(error)));
  }
  pthread_atfork(nullptr, nullptr, mark_forked);
  if (plan->own_prefix) std::atexit(remove_runtime_directory);
  const Clock clock = make_clock(&plan->report);
  return std::unique_ptr<Eal>(new Eal(*std::move(plan), clock, false));
}

absl::StatusOr<std::unique_ptr<Eal>> Eal::adopt(const EalConfig& config) {
  if (!config.arguments.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("EAL argument '", config.arguments.front(),
                     "' comes too late: this process has DPDK up already; give it to rte_eal_init()"
                     " there, or leave it out"));
  }
  if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
    return absl::FailedPreconditionError(
        "this process is a secondary one of DPDK, whose ports and memory are another's: use Sluice "
        "in a primary process");
  }
  LogStream::instance().borrow();
  pthread_atfork(nullptr, nullptr, mark_forked);
  EalPlan plan;
  plan.huge_pages = rte_eal_has_hugepages() != 0;
  if (config.huge_pages == HugePages::kYes && !plan.huge_pages) {
    return absl::FailedPreconditionError(
        "huge pages are asked for, and the host's DPDK runs without: start it with them");
  }
  plan.report.push_back({"EAL", "adopted",
                         absl::StrCat("the host has it up, with ", rte_lcore_count(),
                                      " lcores and ", plan.huge_pages ? "" : "no ", "huge pages")});
  const Clock clock = make_clock(&plan.report);
  return std::unique_ptr<Eal>(new Eal(std::move(plan), clock, true));
}

absl::StatusOr<Eal*> Eal::acquire(const EalConfig& config, const EalNeeds& needs) {
  static std::mutex mutex;
  static Eal* instance = nullptr;  // Never freed: DPDK cannot be brought up a second time.
  if (auto status = refuse_forked_child(); !status.ok()) return status;
  const std::lock_guard lock(mutex);
  if (instance != nullptr) return instance;
  if (g_init_failed) {
    return absl::FailedPreconditionError(
        "DPDK failed to start in this process before and cannot be started again: restart it");
  }
  auto eal = is_up() ? adopt(config) : start(config, needs);
  if (!eal.ok()) return eal.status();
  instance = eal->release();
  return instance;
}

absl::StatusOr<std::vector<uint32_t>> Eal::take_lcores(uint32_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<uint32_t> taken;
  for (const uint32_t lcore : free_lcores_) {
    // The host may have work of its own on it, but for the main lcore, which is not among them.
    if (!adopted_ || rte_eal_get_lcore_state(lcore) == WAIT) taken.push_back(lcore);
  }
  if (count > taken.size()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        count, " polling lcores are wanted, ", taken.size(), " are free: ",
        adopted_ ? "give the host's rte_eal_init() more with -l or --lcores"
                 : "name more with -l or --lcores, or leave them out to share the CPUs"));
  }
  taken.resize(count);
  std::erase_if(free_lcores_, [&](uint32_t lcore) {
    return std::find(taken.begin(), taken.end(), lcore) != taken.end();
  });
  return taken;
}

void Eal::return_lcores(const std::vector<uint32_t>& lcores) {
  const std::lock_guard lock(mutex_);
  free_lcores_.insert(free_lcores_.end(), lcores.begin(), lcores.end());
  std::sort(free_lcores_.begin(), free_lcores_.end());
}

std::string capture_log(const std::function<void()>& work) {
  LogStream::instance().begin(true);
  const PipeGuard guard;
  work();
  return LogStream::instance().take();
}

std::string last_log_line(std::string_view log) {
  std::string last;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(log.data(), log.size()), '\n', absl::SkipEmpty())) {
    if (!absl::StrContains(line, "Detected") && !absl::StrContains(line, "Driver cannot attach") &&
        !absl::StrContains(line, "Cannot probe device") &&
        !absl::StrContains(line, "Failed to attach device on primary") &&
        !absl::StrContains(line, "dev_configure = ") &&
        !absl::StrContains(line, "invalid input parameter")) {
      last = std::string(line);
    }
  }
  return last;
}

std::vector<uint32_t> cpus_of_lcore(uint32_t eal_lcore) {
  std::vector<uint32_t> cpus;
  const rte_cpuset_t set = rte_lcore_cpuset(eal_lcore);
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace sluice::engine
