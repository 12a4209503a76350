// SPDX-License-Identifier: Apache-2.0
//
// Two EndpointCores over transport endpoints that are joined back to back on virtual time.
#ifndef SLUICE_TEST_UNIT_API_API_PAIR_H_
#define SLUICE_TEST_UNIT_API_API_PAIR_H_

#include <functional>
#include <memory>
#include <vector>

#include "api/endpoint_core.h"
#include "test/unit/transport/pair.h"

namespace sluice::internal {

inline Limits small_limits() {
  Limits limits;
  limits.max_exchanges = 1024;
  limits.max_sessions = 2048;
  limits.max_lanes = 8;
  limits.arena_bytes = 16u << 20;
  limits.max_buffered_message = 64u << 10;
  return limits;
}

inline transport::EndpointConfig small_endpoint() {
  const Limits limits = small_limits();
  transport::EndpointConfig config;
  config.max_exchanges = limits.max_exchanges;
  config.max_lanes = limits.max_lanes;
  config.arena_bytes = limits.arena_bytes;
  config.max_buffered_message = limits.max_buffered_message;
  return config;
}

class ApiPair {
 public:
  static constexpr int kClient = transport::Pair::kClient;
  static constexpr int kServer = transport::Pair::kServer;
  static constexpr uint64_t kSeed = 7;

  // `prepare(side, endpoint)` sets handlers and landings, as before Engine::start().
  explicit ApiPair(const std::function<void(int, Endpoint&)>& prepare = nullptr,
                   bool record_latency = false)
      : pair_(small_endpoint(), small_endpoint()) {
    for (int side = 0; side < 2; ++side) {
      EndpointCoreConfig config;
      config.node = static_cast<uint32_t>(side);
      config.limits = small_limits();
      config.record_latency = record_latency;
      cores_[side] = std::make_unique<EndpointCore>(config);
      if (prepare) prepare(side, cores_[side]->endpoint());
      in_context(side, [&](engine::LcoreContext& c) { cores_[side]->on_start(c); });
      pair_.set_handler(side, [this, side](const transport::Event& event) {
        in_context(side, [&](engine::LcoreContext& c) { cores_[side]->on_events(c, {&event, 1}); });
      });
    }
    pair_.connect(kSeed);
    for (int side = 0; side < 2; ++side) announce(side);
  }
  ~ApiPair() { stop(); }

  void stop() {
    for (int side = 0; side < 2; ++side) {
      if (stopped_) continue;
      in_context(side, [&](engine::LcoreContext& c) { cores_[side]->on_stop(c); });
    }
    stopped_ = true;
  }

  EndpointCore& core(int side) { return *cores_[side]; }
  Endpoint& endpoint(int side) { return cores_[side]->endpoint(); }
  Session session(int side) const {
    return {static_cast<uint32_t>((side == kClient ? 1000 : 2000) + kSeed),
            static_cast<uint32_t>(side)};
  }
  transport::Pair& pair() { return pair_; }

  bool run(const std::function<bool()>& done, base::Nanos limit = base::seconds(30)) {
    return pair_.run(
        [&] {
          for (int side = 0; side < 2; ++side) {
            in_context(side, [&](engine::LcoreContext& c) { cores_[side]->poll(c); });
          }
          return done();
        },
        limit);
  }
  void run_for(base::Nanos time) {
    run([] { return false; }, time);
  }
  void close_lane(int side, base::Code code) {
    transport::CloseLane command;
    command.lane = pair_.lane(side);
    command.code = code;
    command.tell_peer = false;
    pair_.side(side).submit(command, pair_.now());
  }

 private:
  void in_context(int side, const std::function<void(engine::LcoreContext&)>& work) {
    engine::LcoreContext context{pair_.side(side), 0, pair_.now()};
    work(context);
  }
  void announce(int side) {
    engine::LaneInfo info;
    info.ref = pair_.lane(side);
    info.session = base::SessionId(session(side).id);
    in_context(side, [&](engine::LcoreContext& c) {
      cores_[side]->on_lane(c, info, transport::PeerAddress(), side == kClient);
    });
  }

  transport::Pair pair_;
  std::unique_ptr<EndpointCore> cores_[2];
  bool stopped_ = false;
};

// What a completion said, for tests.
struct Outcome {
  int completions = 0;
  StatusCode code = StatusCode::kOk;
  bool may_have_executed = false;
  std::vector<uint8_t> response;

  static void done(void* context, CallResult& result) {
    auto* out = static_cast<Outcome*>(context);
    ++out->completions;
    out->code = result.code;
    out->may_have_executed = result.may_have_executed;
    const auto bytes = result.response.bytes();
    out->response.assign(bytes.begin(), bytes.end());
  }
};

// Echoes requests and keeps one-way messages' bytes.
class EchoHandler : public Handler {
 public:
  void on_request(Request& request) override {
    ++requests;
    last_session = request.session();
    EXPECT_EQ(request.respond(request.data(), request.length()), StatusCode::kOk);
  }
  void on_one_way(OneWay& one_way) override {
    ++one_ways;
    const auto bytes = one_way.message.bytes();
    last.assign(bytes.begin(), bytes.end());
  }
  void on_session_up(Endpoint&, Session) override { ++ups; }
  void on_session_down(Endpoint&, Session, StatusCode code) override {
    ++downs;
    down_code = code;
  }

  int requests = 0;
  int one_ways = 0;
  int ups = 0;
  int downs = 0;
  StatusCode down_code = StatusCode::kOk;
  Session last_session;
  std::vector<uint8_t> last;
};

inline std::vector<uint8_t> test_bytes(uint32_t length, uint64_t seed = 3) {
  return transport::content(seed, length);
}

inline Buffer borrow(const std::vector<uint8_t>& bytes) {
  return Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size()));
}

}  // namespace sluice::internal

#endif  // SLUICE_TEST_UNIT_API_API_PAIR_H_
