// SPDX-License-Identifier: Apache-2.0
//
// Which tickets have brought early data: each may do so once, and never after the process that gave
// it (RFC 8446 section 8.1, single-use tickets).
#ifndef SLUICE_CRYPTO_STRIKE_REGISTER_H_
#define SLUICE_CRYPTO_STRIKE_REGISTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>

#include "base/limits.h"
#include "base/types.h"
#include "crypto/handshake.h"
#include "crypto/primitives.h"

namespace sluice::crypto {

enum class Strike : uint8_t {
  kFresh,  // Noted now, for the first time.
  kSeen,
  kFull,  // The register has no room before its next generation.
};

// Nothing here trusts the time of day, which can be set back. Tickets carry the register's context;
// a new generation has another one, so that no ticket of the generation before brings early data
// again, and only then is what was noted of those forgotten. The context begins with random bytes
// of this process: after a restart, and in any other process, no earlier ticket fits.
//
// One thread at a time.
class StrikeRegister {
 public:
  static constexpr size_t kContextSize = 24;

  // `capacity`: tickets of one generation; for tests, else the named limit.
  StrikeRegister(const Primitives* primitives, RandomSource random,
                 size_t capacity = base::limits::kMaxStruckTickets);
  ~StrikeRegister();
  StrikeRegister(const StrikeRegister&) = delete;
  StrikeRegister& operator=(const StrikeRegister&) = delete;

  // Tells the time, by a clock that never goes backwards: begins a generation when one is due.
  void advance(base::Nanos now);
  // What tickets are bound to that are given, or accepted with early data, from now on.
  std::span<const uint8_t> context() const { return context_; }
  // Notes a ticket of the current context, all of its bytes.
  Strike strike(std::span<const uint8_t> ticket);
  size_t size() const { return struck_.size(); }

 private:
  using Digest = std::array<uint8_t, 16>;

  const Primitives* primitives_;
  size_t capacity_;
  std::array<uint8_t, kSha256Size> key_{};  // So that nobody chooses what collides.
  std::array<uint8_t, kContextSize> context_{};
  uint64_t generation_ = 0;
  base::Nanos next_ = base::Nanos::zero();  // When the generation ends.
  std::set<Digest> struck_;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_STRIKE_REGISTER_H_
