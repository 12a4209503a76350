// SPDX-License-Identifier: Apache-2.0
#include "engine/capture.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sluice::engine {
namespace {

// The file header of pcap, in the byte order of this machine, with the magic of nanosecond times.
struct PcapHeader {
  uint32_t magic = 0xa1b23c4d;
  uint16_t version_major = 2;
  uint16_t version_minor = 4;
  uint32_t zone = 0;
  uint32_t accuracy = 0;
  uint32_t snap_length = kCaptureSnap;
  uint32_t link_type = 1;  // Ethernet.
};

struct PcapRecord {
  uint32_t seconds;
  uint32_t nanos;
  uint32_t captured;
  uint32_t length;
};

bool write_all(int file, const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t done = ::write(file, data, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    data += done;
    size -= static_cast<size_t>(done);
  }
  return true;
}

}  // namespace

CaptureRing::CaptureRing(size_t bytes) : bytes_(std::bit_ceil(bytes)), mask_(bytes_.size() - 1) {}

bool CaptureRing::begin(uint64_t wall_ns, uint32_t length, uint32_t captured) {
  const size_t tail = tail_.load(std::memory_order_relaxed);
  const size_t used = tail - head_.load(std::memory_order_acquire);
  if (bytes_.size() - used < sizeof(PcapRecord) + captured) {
    dropped_.add();
    return false;
  }
  cursor_ = tail;
  const PcapRecord record{static_cast<uint32_t>(wall_ns / 1'000'000'000u),
                          static_cast<uint32_t>(wall_ns % 1'000'000'000u), captured, length};
  put(&record, sizeof(record));
  return true;
}

void CaptureRing::put(const void* data, size_t size) {
  const size_t at = cursor_ & mask_;
  const size_t first = std::min(size, bytes_.size() - at);
  std::memcpy(bytes_.data() + at, data, first);
  std::memcpy(bytes_.data(), static_cast<const uint8_t*>(data) + first, size - first);
  cursor_ += size;
}

void CaptureRing::add(const uint8_t* data, size_t size) { put(data, size); }

void CaptureRing::commit() {
  recorded_.add();
  tail_.store(cursor_, std::memory_order_release);
}

void CaptureRing::drain(std::vector<uint8_t>* out) {
  const size_t head = head_.load(std::memory_order_relaxed);
  const size_t size = tail_.load(std::memory_order_acquire) - head;
  const size_t at = head & mask_;
  const size_t first = std::min(size, bytes_.size() - at);
  out->insert(out->end(), bytes_.data() + at, bytes_.data() + at + first);
  out->insert(out->end(), bytes_.data(), bytes_.data() + (size - first));
  head_.store(head + size, std::memory_order_release);
}

absl::StatusOr<std::unique_ptr<Capture>> Capture::open(const std::string& path, uint64_t limit,
                                                       size_t rings) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write the capture file ", path, ": ", std::strerror(errno)));
  }
  const PcapHeader header;
  if (!write_all(file, reinterpret_cast<const uint8_t*>(&header), sizeof(header))) {
    ::close(file);
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write the capture file ", path, ": ", std::strerror(errno)));
  }
  return std::unique_ptr<Capture>(new Capture(file, limit, rings));
}

Capture::Capture(int file, uint64_t limit, size_t rings) : file_(file), limit_(limit) {
  for (size_t i = 0; i < rings; ++i) {
    rings_.push_back(std::make_unique<CaptureRing>(kCaptureRingBytes));
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // Signals are for the program's own threads.
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Capture::~Capture() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  ::close(file_);
}

void Capture::run() {
  std::vector<uint8_t> records;
  bool last = false;
  while (!last) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(2), [this] { return stop_; });
      last = stop_;
    }
    for (const auto& ring : rings_) {
      records.clear();
      ring->drain(&records);
      if (!records.empty()) write_out(records);
    }
  }
}

void Capture::write_out(const std::vector<uint8_t>& records) {
  if (failed() || bytes_written() >= limit_) return;
  size_t size = records.size();
  // The limit falls between two records, so that the file stays readable to its end.
  if (bytes_written() + size > limit_) {
    size = 0;
    while (size < records.size()) {
      PcapRecord record;
      std::memcpy(&record, records.data() + size, sizeof(record));
      if (bytes_written() + size + sizeof(record) + record.captured > limit_) break;
      size += sizeof(record) + record.captured;
    }
    limit_ = bytes_written() + size;
  }
  if (!write_all(file_, records.data(), size)) failed_.store(true, std::memory_order_relaxed);
  written_.fetch_add(size, std::memory_order_relaxed);
}

uint64_t Capture::recorded() const {
  uint64_t sum = 0;
  for (const auto& ring : rings_) sum += ring->recorded();
  return sum;
}

uint64_t Capture::dropped() const {
  uint64_t sum = 0;
  for (const auto& ring : rings_) sum += ring->dropped();
  return sum;
}

}  // namespace sluice::engine
