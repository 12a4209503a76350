// SPDX-License-Identifier: Apache-2.0
//
// Random endpoints, limits, faults and work, all from one seed, both sides calling each other;
// then the network heals and everything must finish. A failing seed replays exactly.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "test/unit/transport/pair.h"
#include "test/unit/transport/watch.h"

namespace sluice::transport {
namespace {

using base::Nanos;

class Swarm {
 public:
  explicit Swarm(uint64_t seed)
      : seed_(seed), prng_(seed * 7919), pair_(random_config(), random_config(), seed) {
    for (int side = 0; side < 2; ++side) {
      pair_.set_handler(side, [this, side](const Event& event) { on_event(side, event); });
    }
    pair_.tap = [this](int from, std::vector<uint8_t>* bytes) {
      watch_.see(from, *bytes);
      return true;
    };
    pair_.connect(seed % 50);
    LinkFaults faults;
    faults.loss_ppm = pick(0, 300000);
    faults.duplicate_ppm = pick(0, 100000);
    faults.reorder_ppm = pick(0, 300000);
    faults.corrupt_ppm = pick(0, 50000);
    faults.delay = base::micros(1 + prng_.uniform(60));
    faults.reorder_by = base::micros(1 + prng_.uniform(300));
    faults.mtu = 1200 + pick(0, 7700);
    pair_.set_faults(faults);
  }

  void run() {
    const uint64_t work = 20 + prng_.uniform(20);
    const bool finished = pair_.run(
        [&] {
          if (started_ < work * 2) start_some();
          if (started_ >= work && !healed_) heal();
          if (prng_.uniform(40) == 0) disturb();
          answer_due();
          return started_ >= work * 2 && open_ == 0;
        },
        base::seconds(100));
    ASSERT_TRUE(finished) << open_ << " of " << started_ << " are still open";
    while (!waiting_.empty()) answer_first();
    for (int side = 0; side < 2; ++side) EXPECT_EQ(pair_.side(side).stats().peers_lost.value(), 0u);
    ASSERT_TRUE(pair_.run([&] { return pair_.quiet(); }, base::seconds(10))) << "something is held";
    for (int side = 0; side < 2; ++side) {
      EXPECT_TRUE(arena_is_free(pair_.side(side), pair_.config(side).arena_bytes));
    }
    EXPECT_EQ(watch_.repeats, 0u);
    check();
  }

 private:
  struct Work {
    int side = 0;
    bool one_way = false;
    bool has_deadline = false;
    bool cancelled = false;
    uint32_t length = 0;
    uint32_t response = 0;
    ExchangeRef exchange;
    std::vector<uint8_t> bytes;
    int completions = 0;
    int executed = 0;
    bool refused = false;
    base::Code code = base::Code::kOk;
    bool may_have_executed = false;
  };
  struct Waiting {
    int side;
    uint16_t tag;
    ExchangeRef exchange;
    Nanos due;
  };

  uint32_t pick(uint32_t low, uint32_t high) {
    // A third of the time the lowest: most faults and limits are absent in most seeds.
    if (prng_.uniform(3) == 0) return low;
    return low + static_cast<uint32_t>(prng_.uniform(high - low + 1));
  }
  EndpointConfig random_config() {
    EndpointConfig config;
    config.max_exchanges = 6 + pick(0, 200);
    config.max_reassemblies = 2 + pick(0, 60);
    config.arena_bytes = uint64_t{1} << (19 + prng_.uniform(4));
    config.max_buffered_message = 100000;
    config.unscheduled_bytes = pick(100, 65536);
    config.grant_increment = 2000 + pick(0, 16000);
    config.max_incoming_bytes = 20000 + pick(0, 500000);
    config.overcommit = static_cast<uint8_t>(1 + prng_.uniform(8));
    config.bundling = prng_.uniform(4) != 0;
    config.bundle_message_max = 64 + pick(0, 960);
    config.max_packet = 1200 + pick(0, 7700);
    config.shuffle_deliveries = prng_.uniform(3) == 0;
    config.seed = prng_.next_u64();
    return config;
  }
  uint64_t content_seed(uint16_t tag, bool response) const {
    return seed_ * 1000003 + tag * 2 + (response ? 1 : 0);
  }
  uint32_t size() {
    return 1 + static_cast<uint32_t>(prng_.uniform(uint64_t{1} << prng_.uniform(17)));
  }

  void start_some() {
    for (int i = 0; i < 3 && open_ < 30; ++i) {
      const auto tag = static_cast<uint16_t>(started_ + 1);
      Work work;
      work.side = static_cast<int>(prng_.uniform(2));
      work.one_way = prng_.uniform(4) == 0;
      work.length = size();
      work.response = size();
      work.bytes = content(content_seed(tag, false), work.length);
      work.has_deadline = prng_.uniform(4) == 0;
      const Nanos deadline = work.has_deadline
                                 ? base::after(pair_.now(), base::micros(1 + prng_.uniform(20000)))
                                 : Nanos::max();
      const LaneRef lane = pair_.lane(work.side);
      Endpoint& side = pair_.side(work.side);
      const base::Code code =
          work.one_way
              ? side.submit(SendOneWay{lane, tag, work.bytes.data(), work.length, deadline, tag,
                                       tag % 2 == 0},
                            pair_.now(), &work.exchange)
              : side.submit(
                    SendRequest{lane, tag, work.bytes.data(), work.length, deadline, tag, {}},
                    pair_.now(), &work.exchange);
      if (code != base::Code::kOk) {
        EXPECT_EQ(code, base::Code::kResourceExhausted);
        return;
      }
      works_[tag] = std::move(work);
      ++started_;
      ++open_;
    }
  }
  void heal() {
    healed_ = true;
    LinkFaults clean;
    clean.mtu = 9000;
    pair_.set_faults(clean);
  }
  void disturb() {
    if (prng_.uniform(2) == 0) {
      const auto side = static_cast<int>(prng_.uniform(2));
      EXPECT_EQ(pair_.side(side).submit(UpdateKeys{pair_.lane(side)}, pair_.now()),
                base::Code::kOk);
      return;
    }
    if (works_.empty()) return;
    Work& work = works_[static_cast<uint16_t>(1 + prng_.uniform(started_))];
    if (work.completions == 0 &&
        pair_.side(work.side).submit(Cancel{work.exchange}, pair_.now()) == base::Code::kOk) {
      work.cancelled = true;
    }
  }

