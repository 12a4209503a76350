// SPDX-License-Identifier: Apache-2.0
//
// One side of the fault machine: an endpoint, the application above it, which calls and answers,
// and the books from which the promises are checked.
#ifndef SLUICE_SIM_FAULT_PEER_H_
#define SLUICE_SIM_FAULT_PEER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "crypto/aead.h"
#include "crypto/primitives.h"
#include "sim/fault_plan.h"
#include "sim/sealing_port.h"
#include "transport/endpoint.h"

namespace sluice::sim {

// What is known of every call of both sides; the sides share one book.
struct CallRecord {
  uint32_t size = 0;
  uint32_t response_size = 0;  // 0: a one-way message.
  uint8_t caller = 0;          // The side.
  bool submitted = false;
  bool completed = false;
  bool cancelled = false;
  bool hurried = false;  // Its deadline is one that it may miss.
  base::Code code = base::Code::kOk;
  bool may_have_executed = false;
  uint32_t executed = 0;  // Times that the callee's application was given it.
};

// Calls by their tag, which is also their `service`: at most 65,536 in a run.
class CallBook {
 public:
  CallRecord& operator[](uint16_t tag) { return calls_[tag]; }
  uint16_t add(const CallRecord& record) {
    calls_.push_back(record);
    return static_cast<uint16_t>(calls_.size() - 1);
  }
  const std::vector<CallRecord>& all() const { return calls_; }
  void note_crash(int side) { ++crashes_[side]; }
  // The first promise that was broken, in words; later ones are ignored.
  void accuse(std::string what) {
    if (violation_.empty()) violation_ = std::move(what);
  }
  const std::string& violation() const { return violation_; }
  // Compares what callers were told with what callees did; at the end of a run.
  void audit();

 private:
  std::vector<CallRecord> calls_;
  uint32_t crashes_[2] = {};
  std::string violation_;
};

// Payloads are a function of tag, direction and offset, so that any byte can be checked.
void fill_payload(uint16_t tag, bool response, std::vector<uint8_t>* bytes);
bool payload_matches(uint16_t tag, bool response, const uint8_t* bytes, uint32_t length,
                     uint32_t offset);

// Whether the plan leaves each side room for all that can be under way at a time, so that a call
// which nobody hurries has no reason to miss its deadline.
bool is_roomy(const FaultPlan& plan);

class FaultPeer {
 public:
  // All of these outlive the peer.
  FaultPeer(int side, const FaultPlan& plan, crypto::AeadBackend* backend,
            const crypto::Primitives* primitives, CallBook* book, FaultCounts* counts);

  // What seals the records that the endpoint leaves to it.
  SealingPort& port() { return port_; }

  transport::Endpoint& endpoint() { return *endpoint_; }
  const transport::Endpoint& endpoint() const { return *endpoint_; }
  transport::LaneRef lane() const { return lane_; }
  bool has_lane() const { return lane_up_; }
  void set_lane(transport::LaneRef lane) {
    lane_ = lane;
    lane_up_ = true;
  }

  // The process dies: endpoint and application memory are gone, and with them the calls that were
  // under way here, of which nobody is told. A new, empty endpoint stands there.
  void crash();

  // Starts calls while there is room and some are left, answers what is due, reads events.
  void work(base::Nanos now);
  // When answers that are held back fall due; Nanos::max() when none is.
  base::Nanos next_due() const;
  // Takes events only from then on, as an application that is busy elsewhere.
  void ignore_events_until(base::Nanos until) { deaf_until_ = until; }
  // Takes all landing memory, and gives it back.
  void hoard();
  void release_hoard();
  // No more faults by the application: deadlines are long, nothing is cancelled or held back.
  void behave() { behaving_ = true; }
  // One more call, to show that the way is open; returns its tag.
  uint16_t probe(uint32_t size, base::Nanos now);
  uint32_t calls_left() const { return calls_left_; }
  void stop_calling() { calls_left_ = 0; }

  // Calls under way.
  size_t outstanding() const { return under_way_.size(); }
  // True when calls and answers of this side have left nothing behind: in the endpoint, in its
  // landing memory, and lent to it.
  bool clean();
  // What keeps it from being clean, in words.
  const char* remains();
  // Stops the run when landing memory changed after its call had completed.
  void check_quiet_memory();

 private:
  struct UnderWay {
    transport::ExchangeRef exchange;
    std::vector<uint8_t> data;
    std::vector<uint8_t> landing;  // Named memory, or empty.
    uint32_t streamed = 0;
  };
  struct Answer {
    base::Nanos due;
    transport::ExchangeRef exchange;
    uint16_t tag;
  };
  struct Finished {
    uint16_t tag;
    std::vector<uint8_t> landing;
    uint64_t hash;
  };

  void make_endpoint();
  void cancel_one(base::Nanos now);
  bool start_call(base::Nanos now, base::Nanos timeout, bool hurried);
  bool submit(uint16_t tag, base::Nanos now, base::Nanos timeout);
  void on_event(const transport::Event& event, base::Nanos now);
  void on_request(const transport::Event& event, base::Nanos now);
  void on_stream(const transport::Event& event, base::Nanos now);
  void on_call_done(const transport::Event& event, base::Nanos now);
  void answer(const Answer& answer, base::Nanos now);
  void finish(uint16_t tag, const transport::Event& event, base::Nanos now);
  void check_quiet(const Finished& call);
  bool chooses(FaultKind kind);
  void accuse(uint16_t tag, const char* what);

  // All landing memory that can be had now, in bytes; takes it when `keep` is given.
  uint64_t take_all(std::vector<uint8_t*>* keep);

  const int side_;
  const FaultPlan& plan_;
  crypto::AeadBackend* const backend_;
  const crypto::Primitives* const primitives_;
  CallBook& book_;
  FaultCounts& counts_;
  base::Prng prng_;
  SealingPort port_;
  std::unique_ptr<transport::Endpoint> endpoint_;
  transport::LaneRef lane_;
  bool lane_up_ = false;
  bool behaving_ = false;
  uint32_t calls_left_;
  uint64_t all_memory_ = 0;  // Bytes of a new endpoint.
  base::Nanos deaf_until_;
  std::map<uint16_t, UnderWay> under_way_;
  std::deque<Answer> answers_;
  std::map<uint64_t, std::vector<uint8_t>> lent_;  // Responses lent until kSendDone, by user.
  std::deque<Finished> finished_;
  std::vector<uint8_t*> hoard_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_PEER_H_
