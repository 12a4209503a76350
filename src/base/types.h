// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_TYPES_H_
#define SLUICE_BASE_TYPES_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

namespace sluice::base {

// An identifier: it can be compared, hashed and stepped to the next one, but not added to another,
// so that a session id never lands where a message id is meant.
template <class Tag, class Rep>
class StrongInt {
 public:
  using rep = Rep;

  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr StrongInt next() const { return StrongInt(static_cast<Rep>(value_ + 1)); }
  constexpr StrongInt& operator++() {
    ++value_;
    return *this;
  }

  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;
  friend constexpr bool operator==(StrongInt, StrongInt) = default;

 private:
  Rep value_ = 0;
};

// An amount of something: amounts of one kind add, subtract and scale. The arithmetic is that of
// Rep and wraps as Rep does; use after() and elapsed() where an end of the range can be reached.
template <class Tag, class Rep>
class Quantity {
 public:
  using rep = Rep;

  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}

  static constexpr Quantity zero() { return Quantity(0); }
  static constexpr Quantity max() { return Quantity(std::numeric_limits<Rep>::max()); }

  constexpr Rep value() const { return value_; }

  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, Rep k) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator*(Rep k, Quantity a) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator/(Quantity a, Rep k) { return Quantity(a.value_ / k); }
  friend constexpr Rep operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr bool operator==(Quantity, Quantity) = default;

 private:
  Rep value_ = 0;
};

struct NanosTag;
struct BytesTag;
struct MessageIdTag;
struct SessionIdTag;
struct LaneIndexTag;
struct EpochTag;

// A point in time (since a start the embedder chooses) or a length of time, in nanoseconds.
// Nanos::max() as a deadline means "never".
using Nanos = Quantity<NanosTag, uint64_t>;
using Bytes = Quantity<BytesTag, uint64_t>;

using MessageId = StrongInt<MessageIdTag, uint64_t>;
using SessionId = StrongInt<SessionIdTag, uint32_t>;
using LaneIndex = StrongInt<LaneIndexTag, uint8_t>;
using Epoch = StrongInt<EpochTag, uint64_t>;

constexpr Nanos nanos(uint64_t n) { return Nanos(n); }
constexpr Nanos micros(uint64_t n) { return Nanos(n * 1'000); }
constexpr Nanos millis(uint64_t n) { return Nanos(n * 1'000'000); }
constexpr Nanos seconds(uint64_t n) { return Nanos(n * 1'000'000'000); }

// The time `delta` after `now`; it stays at Nanos::max() rather than wrapping into the past.
constexpr Nanos after(Nanos now, Nanos delta) {
  return delta > Nanos::max() - now ? Nanos::max() : now + delta;
}

// The time from `since` to `now`, or zero when `since` lies in the future.
constexpr Nanos elapsed(Nanos since, Nanos now) {
  return now > since ? now - since : Nanos::zero();
}

}  // namespace sluice::base

template <class Tag, class Rep>
struct std::hash<sluice::base::StrongInt<Tag, Rep>> {
  size_t operator()(sluice::base::StrongInt<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.value());
  }
};

template <class Tag, class Rep>
struct std::hash<sluice::base::Quantity<Tag, Rep>> {
  size_t operator()(sluice::base::Quantity<Tag, Rep> amount) const noexcept {
    return std::hash<Rep>()(amount.value());
  }
};

#endif  // SLUICE_BASE_TYPES_H_
