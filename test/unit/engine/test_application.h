// SPDX-License-Identifier: Apache-2.0
//
// A server that echoes and a client that calls, for tests of the engine.
#ifndef SLUICE_TEST_UNIT_ENGINE_TEST_APPLICATION_H_
#define SLUICE_TEST_UNIT_ENGINE_TEST_APPLICATION_H_

#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/application.h"

namespace sluice::engine {

class EchoApplication final : public LcoreApplication {
 public:
  void on_lane(LcoreContext&, const LaneInfo&, const transport::PeerAddress&, bool) override {
    lanes.fetch_add(1);
  }
  void on_events(LcoreContext& context, std::span<const transport::Event> events) override {
    for (const transport::Event& event : events) {
      if (event.kind == transport::EventKind::kLaneDown) lanes_down.fetch_add(1);
      if (event.kind == transport::EventKind::kOneWay) {
        context.endpoint.submit(transport::ReleaseMessage{.exchange = event.exchange}, context.now);
      }
      if (event.kind != transport::EventKind::kRequest) continue;
      requests.fetch_add(1);
      uint8_t* memory = context.endpoint.allocate(event.length);
      if (memory == nullptr) {
        context.endpoint.submit(
            transport::Reject{.exchange = event.exchange, .code = base::Code::kResourceExhausted},
            context.now);
        continue;
      }
      std::memcpy(memory, event.data, event.length);
      context.endpoint.submit(
          transport::Respond{
              .exchange = event.exchange, .data = memory, .length = event.length, .owned = true},
          context.now);
    }
  }
  std::atomic<uint32_t> lanes{0};
  std::atomic<uint32_t> lanes_down{0};
  std::atomic<uint64_t> requests{0};
};

// Calls over every lane it has, round robin, with a fixed number outstanding, until `goal` calls
// have ended; then it rests.
class CallApplication final : public LcoreApplication {
 public:
  CallApplication(uint32_t size, uint64_t goal, uint32_t outstanding)
      : goal_(goal), outstanding_(outstanding), data_(size) {
    for (uint32_t i = 0; i < size; ++i) data_[i] = static_cast<uint8_t>(i * 31 + 7);
    lanes_.reserve(64);
  }

  void on_lane(LcoreContext&, const LaneInfo& lane, const transport::PeerAddress&, bool) override {
    lanes_.push_back(lane.ref);
    lanes.fetch_add(1);
  }
  bool poll(LcoreContext& context) override {
    if (lanes_.empty() || !go.load(std::memory_order_relaxed)) return false;
    bool any = false;
    while (in_flight_ < outstanding_ && started_ < goal_) {
      const base::Code code = context.endpoint.submit(
          transport::SendRequest{.lane = lanes_[started_ % lanes_.size()],
                                 .service = 1,
                                 .data = data_.data(),
                                 .length = static_cast<uint32_t>(data_.size()),
                                 .deadline = base::after(context.now, timeout)},
          context.now);
      if (code != base::Code::kOk) {
        refused.fetch_add(1);
        break;
      }
      ++in_flight_;
      ++started_;
      any = true;
    }
    return any;
  }
  void on_events(LcoreContext& context, std::span<const transport::Event> events) override {
    for (const transport::Event& event : events) {
      if (event.kind == transport::EventKind::kLaneDown) {
        lanes_down.fetch_add(1);
        std::erase(lanes_, event.lane);
      }
      if (event.kind != transport::EventKind::kCallDone) continue;
      --in_flight_;
      const bool same = event.code == base::Code::kOk && event.length == data_.size() &&
                        std::memcmp(event.data, data_.data(), event.length) == 0;
      if (event.code != base::Code::kOk) {
        failed.fetch_add(1);
        last_code.store(event.code);
      } else if (same) {
        completed.fetch_add(1);
      } else {
        corrupt.fetch_add(1);
      }
      context.endpoint.submit(transport::ReleaseMessage{.exchange = event.exchange}, context.now);
    }
  }

  bool done() const { return completed + failed + corrupt >= goal_; }

  base::Nanos timeout = base::seconds(4);
  std::atomic<bool> go{true};
  std::atomic<uint32_t> lanes{0};
  std::atomic<uint32_t> lanes_down{0};
  std::atomic<uint64_t> completed{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> corrupt{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<base::Code> last_code{base::Code::kOk};

 private:
  uint64_t goal_;
  uint32_t outstanding_;
  std::vector<uint8_t> data_;
  std::vector<transport::LaneRef> lanes_;
  uint64_t started_ = 0;
  uint32_t in_flight_ = 0;
};

}  // namespace sluice::engine

#endif  // SLUICE_TEST_UNIT_ENGINE_TEST_APPLICATION_H_
