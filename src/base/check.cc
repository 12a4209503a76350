// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <atomic>

namespace sluice::base {
namespace {

std::atomic<CheckHandler> current_handler{nullptr};

}  // namespace

CheckHandler set_check_handler(CheckHandler handler) noexcept {
  return current_handler.exchange(handler, std::memory_order_acq_rel);
}

void check_failed(const char* condition, const char* file, int line) noexcept {
  // Taken out before the call, so that a handler whose own check fails does not call itself.
  const CheckHandler handler = current_handler.exchange(nullptr, std::memory_order_acq_rel);
  if (handler != nullptr) handler(condition, file, line);
  __builtin_trap();
}

}  // namespace sluice::base
