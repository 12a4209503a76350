// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_plan.h"

#include "base/prng.h"

namespace sluice::sim {
namespace {

using transport::EndpointConfig;
using transport::GrantPolicyKind;
using transport::RecoveryKind;

template <class T, size_t N>
T pick(base::Prng& prng, const T (&choices)[N]) {
  return choices[prng.uniform(N)];
}

// Every knob at its edges: the least that works, the default, and a lot.
EndpointConfig any_config(base::Prng& prng, uint64_t seed) {
  EndpointConfig config;
  config.max_exchanges = pick<uint32_t>(prng, {8, 64, 1024});
  config.max_lanes = pick<uint32_t>(prng, {2, 4, 8});
  config.max_reassemblies = pick<uint32_t>(prng, {2, 16, 256});
  config.arena_bytes = pick<uint64_t>(prng, {1u << 20, 4u << 20, 8u << 20});
  config.max_buffered_message = 1u << 20;
  config.max_packet = pick<uint32_t>(prng, {1200, 1452, 8952});
  config.base_packet = 1200;
  config.unscheduled_bytes = pick<uint32_t>(prng, {1200, 20'000, 65'536, 200'000});
  config.max_incoming_bytes = pick<uint32_t>(prng, {20'000, 200'000, 1u << 20});
  config.credit_bytes = config.max_incoming_bytes;
  config.sender_credit_bytes = pick<uint32_t>(prng, {20'000, 200'000});
  config.grant_increment = pick<uint32_t>(prng, {1'000, 5'000, 16'384});
  config.overcommit = pick<uint8_t>(prng, {1, 2, 8});
  config.fifo_share = pick<uint32_t>(prng, {0, 4, 16});
  config.blind_bytes = pick<uint32_t>(prng, {10'000, UINT32_MAX});
  config.congested_sender_bytes = pick<uint32_t>(prng, {10'000, UINT32_MAX});
  config.bundling = prng.uniform(4) != 0;
  config.bundle_message_max = pick<uint32_t>(prng, {64, 512, 1024});
  config.grant_policy =
      pick<GrantPolicyKind>(prng, {GrantPolicyKind::kHoma, GrantPolicyKind::kSird,
                                   GrantPolicyKind::kHybrid, GrantPolicyKind::kFair});
  config.shuffle_deliveries = prng.uniform(3) == 0;
  config.peer_timeout = base::millis(pick<uint64_t>(prng, {100, 400, 1000}));
  config.seed = seed;
  return config;
}

bool is_episode(FaultKind kind) {
  return kind >= FaultKind::kPartition && kind <= FaultKind::kSmallSlots;
}

bool is_choice(FaultKind kind) { return kind >= FaultKind::kCancel; }

// A third of the kinds take part in a run, so that each is met alone as well as in company.
void choose_faults(base::Prng& prng, FaultPlan* plan) {
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    if (prng.uniform(3) != 0) continue;
    if (is_episode(kind)) {
      plan->rate[i] = static_cast<uint32_t>(1 + prng.uniform(4));
    } else if (is_choice(kind)) {
      plan->rate[i] = static_cast<uint32_t>(10'000 + prng.uniform(200'000));
    } else {
      plan->rate[i] = pick<uint32_t>(prng, {1'000, 10'000, 50'000});
    }
  }
}

// Most runs are small, so that many are tried; some are long enough to wear things out.
void choose_traffic(base::Prng& prng, FaultPlan* plan) {
  plan->longest_message = pick<uint32_t>(prng, {300, 5'000, 50'000, 400'000});
  plan->outstanding = pick<uint32_t>(prng, {1, 4, 32});
  plan->chaos = base::millis(pick<uint64_t>(prng, {5, 50, 300}));
  plan->calm = base::millis(pick<uint64_t>(prng, {0, 5, 50}));
  switch (prng.uniform(8)) {
    case 0:
      plan->calls = static_cast<uint32_t>(1'000 + prng.uniform(4'000));
      plan->longest_message = pick<uint32_t>(prng, {5'000, 50'000, 400'000, 1'000'000});
      plan->chaos = base::millis(pick<uint64_t>(prng, {300, 1'000}));
      plan->calm = base::millis(1'000);
      break;
    case 1:
    case 2:
    case 3:
      plan->calls = static_cast<uint32_t>(100 + prng.uniform(900));
      plan->calm = base::millis(200);
      break;
    default:
      plan->calls = static_cast<uint32_t>(20 + prng.uniform(150));
  }
}

}  // namespace

FaultPlan fault_plan(uint64_t seed) {
  base::Prng prng(base::mix64(seed, 0x6661756c74u));
  FaultPlan plan;
  plan.seed = seed;
  for (EndpointConfig& config : plan.config) config = any_config(prng, prng.next_u64());
  // Both ends of a path have the same packet size at hand.
  plan.config[1].max_packet = plan.config[0].max_packet;
  choose_faults(prng, &plan);
  choose_traffic(prng, &plan);
  plan.delay = base::micros(pick<uint64_t>(prng, {1, 5, 50, 500}));
  plan.burst = pick<uint32_t>(prng, {1, 16});
  plan.one_way_percent = pick<uint32_t>(prng, {25, 25, 95});
  for (EndpointConfig& config : plan.config) {
    config.recovery = pick<RecoveryKind>(prng, {RecoveryKind::kGap, RecoveryKind::kRack});
  }
  const bool records = prng.uniform(4) == 0;
  for (EndpointConfig& config : plan.config) {
    config.record_mode = records;
    config.unverified_bytes = pick<uint64_t>(prng, {17'000, 100'000, 4u << 20});
  }
  for (uint32_t& contexts : plan.contexts) contexts = pick<uint32_t>(prng, {0, 1, 2, 8});
  for (EndpointConfig& config : plan.config) {
    config.max_busy_lanes = pick<uint32_t>(prng, {1, 2, 8});
  }
  plan.config[prng.uniform(2)].padding = prng.uniform(4) == 0;
  const bool esp = prng.uniform(4) == 0 && !records;
  for (EndpointConfig& config : plan.config) config.esp = esp;
  return plan;
}

}  // namespace sluice::sim
