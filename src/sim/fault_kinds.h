// SPDX-License-Identifier: Apache-2.0
//
// Everything that the fault machine does to two endpoints, each kind counted as it fires.
#ifndef SLUICE_SIM_FAULT_KINDS_H_
#define SLUICE_SIM_FAULT_KINDS_H_

#include <array>
#include <cstdint>

namespace sluice::sim {

// X(enumerator, name)
#define SLUICE_FAULT_KINDS(X)                  \
  /* To packets on their way. */               \
  X(kLoss, "loss")                             \
  X(kBurstLoss, "burst_loss")                  \
  X(kDuplicate, "duplicate")                   \
  X(kManyDuplicates, "many_duplicates")        \
  X(kReorder, "reorder")                       \
  X(kLongDelay, "long_delay")                  \
  X(kCorruptBit, "corrupt_bit")                \
  X(kCorruptHeader, "corrupt_header")          \
  X(kCorruptTag, "corrupt_tag")                \
  X(kTruncate, "truncate")                     \
  X(kCutToHeader, "cut_to_header")             \
  X(kExtend, "extend")                         \
  X(kSplice, "splice")                         \
  X(kReplay, "replay")                         \
  X(kReplayOldSession, "replay_old_session")   \
  X(kReflect, "reflect")                       \
  X(kMark, "congestion_mark")                  \
  X(kSmallMtu, "small_mtu")                    \
  /* By a stranger who has no key. */          \
  X(kGarbage, "garbage")                       \
  X(kForgedData, "forged_data")                \
  X(kForgedBundle, "forged_bundle")            \
  X(kForgedReset, "forged_reset")              \
  X(kForgedHandshake, "forged_handshake")      \
  X(kForgedUnknownType, "forged_unknown_type") \
  X(kForgedOtherKey, "forged_other_key")       \
  /* To the path. */                           \
  X(kPartition, "partition")                   \
  X(kPartitionOneWay, "partition_one_way")     \
  X(kPathDeath, "path_death")                  \
  /* To a host. */                             \
  X(kPause, "pause")                           \
  X(kClockStep, "clock_step")                  \
  X(kCrash, "crash")                           \
  X(kClose, "close")                           \
  X(kSuspect, "suspect")                       \
  X(kKeyUpdate, "key_update")                  \
  X(kArenaFull, "arena_full")                  \
  X(kRingFull, "ring_full")                    \
  X(kSlowEvents, "slow_events")                \
  X(kSmallSlots, "small_slots")                \
  /* By the applications. */                   \
  X(kCancel, "cancel")                         \
  X(kShortDeadline, "short_deadline")          \
  X(kReject, "reject")                         \
  X(kLateAnswer, "late_answer")                \
  X(kSlowConsumer, "slow_consumer")            \
  /* By a peer that has the keys. */           \
  X(kGreedySender, "greedy_sender")

enum class FaultKind : uint8_t {
#define SLUICE_FAULT_ENUM(kind, name) kind,
  SLUICE_FAULT_KINDS(SLUICE_FAULT_ENUM)
#undef SLUICE_FAULT_ENUM
};

inline constexpr const char* kFaultNames[] = {
#define SLUICE_FAULT_NAME(kind, name) name,
    SLUICE_FAULT_KINDS(SLUICE_FAULT_NAME)
#undef SLUICE_FAULT_NAME
};
inline constexpr uint32_t kFaultKinds = sizeof(kFaultNames) / sizeof(kFaultNames[0]);

constexpr const char* fault_name(FaultKind kind) { return kFaultNames[static_cast<size_t>(kind)]; }

// How often each kind has fired.
using FaultCounts = std::array<uint64_t, kFaultKinds>;

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_KINDS_H_
