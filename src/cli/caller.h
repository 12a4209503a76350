// SPDX-License-Identifier: Apache-2.0
//
// The load generator of one lcore: keeps a number of RPCs in flight, checks every byte that comes
// back, and measures.
#ifndef SLUICE_CLI_CALLER_H_
#define SLUICE_CLI_CALLER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/histogram.h"
#include "base/prng.h"
#include "base/workload.h"
#include "cli/content.h"
#include "sluice/call.h"
#include "sluice/endpoint.h"
#include "sluice/engine.h"
#include "sluice/session.h"
#include "sluice/status.h"

namespace sluice::cli {

// Service numbers that `sluice serve` answers.
inline constexpr uint16_t kEchoService = 1;  // As many bytes as the request has.
inline constexpr uint16_t kSinkService = 2;  // A request of any length; eight bytes come back.
inline constexpr uint16_t kFileService = 3;

inline constexpr size_t kStatusCodes = 13;

struct CallerConfig {
  const Engine* engine = nullptr;    // For the clock; outlives the caller.
  const Content* content = nullptr;  // Likewise.
  std::vector<Session> sessions;     // At least one; calls take them in turn.
  uint16_t service = kEchoService;
  base::Workload workload = base::Workload::fixed(64);
  uint32_t outstanding = 1;
  // Calls to begin per second, at Poisson times; 0: whenever fewer than `outstanding` fly. A
  // latency then counts from when the call should have begun, or a client that is late would hide
  // it.
  uint64_t load = 0;
  uint32_t beside = 0;  // Bytes of one more message to the sink, begun anew whenever it has ended.
  uint64_t count = 0;   // Calls to complete and measure; 0: until stopped.
  uint64_t warmup = 0;  // Further calls before those, which are checked but not measured.
  uint64_t deadline_ns = kNoDeadline;
  bool in_rounds = false;  // All calls of a round begin together, when the last round has ended.
  bool precise_times = false;  // Read the clock for each call instead of once per loop.
  uint64_t seed = 1;
};

// What one lcore has measured. About 330 KB: for the heap.
struct CallerResults {
  uint64_t completed = 0;                       // Those that ended with kOk and the right bytes.
  uint64_t corrupt = 0;                         // Those with wrong bytes, in either direction.
  std::array<uint64_t, kStatusCodes> failed{};  // By status code; kOk stays 0.
  uint64_t request_bytes = 0;                   // Of the completed.
  uint64_t response_bytes = 0;
  uint64_t begun_ns = 0;  // On the engine's clock: first measured call, last completion.
  uint64_t ended_ns = 0;
  std::array<base::Histogram, base::kMaxSizeClasses> latency;  // ns, by size class of the request.
  base::Histogram rounds;                                      // ns, with in_rounds only.
  uint64_t beside_completed = 0;                               // Of the messages beside the others.
  uint64_t beside_bytes = 0;

  uint64_t failures() const;
  void merge(const CallerResults& other);
};

// Thread rule: everything before install() and after done() is for one ordinary thread; in between
// the lcore works on it and only the functions marked so may be called.
class Caller {
 public:
  explicit Caller(CallerConfig config);
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // On the lcore, or before the engine runs: takes the endpoint's task and begins.
  void install(Endpoint& endpoint);
  // On the lcore, after done(): gives the task back.
  static void uninstall(Endpoint& endpoint) { endpoint.set_task(nullptr, nullptr); }

  // Any thread: begin no more calls; done() follows when those in flight have ended.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }
  bool done() const { return done_.load(std::memory_order_acquire); }
  // Any thread: calls that have ended, in whatever way, warm-up excluded.
  uint64_t ended() const { return ended_.load(std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // After done().
  const CallerResults& results() const { return results_; }
  // Why no further call could be begun; kOk unless the session or the contract broke.
  StatusCode refused() const { return refused_; }

 private:
  struct Slot {
    Caller* caller = nullptr;
    uint64_t id = 0;
    uint64_t begun_ns = 0;
    uint32_t size = 0;
  };

  static void task(void* context, Endpoint& endpoint);
  static void completed(void* context, CallResult& result);
  void fill(Endpoint& endpoint);
  bool due();
  // Says when there will be something to do, for an lcore that may sleep.
  void rest(Endpoint& endpoint) const;
  uint64_t interval();
  bool begin_call(Endpoint& endpoint);
  void end_call(Slot& slot, CallResult& result);
  void begin_beside(Endpoint& endpoint);
  static void beside_completed(void* context, CallResult& result);
  void end_beside(CallResult& result);
  // Notes a call whose bytes were wrong or that failed; returns whether it was neither.
  bool went_well(const CallResult& result, bool right);
  bool response_right(const Slot& slot, const CallResult& result) const;
  bool may_begin() const;
  uint64_t clock() const;
  void measure(const Slot& slot, uint64_t now);

  CallerConfig config_;
  base::Prng prng_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;  // Indices into slots_; as many as are not in flight.
  Endpoint* endpoint_ = nullptr;
  uint64_t begun_ = 0;         // Calls begun, warm-up included; also the next call's number.
  uint64_t finished_ = 0;      // Calls ended, warm-up included.
  uint32_t pending_size_ = 0;  // Drawn and refused for now; 0: none.
  size_t next_session_ = 0;
  uint64_t due_ns_ = 0;        // With a load: when the next call is to begin; 0: none was yet.
  bool beside_flies_ = false;  // The message beside the others is on its way.
  uint64_t beside_id_ = 0;
  uint64_t round_begun_ns_ = 0;
  StatusCode refused_ = StatusCode::kOk;
  CallerResults results_;

  alignas(64) std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<uint64_t> ended_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<bool> done_{false};
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_CALLER_H_