  void on_event(int side, const Event& event) {
    Endpoint& endpoint = pair_.side(side);
    switch (event.kind) {
      case EventKind::kRequest: {
        Work& work = works_[event.service];
        EXPECT_NE(work.side, side);
        EXPECT_TRUE(matches(event, event.service, false, work.length)) << event.service;
        ++work.executed;
        const Nanos wait = prng_.uniform(3) == 0 ? base::micros(prng_.uniform(5000)) : Nanos{};
        waiting_.push_back({side, event.service, event.exchange, pair_.now() + wait});
        break;
      }
      case EventKind::kOneWay: {
        Work& work = works_[event.service];
        EXPECT_TRUE(work.one_way);
        EXPECT_TRUE(matches(event, event.service, false, work.length)) << event.service;
        ++work.executed;
        EXPECT_EQ(endpoint.submit(ReleaseMessage{event.exchange}, pair_.now()), base::Code::kOk);
        break;
      }
      case EventKind::kCallDone:
        if (event.code == base::Code::kOk) {
          const auto tag = static_cast<uint16_t>(event.user);
          EXPECT_TRUE(matches(event, tag, true, works_[tag].response)) << tag;
        }
        complete(event);
        EXPECT_EQ(endpoint.submit(ReleaseMessage{event.exchange}, pair_.now()), base::Code::kOk);
        break;
      case EventKind::kSendDone:
        if (event.user != 0) complete(event);
        break;
      default:
        break;
    }
  }
  bool matches(const Event& event, uint16_t tag, bool response, uint32_t length) const {
    return event.length == length &&
           content_matches(content_seed(tag, response), event.data, length);
  }
  void complete(const Event& event) {
    Work& work = works_[static_cast<uint16_t>(event.user)];
    ++work.completions;
    work.code = event.code;
    work.may_have_executed = event.may_have_executed;
    --open_;
  }

  void answer_due() {
    for (size_t i = 0; i < waiting_.size();) {
      if (waiting_[i].due > pair_.now()) {
        ++i;
        continue;
      }
      std::swap(waiting_[i], waiting_.front());
      answer_first();
    }
  }
  void answer_first() {
    const Waiting waiting = waiting_.front();
    waiting_.erase(waiting_.begin());
    Endpoint& endpoint = pair_.side(waiting.side);
    Work& work = works_[waiting.tag];
    if (prng_.uniform(10) == 0) {
      work.refused = true;
      endpoint.submit(Reject{waiting.exchange, base::Code::kPermissionDenied}, pair_.now());
      return;
    }
    answers_[waiting.tag] = content(content_seed(waiting.tag, true), work.response);
    Respond respond{waiting.exchange, answers_[waiting.tag].data(), work.response, false, 0};
    if (prng_.uniform(2) == 0) {
      if (uint8_t* memory = endpoint.allocate(work.response)) {
        std::memcpy(memory, respond.data, work.response);
        respond.data = memory;
        respond.owned = true;
      }
    }
    const base::Code code = endpoint.submit(respond, pair_.now());
    EXPECT_TRUE(code == base::Code::kOk || code == base::Code::kCancelled) << code_name(code);
  }

  void check() const {
    for (const auto& [tag, work] : works_) {
      EXPECT_EQ(work.completions, 1) << tag;
      EXPECT_LE(work.executed, 1) << tag;
      if (work.code == base::Code::kOk) {
        EXPECT_EQ(work.executed, 1) << tag;
      } else if (work.code == base::Code::kPermissionDenied) {
        EXPECT_TRUE(work.refused) << tag;
      } else if (!work.cancelled && !work.has_deadline) {
        ADD_FAILURE() << tag << " ended with " << code_name(work.code);
      }
      if (!work.may_have_executed && work.code != base::Code::kOk && !work.refused) {
        EXPECT_EQ(work.executed, 0) << tag << " was said not to have executed";
      }
    }
  }

  const uint64_t seed_;
  base::Prng prng_;
  Pair pair_;
  WireWatch watch_;
  std::map<uint16_t, Work> works_;
  std::map<uint16_t, std::vector<uint8_t>> answers_;
  std::vector<Waiting> waiting_;
  uint64_t started_ = 0;
  uint64_t open_ = 0;
  bool healed_ = false;
};

class SwarmTest : public testing::TestWithParam<uint64_t> {};

TEST_P(SwarmTest, everything_finishes_once_and_nothing_is_left) {
  for (uint64_t seed = GetParam(); seed < GetParam() + 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Swarm swarm(seed);
    swarm.run();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(, SwarmTest, testing::Values(1, 26, 51, 76, 101, 126, 151, 176));

}  // namespace
}  // namespace sluice::transport
