// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_FILE_SENDER_H_
#define SLUICE_CLI_FILE_SENDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/sha256.h"
#include "sluice/engine.h"
#include "sluice/session.h"
#include "sluice/thread_client.h"

namespace sluice::cli {

struct SentFile {
  uint64_t bytes = 0;
  uint64_t nanos = 0;  // From the first byte sent to the last acknowledged.
  bool match = false;  // By the receiver's word and by its digest.
  Digest digest{};
};

// Sends one file over a session, from an ordinary thread: the one that calls run().
class FileSender {
 public:
  // The engine outlives the sender and runs. `deadline_ns` is for each message.
  FileSender(Engine* engine, Session session, std::string path, uint64_t deadline_ns);
  ~FileSender();
  FileSender(const FileSender&) = delete;
  FileSender& operator=(const FileSender&) = delete;

  // Sends it and waits for the verdict. NotFound (the file), Cancelled (by stop()), or what the
  // receiver or the session said.
  absl::StatusOr<SentFile> run();

  // Any thread.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }
  uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_relaxed); }
  uint64_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  // Chunks in flight: enough that the path stays full while one is read from the file.
  static constexpr size_t kChunks = 8;
  static constexpr uint32_t kMaxChunkBytes = 1u << 20;

  struct Chunk {
    std::vector<uint8_t> bytes;
    uint32_t payload = 0;
  };

  absl::Status open();
  absl::Status begin();
  absl::Status send_chunks();
  absl::Status send_chunk(uint64_t user, uint64_t offset);
  absl::Status take_completions();
  absl::StatusOr<SentFile> end(uint64_t nanos);
  absl::StatusOr<std::vector<uint8_t>> ask(const std::vector<uint8_t>& request,
                                           const std::string& what);

  Engine* engine_;
  Session session_;
  std::string path_;
  uint64_t deadline_ns_;
  int fd_ = -1;
  Digest digest_{};
  uint64_t transfer_ = 0;
  uint32_t payload_ = 0;  // Bytes of the file in a chunk.
  std::vector<Chunk> chunks_;
  std::vector<uint64_t> free_;
  std::unique_ptr<ThreadClient> client_;  // Declared last: let go of before the chunks.
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<uint64_t> size_{0};
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_FILE_SENDER_H_
