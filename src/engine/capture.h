// SPDX-License-Identifier: Apache-2.0
//
// Recording of a port's frames into a pcap file with nanosecond times. Lcores copy frames into
// rings of bytes; a thread of the capture's own writes them, so that no lcore waits for a disk.
#ifndef SLUICE_ENGINE_CAPTURE_H_
#define SLUICE_ENGINE_CAPTURE_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/aligned_array.h"
#include "base/types.h"
#include "transport/stats.h"

namespace sluice::engine {

// Bytes of a frame that are kept at most.
inline constexpr uint32_t kCaptureSnap = 9216;
// Bytes that one lcore can be ahead of the disk; frames beyond are counted and left out.
inline constexpr size_t kCaptureRingBytes = 4u << 20;

// One lcore's way into a capture.
class CaptureRing {
 public:
  explicit CaptureRing(size_t bytes);

  // The lcore: `wall_ns` since 1970. Begins a record, whose `captured` bytes add() supplies; false
  // when there is no room, and nothing is to be added.
  bool begin(uint64_t wall_ns, uint32_t length, uint32_t captured);
  void add(const uint8_t* data, size_t size);
  void commit();

  // The writer: moves what is there to the end of `out`.
  void drain(std::vector<uint8_t>* out);
  uint64_t dropped() const { return dropped_.value(); }
  uint64_t recorded() const { return recorded_.value(); }

 private:
  void put(const void* data, size_t size);

  base::AlignedArray<uint8_t> bytes_;
  size_t mask_;
  size_t cursor_ = 0;  // Of the record being written.
  alignas(base::kCacheLine) std::atomic<size_t> tail_{0};
  alignas(base::kCacheLine) std::atomic<size_t> head_{0};
  transport::Counter dropped_;
  transport::Counter recorded_;
};

class Capture {
 public:
  // Creates or replaces the file and starts the writer. One ring per lcore of the node.
  static absl::StatusOr<std::unique_ptr<Capture>> open(const std::string& path, uint64_t limit,
                                                       size_t rings);
  // Writes what is left and closes the file.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  CaptureRing* ring(size_t index) { return rings_[index].get(); }
  uint64_t recorded() const;
  uint64_t dropped() const;
  uint64_t bytes_written() const { return written_.load(std::memory_order_relaxed); }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  Capture(int file, uint64_t limit, size_t rings);
  void run();
  void write_out(const std::vector<uint8_t>& records);

  int file_;
  uint64_t limit_;
  std::vector<std::unique_ptr<CaptureRing>> rings_;
  std::atomic<uint64_t> written_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CAPTURE_H_
