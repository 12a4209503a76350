// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_FILE_RECEIVER_H_
#define SLUICE_CLI_FILE_RECEIVER_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/file_store.h"
#include "sluice/engine.h"
#include "sluice/inbox.h"

namespace sluice::cli {

// A thread that takes the requests of service 3 from an inbox and writes files.
class FileReceiver {
 public:
  // `engine` and `inbox` outlive the receiver; `max_message` is what the engine buffers.
  FileReceiver(const Engine* engine, Inbox* inbox, std::string folder, bool overwrite,
               uint32_t max_message);
  // Stops the thread; files under way are given up.
  ~FileReceiver();
  FileReceiver(const FileReceiver&) = delete;
  FileReceiver& operator=(const FileReceiver&) = delete;

  // Any thread.
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  uint64_t under_way() const { return under_way_.load(std::memory_order_relaxed); }
  uint64_t files() const { return files_.load(std::memory_order_acquire); }
  // Those that have ended since the last call, whether they match or not.
  std::vector<ReceivedFile> take();
  // The reasons of what was refused since the last call, one line each, at most 16.
  std::vector<std::string> take_errors();

 private:
  void run();
  void serve(InboxRequest& request);
  void reply(InboxRequest& request, const absl::Status& status, const std::vector<uint8_t>& answer);
  void serve_begin(InboxRequest& request);
  void serve_end(InboxRequest& request);

  const Engine* engine_;
  Inbox* inbox_;
  uint32_t max_message_;
  FileStore store_;  // The thread's.
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> under_way_{0};
  std::atomic<uint64_t> files_{0};
  std::mutex mutex_;
  std::vector<ReceivedFile> ended_;
  std::vector<std::string> errors_;
  std::thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_FILE_RECEIVER_H_
