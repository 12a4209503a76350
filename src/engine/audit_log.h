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
  };

  // Opens or creates the file and goes on where its last record ended; a line that a crash has torn
  // is kept, and the first new record tells of it. Errors are one sentence that says what to do:
  // the file cannot be opened, is no regular file, is another process's, or its end is no log's.
  static absl::StatusOr<std::unique_ptr<AuditLog>> open(Setup setup);
  // Makes durable what was written.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Fills the time in. True when the record, and every one before it, is in the file.
  bool append(crypto::AuditRecord record);
  // The same as a status: one sentence for the user.
  absl::Status append_or_say(crypto::AuditRecord record);
  // Tries to write what waits, and says whether anything is left.
  bool healthy();

  const std::string& file() const { return setup_.file; }
  uint64_t records() const;  // In the file, this process's and earlier ones,
  uint64_t lost() const;     // and lost by this one.
  std::string head() const;  // The hash of the last record, for people to keep.

 private:
  explicit AuditLog(Setup setup);
  absl::Status attach();
  absl::Status find_end(off_t size);
  absl::Status error(const std::string& what) const;
  void add(crypto::AuditRecord record);
  bool flush();
  bool removed() const;

  Setup setup_;
  int fd_ = -1;
  mutable std::mutex mutex_;
  crypto::AuditChain chain_;
  std::deque<std::string> backlog_;  // Not written yet; of the first, what is left of it.
  uint64_t lost_ = 0;                // Not yet told of.
  uint64_t all_lost_ = 0;
  std::string failure_;  // Of the last attempt to write; empty: it went well.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_AUDIT_LOG_H_
