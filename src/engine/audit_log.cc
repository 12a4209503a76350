// SPDX-License-Identifier: Apache-2.0
#include "engine/audit_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"

namespace sluice::engine {
namespace {

constexpr mode_t kMode = 0600;
// Holds the last record whatever its size, and what a crash may have left behind it.
constexpr size_t kTail = crypto::kMaxAuditLine + crypto::kMaxAuditTorn + 2;

constexpr char kFirst[] = "{\"seq\":1,";  // How every log begins.

std::string text_of_errno() { return strerror(errno); }

}  // namespace

AuditLog::AuditLog(Setup setup) : setup_(std::move(setup)), chain_(setup_.primitives) {
  if (!setup_.write) setup_.write = ::write;
  if (!setup_.sync) setup_.sync = ::fdatasync;
  rotate_at_ = static_cast<off_t>(std::min<uint64_t>(setup_.max_bytes, INT64_MAX));
}

AuditLog::~AuditLog() {
  if (fd_ < 0) return;
  setup_.sync(fd_);
  ::close(fd_);
}

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::open(Setup setup) {
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(setup)));
  if (absl::Status status = log->attach(); !status.ok()) return status;
  return log;
}

absl::Status AuditLog::error(const std::string& what) const {
  return absl::InvalidArgumentError(absl::StrCat("the audit log ", setup_.file, " ", what));
}

absl::Status AuditLog::attach() {
  fd_ = ::open(setup_.file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, kMode);
  if (fd_ < 0) {
    return error(absl::StrCat("cannot be opened: ", text_of_errno(), "; name a writable file"));
  }
  struct stat info = {};
  if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
    return error("is no regular file: name one");
  }
  // Two writers would tear the chain apart.
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return error("is being written by another process: give each a file of its own");
  }
  size_ = info.st_size;
  // A disk that is full is told of before anything begins. Where the file system cannot set room
  // aside, the first record shows it.
  if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, size_, crypto::kMaxAuditLine) != 0 &&
      errno != EOPNOTSUPP) {
    return error(
        absl::StrCat("has no room: ", text_of_errno(), "; make some, or name another file"));
  }
  return find_end(size_);
}

