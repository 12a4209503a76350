// SPDX-License-Identifier: Apache-2.0
//
// The calls that an application begins with a session (ConnectOptions::calls).
#ifndef SLUICE_API_FIRST_CALLS_H_
#define SLUICE_API_FIRST_CALLS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "api/endpoint_core.h"
#include "engine/application.h"
#include "sluice/connect.h"

namespace sluice::internal {

class FirstCallsCore final : public engine::FirstCalls {
 public:
  // kInvalidArgument when a call could not be begun on any session.
  static StatusCode check(std::span<const FirstCall> calls);

  // Takes the calls over; they are good by check(). `core` is that of lcore 0.
  FirstCallsCore(EndpointCore* core, std::span<FirstCall> calls);

  std::vector<crypto::EarlyRequest> early() const override;
  void begin(engine::LcoreContext& context, const engine::LaneInfo& lane, uint8_t taken) override;
  // On the lcore, when there is no session: completes what was never begun.
  void fail(StatusCode code);

 private:
  void complete(FirstCall* call, StatusCode code, bool may_have_executed);

  EndpointCore* core_;
  std::vector<FirstCall> calls_;  // Those that may go early, then the others.
  size_t early_ = 0;              // How many those are.
  bool begun_ = false;
};

}  // namespace sluice::internal

#endif  // SLUICE_API_FIRST_CALLS_H_
