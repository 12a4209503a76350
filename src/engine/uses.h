// SPDX-License-Identifier: Apache-2.0
//
// What peers use on one lcore, and what they are denied: counted there, read by the control thread.
#ifndef SLUICE_ENGINE_USES_H_
#define SLUICE_ENGINE_USES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/types.h"
#include "crypto/policy.h"

namespace sluice::engine {

// One way in which one session has used one service, or was denied to.
struct Use {
  base::SessionId session;
  uint16_t service = 0;
  crypto::PolicyLayer layer = crypto::PolicyLayer::kRpc;
  bool allowed = false;
  bool others = false;  // All services that have no use of their own; `service` is 0.
  friend bool operator==(const Use&, const Use&) = default;
};

// A fixed table. The lcore adds and counts; the control thread reads at any time, and removes what
// belongs to a session whose lanes have ended.
class Uses {
 public:
  // `capacity` is a power of two.
  explicit Uses(size_t capacity);

  // The lcore. kFull: it is not counted yet, and there is no place within reach, or it may not be
  // added.
  enum class Count : uint8_t { kAgain, kFirst, kFull };
  Count count(const Use& use, bool may_add = true);

  // The control thread. Whether count() has said kFirst since fresh() was last called.
  bool any_fresh();
  // Each use that it has not been called with before.
  void fresh(const std::function<void(const Use&)>& visit);
  // Each use of a session, with the messages counted; they are forgotten.
  void end(base::SessionId session, const std::function<void(const Use&, uint64_t)>& visit);

 private:
  static constexpr size_t kReach = 16;  // Places that one use may have.

  struct Entry {
    std::atomic<bool> live{false};  // Set by the lcore, cleared by the control thread.
    bool seen = false;              // The control thread's.
    Use use;                        // Written while not live.
    std::atomic<uint64_t> messages{0};
  };

  size_t first_place(const Use& use) const;

  std::unique_ptr<Entry[]> entries_;
  size_t mask_;
  std::atomic<uint64_t> added_{0};
  uint64_t visited_ = 0;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_USES_H_
