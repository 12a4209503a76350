// SPDX-License-Identifier: Apache-2.0
//
// The audit log of an engine: one file, to which records are only ever added.
#ifndef SLUICE_ENGINE_AUDIT_LOG_H_
#define SLUICE_ENGINE_AUDIT_LOG_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/audit.h"
#include "crypto/handshake.h"
#include "crypto/primitives.h"

namespace sluice::engine {

// Any thread but lcores: it locks, allocates and writes. What cannot be written waits, in order,
// for the next attempt; meanwhile healthy() is false and its users begin nothing that would have to
// be recorded. Records beyond limits::kMaxAuditBacklog are lost, which the log says itself as soon
// as it can be written again.
class AuditLog {
 public:
  struct Setup {
    std::string file;
    const crypto::Primitives* primitives = nullptr;
    crypto::WallClock wall_clock;
    // As write(2): how tests make it fail.
    std::function<ssize_t(int fd, const void* bytes, size_t size)> write;
    // Bytes from which on the next record begins another file; 0: never. What is full is kept
    // beside it, as FILE.N with the number of its last record, and the chain goes on.
    uint64_t max_bytes = 0;
    // As fdatasync(2).
    std::function<int(int fd)> sync;
  };

  // Opens or creates the file and goes on where its last record ended; a line that a crash has torn
  // is kept, and the first new record tells of it. Errors are one sentence that says what to do:
  // the file cannot be opened, is no regular file, is another process's, has no room for a record,
  // or its end is no log's.
  static absl::StatusOr<std::unique_ptr<AuditLog>> open(Setup setup);
  // Makes durable what was written.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Fills the time in. True when the record, and every one before it, is in the file.
  bool append(crypto::AuditRecord record);
  // The same, and true only when it would survive a loss of power.
  bool append_durably(crypto::AuditRecord record);
  // Makes durable what was written since the last time, if anything.
  void sync();
  // The same as a status: one sentence for the user.
  absl::Status append_or_say(crypto::AuditRecord record);
  // Tries to write what waits, and says whether anything is left.
  bool healthy();

  const std::string& file() const { return setup_.file; }
  uint64_t records() const;      // In the file, this process's and earlier ones,
  uint64_t lost() const;         // and lost by this one.
  uint64_t not_rotated() const;  // Times that another file could not be begun: this one goes on.
  std::string head() const;      // The hash of the last record, for people to keep.

 private:
  explicit AuditLog(Setup setup);
  absl::Status attach();
  absl::Status find_end(off_t size);
  absl::Status error(const std::string& what) const;
  void add(crypto::AuditRecord record);
  bool flush();
  bool removed() const;
  bool sync_locked();
  bool sync_folder() const;
  void rotate();
  std::string write_first(int fd, const std::string& line) const;

  Setup setup_;
  int fd_ = -1;
  mutable std::mutex mutex_;
  crypto::AuditChain chain_;
  std::deque<std::string> backlog_;  // Not written yet; of the first, what is left of it.
  uint64_t lost_ = 0;                // Not yet told of.
  uint64_t all_lost_ = 0;
  off_t size_ = 0;            // Of the file.
  off_t rotate_at_ = 0;       // From this size on another one is begun; 0: never.
  bool named_ = true;         // The file's name may be new, and not durable yet.
  bool dirty_ = false;        // Something written is not durable yet.
  uint64_t not_rotated_ = 0;  // Times that another file could not be begun.
  std::string failure_;       // Of the last attempt to write; empty: it went well.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_AUDIT_LOG_H_