absl::Status AuditLog::find_end(off_t size) {
  const off_t start = std::max<off_t>(0, size - static_cast<off_t>(kTail));
  std::string tail(static_cast<size_t>(size - start), '\0');
  size_t have = 0;
  while (have < tail.size()) {
    const ssize_t got =
        ::pread(fd_, tail.data() + have, tail.size() - have, start + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return error(absl::StrCat("cannot be read: ", text_of_errno()));
    have += static_cast<size_t>(got);
  }
  if (tail.empty()) return absl::OkStatus();
  if (tail.back() != '\n') {
    backlog_.push_back("\n");
    tail += '\n';
  }
  // From the last line backwards to one that is a record; what follows it is torn.
  for (size_t end = tail.size(); end > 0;) {
    const size_t before = end < 2 ? std::string::npos : tail.rfind('\n', end - 2);
    const size_t begin = before == std::string::npos ? 0 : before + 1;
    const auto line = crypto::read_audit_line(
        *setup_.primitives, std::string_view(tail).substr(begin, end - 1 - begin));
    if (line && line->intact) {
      chain_.resume(line->sequence, line->hash);
      if (end == tail.size()) return absl::OkStatus();
      tail.erase(0, end);
      break;
    }
    if (begin == 0) {
      // A first record that a crash has torn is all there is; anything else is no log of ours.
      if (start == 0 && tail.starts_with(std::string_view(kFirst).substr(0, tail.size() - 1)))
        break;
      return error(
          "does not end with a record: look at it with `sluice audit verify`, and name "
          "another file");
    }
    end = begin;
  }
  crypto::AuditRecord torn;
  torn.event = "torn";
  torn.object = crypto::audit_hash_text(crypto::audit_hash_of(*setup_.primitives, tail));
  torn.reason = "the bytes before this line are no record: a crash has torn it";
  torn.count = tail.size();
  add(std::move(torn));
  return absl::OkStatus();
}

void AuditLog::add(crypto::AuditRecord record) {
  record.time_ns = setup_.wall_clock();
  backlog_.push_back(chain_.add(record));
}

// What nobody can read afterwards is not on record.
bool AuditLog::removed() const {
  struct stat info = {};
  return ::fstat(fd_, &info) != 0 || info.st_nlink == 0;
}

bool AuditLog::flush() {
  failure_.clear();
  if (removed()) {
    failure_ = "the file was removed";
    return false;
  }
  for (;;) {
    while (!backlog_.empty()) {
      std::string& line = backlog_.front();
      const ssize_t done = setup_.write(fd_, line.data(), line.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) {
        failure_ = done < 0 ? text_of_errno() : "nothing was written";
        return false;
      }
      size_ += done;
      dirty_ = true;
      line.erase(0, static_cast<size_t>(done));
      if (line.empty()) backlog_.pop_front();
    }
    if (lost_ == 0) return true;
    crypto::AuditRecord record;
    record.event = "lost";
    record.reason = "the log could not be written for too long: so many records are not here";
    record.count = std::exchange(lost_, 0);
    add(std::move(record));
  }
}

bool AuditLog::append(crypto::AuditRecord record) {
  const std::lock_guard lock(mutex_);
  if (backlog_.size() >= limits::kMaxAuditBacklog && !flush()) {
    ++lost_;
    ++all_lost_;
    return false;
  }
  if (rotate_at_ > 0 && size_ >= rotate_at_ && backlog_.empty()) rotate();
  add(std::move(record));
  return flush();
}

bool AuditLog::append_durably(crypto::AuditRecord record) {
  if (!append(std::move(record))) return false;
  const std::lock_guard lock(mutex_);
  return sync_locked();
}

void AuditLog::sync() {
  const std::lock_guard lock(mutex_);
  sync_locked();
}

// A new name is as durable as its folder, whatever was done for the file.
bool AuditLog::sync_folder() const {
  const size_t slash = setup_.file.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : setup_.file.substr(0, std::max<size_t>(slash, 1));
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return done;
}

bool AuditLog::sync_locked() {
  if (!dirty_) return true;
  if (named_ && sync_folder()) named_ = false;
  if (named_ || setup_.sync(fd_) != 0) {
    failure_ = absl::StrCat("it is not durable: ", text_of_errno());
    return false;
  }
  dirty_ = false;
  return true;
}

// Writes a new file's first line; the error, or nothing.
std::string AuditLog::write_first(int fd, const std::string& line) const {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return text_of_errno();
  for (size_t at = 0; at < line.size();) {
    const ssize_t done = setup_.write(fd, line.data() + at, line.size() - at);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return done < 0 ? text_of_errno() : "nothing was written";
    at += static_cast<size_t>(done);
  }
  return setup_.sync(fd) == 0 ? "" : text_of_errno();
}

// The new file has its first record, and is durable, before it takes the place of the old one; so
// whatever a crash leaves there ends with a record and the chain goes on. The old one gets its
// second name first, and is never without one. What fails leaves everything as it is.
void AuditLog::rotate() {
  const std::string next = setup_.file + ".next";
  const std::string full =
      absl::StrCat(setup_.file, ".", absl::Dec(chain_.sequence(), absl::kZeroPad12));
  crypto::AuditChain chain = chain_;
  crypto::AuditRecord record;
  record.time_ns = setup_.wall_clock();
  record.event = "rotate";
  record.object = full;
  record.reason = "the records before this one are in that file";
  const std::string line = chain.add(record);
  ::unlink(next.c_str());
  const int fd = ::open(next.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  const bool linked = fd >= 0 && sync_locked() && write_first(fd, line).empty() &&
                      ::link(setup_.file.c_str(), full.c_str()) == 0;
  if (!linked || ::rename(next.c_str(), setup_.file.c_str()) != 0) {
    if (linked) ::unlink(full.c_str());
    if (fd >= 0) ::close(fd);
    ::unlink(next.c_str());
    ++not_rotated_;
    rotate_at_ = size_ + static_cast<off_t>(setup_.max_bytes);  // Not at every record.
    return;
  }
  ::close(std::exchange(fd_, fd));
  chain_ = chain;
  named_ = true;
  size_ = static_cast<off_t>(line.size());
  rotate_at_ = static_cast<off_t>(setup_.max_bytes);
}

absl::Status AuditLog::append_or_say(crypto::AuditRecord record) {
  if (append(std::move(record))) return absl::OkStatus();
  const std::lock_guard lock(mutex_);
  return error(absl::StrCat("cannot be written: ", failure_, "; make room, or name another file"));
}

bool AuditLog::healthy() {
  const std::lock_guard lock(mutex_);
  return flush();
}

uint64_t AuditLog::records() const {
  const std::lock_guard lock(mutex_);
  return chain_.sequence() - backlog_.size();
}

uint64_t AuditLog::lost() const {
  const std::lock_guard lock(mutex_);
  return all_lost_;
}

uint64_t AuditLog::not_rotated() const {
  const std::lock_guard lock(mutex_);
  return not_rotated_;
}

std::string AuditLog::head() const {
  const std::lock_guard lock(mutex_);
  return crypto::audit_hash_text(chain_.head());
}

}  // namespace sluice::engine
