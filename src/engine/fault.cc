// SPDX-License-Identifier: Apache-2.0
#include "engine/fault.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::engine {

const char* fault_config_error(const FaultConfig& config) {
  constexpr uint32_t kAll = 1'000'000;
  if (config.loss_ppm > kAll || config.duplicate_ppm > kAll || config.reorder_ppm > kAll ||
      config.corrupt_ppm > kAll) {
    return "a fault rate is at most 1000000 packets per million";
  }
  if (config.delay > base::seconds(10) || config.jitter > base::seconds(10)) {
    return "an injected delay is at most 10 seconds";
  }
  return nullptr;
}

FaultInjector::FaultInjector(const FaultOps& ops) : ops_(ops), queue_(kMaxHeld) {}

void FaultInjector::configure(const FaultConfig& config) {
  config_ = config;
  enabled_ = config.enabled();
  prng_ = base::Prng(config.seed);
}

size_t FaultInjector::apply(void** packets, size_t count, size_t capacity, base::Nanos now) {
  SLUICE_CHECK(capacity >= 2 * count);
  constexpr size_t kMaxIn = 64;
  SLUICE_CHECK(count <= kMaxIn);
  void* in[kMaxIn];
  std::copy_n(packets, count, in);
  size_t out_count = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!enabled_) {
      packets[out_count++] = in[i];
      continue;
    }
    stats_.seen.add();
    ++passed_;
    one(in[i], packets, &out_count, now);
  }
  return out_count + release_due(packets + out_count, capacity - out_count, now);
}

void FaultInjector::one(void* packet, void** out, size_t* out_count, base::Nanos now) {
  if (prng_.chance_ppm(config_.loss_ppm)) {
    stats_.lost.add();
    ops_.drop(ops_.context, packet);
    return;
  }
  void* twin = nullptr;
  if (prng_.chance_ppm(config_.duplicate_ppm)) {
    twin = ops_.copy(ops_.context, packet);
    (twin != nullptr ? stats_.duplicated : stats_.overflow).add();
  }
  if (prng_.chance_ppm(config_.corrupt_ppm)) {
    stats_.corrupted.add();
    ops_.flip(ops_.context, packet, prng_.next_u64());
  }
  for (void* each : {packet, twin}) {
    if (each == nullptr) continue;
    const base::Nanos delay =
        config_.delay + base::Nanos(prng_.uniform(config_.jitter.value() + 1));
    bool held = false;
    if (prng_.chance_ppm(config_.reorder_ppm)) {
      held = hold(each, now + delay + kMaxReorderHold,
                  passed_ + 1 + prng_.uniform(kMaxReorderDistance));
      if (held) stats_.reordered.add();
    } else if (delay != base::Nanos::zero()) {
      held = hold(each, now + delay, UINT64_MAX);
      if (held) stats_.delayed.add();
    }
    if (!held) out[(*out_count)++] = each;
  }
}

bool FaultInjector::hold(void* packet, base::Nanos due, uint64_t overtaken_at) {
  if (held_ == queue_.size()) {
    stats_.overflow.add();
    return false;
  }
  queue_[held_++] = {packet, due, overtaken_at};
  return true;
}

size_t FaultInjector::release_due(void** out, size_t room, base::Nanos now) {
  if (held_ == 0) return 0;
  size_t released = 0;
  size_t kept = 0;
  for (size_t i = 0; i < held_; ++i) {
    const Held& each = queue_[i];
    const bool due = each.due <= now || each.overtaken_at <= passed_;
    if (due && released < room) {
      out[released++] = each.packet;
    } else {
      queue_[kept++] = each;
    }
  }
  held_ = kept;
  return released;
}

void FaultInjector::flush() {
  for (size_t i = 0; i < held_; ++i) ops_.drop(ops_.context, queue_[i].packet);
  held_ = 0;
}

}  // namespace sluice::engine
