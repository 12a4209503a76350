// SPDX-License-Identifier: Apache-2.0
#include "cli/content.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

// After this many bytes the pattern repeats: pages, and a prime number of them, so that nothing
// that goes wrong by a power of two or by a whole number of records hits the same bytes again.
constexpr size_t kPage = 4096;
constexpr size_t kPeriod = 257 * kPage;

constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
constexpr uint64_t kInverse = 0xF1DE83E19937733Du;
static_assert(kMultiplier * kInverse == 1);

// A bijection of 64-bit words, and the way back.
constexpr uint64_t word_of(uint64_t index) {
  const uint64_t x = (index + 1) * kMultiplier;
  return (x ^ (x >> 32)) * kMultiplier;
}
constexpr uint64_t index_of(uint64_t word) {
  const uint64_t x = word * kInverse;
  return (x ^ (x >> 32)) * kInverse - 1;
}
static_assert(index_of(word_of(123'456)) == 123'456);

// Maps the pages of `fd` again and again, `mapped` bytes in all.
uint8_t* map_repeatedly(int fd, size_t mapped) {
  void* base =
      ::mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  uint8_t* start = static_cast<uint8_t*>(base);
  for (size_t at = 0; at < mapped; at += kPeriod) {
    // The first stretch is written; the next ones are touched early by most messages.
    const int access = at == 0 ? PROT_READ | PROT_WRITE : PROT_READ;
    const int populate = at < 4 * kPeriod ? MAP_POPULATE : 0;
    void* piece = ::mmap(start + at, kPeriod, access, MAP_SHARED | MAP_FIXED | populate, fd, 0);
    if (piece == MAP_FAILED) {
      ::munmap(base, mapped);
      return nullptr;
    }
  }
  return start;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Content>> Content::create(uint32_t max_message) {
  const size_t wanted = size_t{kPlaces} * kPlaceBytes + kResponseShift + max_message;
  const size_t mapped = (wanted + kPeriod - 1) / kPeriod * kPeriod;
  const int fd = ::memfd_create("sluice-content", MFD_CLOEXEC);
  uint8_t* base = nullptr;
  if (fd >= 0 && ::ftruncate(fd, kPeriod) == 0) base = map_repeatedly(fd, mapped);
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (base == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for test messages of ", max_message, " bytes: ", strerror(error)));
  }
  for (size_t i = 0; i < kPeriod / kWordBytes; ++i) {
    const uint64_t word = word_of(i);
    std::memcpy(base + i * kWordBytes, &word, kWordBytes);
  }
  ::mprotect(base, kPeriod, PROT_READ);
  return std::unique_ptr<Content>(new Content(base, mapped));
}

Content::Content(uint8_t* base, size_t mapped) : base_(base), mapped_(mapped) {
  for (uint64_t side = 0; side < 2; ++side) {
    for (uint64_t i = 0; i < kSmall; ++i) {
      uint64_t word = word_of((side << 32) + i);
      std::memcpy(small_[side][i], &word, kWordBytes);
      small_[side][i][0] = static_cast<uint8_t>(side == 0 ? i : ~i);
    }
  }
}

Content::~Content() { ::munmap(base_, mapped_); }

std::optional<uint64_t> Content::number_of(std::span<const uint8_t> request_begin) const {
  if (request_begin.empty()) return std::nullopt;
  if (request_begin.size() < kWordBytes) return request_begin[0];
  uint64_t word = 0;
  std::memcpy(&word, request_begin.data(), kWordBytes);
  const uint64_t index = index_of(word);
  constexpr uint64_t kWordsPerPlace = kPlaceBytes / kWordBytes;
  if (index % kWordsPerPlace != 0 || index / kWordsPerPlace >= kPlaces) return std::nullopt;
  return index / kWordsPerPlace;
}

}  // namespace sluice::cli
