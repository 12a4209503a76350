// SPDX-License-Identifier: Apache-2.0
#include "api/first_calls.h"

#include <utility>

#include "api/codes.h"
#include "base/limits.h"

namespace sluice::internal {
namespace {

bool may_go_early(const FirstCall& call) {
  return call.options.idempotent && call.request.length() <= base::limits::kMaxEarlyRequestBytes;
}

}  // namespace

StatusCode FirstCallsCore::check(std::span<const FirstCall> calls) {
  for (const FirstCall& call : calls) {
    // What lies in an lcore's arena may not leave it, and the control thread reads the bytes.
    const bool arena = const_cast<Buffer&>(call.request).mutable_data() != nullptr;
    if (call.done == nullptr || call.request.length() == 0 || !call.request || arena ||
        !EndpointCore::options_usable(call.options)) {
      return StatusCode::kInvalidArgument;
    }
  }
  return StatusCode::kOk;
}

FirstCallsCore::FirstCallsCore(EndpointCore* core, std::span<FirstCall> calls) : core_(core) {
  for (const bool early : {true, false}) {
    for (FirstCall& call : calls) {
      if (call.request && may_go_early(call) == early) calls_.push_back(std::move(call));
    }
    if (early) early_ = calls_.size();
  }
}

// PROTOCOL MUST-E1
std::vector<crypto::EarlyRequest> FirstCallsCore::early() const {
  std::vector<crypto::EarlyRequest> out;
  for (size_t i = 0; i < early_; ++i) {
    const Buffer& bytes = calls_[i].request;
    out.push_back({calls_[i].options.service, {bytes.data(), bytes.data() + bytes.length()}});
  }
  return out;
}

// PROTOCOL MUST-E7
void FirstCallsCore::begin(engine::LcoreContext& context, const engine::LaneInfo& lane,
                           uint8_t taken) {
  begun_ = true;
  StatusCode code = StatusCode::kOk;
  for (size_t i = 0; i < calls_.size(); ++i) {
    FirstCall& call = calls_[i];
    const bool is_early = i < taken;
    if (code == StatusCode::kOk || !is_early) {
      const StatusCode own = core_->begin_first(context, lane, &call, is_early ? i + 1 : 0);
      if (own == StatusCode::kOk) continue;
      if (is_early) code = own;
      complete(&call, own, is_early);
    } else {
      complete(&call, code, true);
    }
  }
  // The peer has exchanges under ids that this side has not: no call may ever use them.
  if (code != StatusCode::kOk) {
    context.endpoint.submit(transport::CloseLane{.lane = lane.ref, .code = to_base(code)},
                            context.now);
  }
}

void FirstCallsCore::fail(StatusCode code) {
  if (begun_) return;
  for (size_t i = 0; i < calls_.size(); ++i) complete(&calls_[i], code, i < early_);
}

void FirstCallsCore::complete(FirstCall* call, StatusCode code, bool may_have_executed) {
  CallResult result;
  result.code = code;
  result.may_have_executed = may_have_executed;
  const Buffer request = std::move(call->request);
  call->done(call->context, result);
}

}  // namespace sluice::internal
