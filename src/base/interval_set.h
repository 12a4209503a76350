// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_INTERVAL_SET_H_
#define SLUICE_BASE_INTERVAL_SET_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace sluice::base {

// At most N disjoint half-open ranges [begin, end), sorted, in place: which bytes of a message have
// arrived, say. Ranges that overlap or touch are merged. Ranges added in ascending order cost O(1),
// others O(log N) to find and O(N) to shift.
template <size_t N, class Rep = uint32_t>
class IntervalSet {
 public:
  struct Interval {
    Rep begin;
    Rep end;

    friend bool operator==(const Interval&, const Interval&) = default;
  };

  enum class Insert : uint8_t {
    kInserted,   // All of the range was new.
    kDuplicate,  // All of it was covered before; an empty range counts as covered.
    kPartial,    // Some of it was new, and all of it is covered now.
    kFull,       // It would have made one range more than N; the set is unchanged.
  };

  Insert insert(Rep begin, Rep end) {
    SLUICE_DCHECK(begin <= end);
    if (begin == end) return Insert::kDuplicate;
    if (size_ == 0 || begin > ranges_[size_ - 1].end) return insert_at(size_, begin, end);
    if (begin == ranges_[size_ - 1].end) {
      ranges_[size_ - 1].end = end;
      total_ += end - begin;
      return Insert::kInserted;
    }
    const size_t first = first_ending_from(begin);
    if (end < ranges_[first].begin) return insert_at(first, begin, end);
    return merge(first, begin, end);
  }

  // Whether the whole range is in the set; an empty range always is.
  bool covers(Rep begin, Rep end) const {
    if (begin >= end) return true;
    const size_t i = first_ending_after(begin);
    return i < size_ && ranges_[i].begin <= begin && end <= ranges_[i].end;
  }

  // Whether any part of the range is in the set.
  bool overlaps(Rep begin, Rep end) const {
    if (begin >= end) return false;
    const size_t i = first_ending_after(begin);
    return i < size_ && ranges_[i].begin < end;
  }

  // Takes everything below `limit` out.
  void erase_below(Rep limit) {
    const size_t keep = first_ending_after(limit);
    for (size_t i = 0; i < keep; ++i) total_ -= length(i);
    remove(0, keep);
    if (size_ > 0 && ranges_[0].begin < limit) {
      total_ -= limit - ranges_[0].begin;
      ranges_[0].begin = limit;
    }
  }

  // Takes the range out. False, and the set is unchanged, when that would cut one range in two and
  // make one more than N.
  bool erase(Rep begin, Rep end) {
    if (begin >= end) return true;
    size_t first = first_ending_after(begin);
    if (first == size_ || ranges_[first].begin >= end) return true;
    const Interval head = ranges_[first];
    if (head.begin < begin && head.end > end) return split(first, begin, end);
    if (head.begin < begin) {
      total_ -= head.end - begin;
      ranges_[first].end = begin;
      ++first;
    }
    size_t last = first;
    while (last < size_ && ranges_[last].end <= end) total_ -= length(last++);
    if (last < size_ && ranges_[last].begin < end) {
      total_ -= end - ranges_[last].begin;
      ranges_[last].begin = end;
    }
    remove(first, last - first);
    return true;
  }

  // The first range at or after `from` and below `limit` that is not in the set; empty, at `limit`,
  // when all of it is covered.
  Interval first_gap(Rep from, Rep limit) const {
    if (from >= limit) return {limit, limit};
    size_t i = first_ending_after(from);
    if (i < size_ && ranges_[i].begin <= from) from = ranges_[i++].end;
    if (from >= limit) return {limit, limit};
    const Rep end = i < size_ ? std::min(ranges_[i].begin, limit) : limit;
    return {from, end};
  }

  // The end of the covered run that starts at `from`; `from` itself when that is not covered.
  Rep contiguous_end(Rep from) const {
    const size_t i = first_ending_after(from);
    return i < size_ && ranges_[i].begin <= from ? ranges_[i].end : from;
  }

  void clear() {
    size_ = 0;
    total_ = 0;
  }

  bool empty() const { return size_ == 0; }
  // The number of ranges, and the number of integers in them.
  size_t size() const { return size_; }
  uint64_t total() const { return total_; }
  static constexpr size_t capacity() { return N; }

  const Interval& operator[](size_t i) const {
    SLUICE_DCHECK(i < size_);
    return ranges_[i];
  }
  const Interval* begin() const { return ranges_.data(); }
  const Interval* end() const { return ranges_.data() + size_; }

 private:
  static_assert(N > 0 && N <= UINT32_MAX);

  Rep length(size_t i) const { return static_cast<Rep>(ranges_[i].end - ranges_[i].begin); }

  size_t first_ending_from(Rep value) const {
    return static_cast<size_t>(
        std::partition_point(begin(), end(), [&](const Interval& r) { return r.end < value; }) -
        begin());
  }
  size_t first_ending_after(Rep value) const {
    return static_cast<size_t>(
        std::partition_point(begin(), end(), [&](const Interval& r) { return r.end <= value; }) -
        begin());
  }

  Insert insert_at(size_t i, Rep begin, Rep end) {
    if (size_ == N) return Insert::kFull;
    std::copy_backward(ranges_.begin() + i, ranges_.begin() + size_, ranges_.begin() + size_ + 1);
    ranges_[i] = {begin, end};
    ++size_;
    total_ += end - begin;
    return Insert::kInserted;
  }

  // Unites the range with those it overlaps or touches; ranges_[first] is one of them.
  Insert merge(size_t first, Rep begin, Rep end) {
    if (ranges_[first].begin <= begin && end <= ranges_[first].end) return Insert::kDuplicate;
    Interval united{std::min(begin, ranges_[first].begin), end};
    uint64_t held = 0;
    size_t last = first;
    while (last < size_ && ranges_[last].begin <= end) held += length(last++);
    united.end = std::max(end, ranges_[last - 1].end);
    const uint64_t added = static_cast<uint64_t>(united.end - united.begin) - held;
    ranges_[first] = united;
    remove(first + 1, last - first - 1);
    total_ += added;
    return added == static_cast<uint64_t>(end - begin) ? Insert::kInserted : Insert::kPartial;
  }

  bool split(size_t i, Rep begin, Rep end) {
    if (size_ == N) return false;
    std::copy_backward(ranges_.begin() + i, ranges_.begin() + size_, ranges_.begin() + size_ + 1);
    ++size_;
    ranges_[i].end = begin;
    ranges_[i + 1].begin = end;
    total_ -= end - begin;
    return true;
  }

  void remove(size_t i, size_t count) {
    if (count == 0) return;
    std::copy(ranges_.begin() + i + count, ranges_.begin() + size_, ranges_.begin() + i);
    size_ -= static_cast<uint32_t>(count);
  }

  uint64_t total_ = 0;
  uint32_t size_ = 0;
  std::array<Interval, N> ranges_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_INTERVAL_SET_H_
