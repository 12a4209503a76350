// SPDX-License-Identifier: Apache-2.0
#include "cli/file_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

bool write_at(int fd, std::span<const uint8_t> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(done));
    offset += static_cast<uint64_t>(done);
  }
  return true;
}

// Takes the room on the disk now, where the file system can, rather than fail in the middle.
bool reserve(int fd, uint64_t size) {
  if (size == 0) return true;
  const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  return error == 0 || error == EOPNOTSUPP || error == EINVAL;
}

}  // namespace

FileStore::~FileStore() {
  for (auto& [id, transfer] : transfers_) give_up(transfer);
}

void FileStore::give_up(Transfer& transfer) {
  ::close(transfer.fd);
  ::unlink(transfer.part.c_str());
}

absl::StatusOr<uint64_t> FileStore::begin(const FileBegin& begin, uint64_t now) {
  if (transfers_.size() >= kMaxTransfers) {
    return absl::ResourceExhaustedError("too many files are being received");
  }
  Transfer transfer;
  transfer.place = absl::StrCat(folder_, "/", begin.name);
  if (!overwrite_ && ::access(transfer.place.c_str(), F_OK) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(transfer.place, " exists: remove it or give --overwrite"));
  }
  transfer.part = absl::StrCat(transfer.place, ".", ::getpid(), "-", next_, ".part");
  transfer.fd = ::open(transfer.part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (transfer.fd < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot create ", transfer.part, ": ", strerror(errno)));
  }
  transfer.size = begin.size;
  transfer.begun = transfer.heard = now;
  if (begin.size > (1ull << 62) || !reserve(transfer.fd, begin.size)) {
    give_up(transfer);
    return absl::ResourceExhaustedError(
        absl::StrCat("no room for ", begin.size, " bytes in ", folder_));
  }
  transfers_.emplace(next_, std::move(transfer));
  return next_++;
}

absl::Status FileStore::chunk(const FileChunk& chunk, uint64_t now) {
  const auto found = transfers_.find(chunk.transfer);
  if (found == transfers_.end()) return absl::NotFoundError("no such transfer");
  Transfer& transfer = found->second;
  if (chunk.offset > transfer.size || chunk.bytes.size() > transfer.size - chunk.offset) {
    return absl::OutOfRangeError("bytes beyond the end of the file");
  }
  if (!write_at(transfer.fd, chunk.bytes, chunk.offset)) {
    return absl::UnavailableError(
        absl::StrCat("cannot write ", transfer.part, ": ", strerror(errno)));
  }
  transfer.received += chunk.bytes.size();
  transfer.heard = now;
  bytes_received_ += chunk.bytes.size();
  return absl::OkStatus();
}

absl::StatusOr<ReceivedFile> FileStore::end(const FileEnd& end, uint64_t now) {
  const auto found = transfers_.find(end.transfer);
  if (found == transfers_.end()) return absl::NotFoundError("no such transfer");
  Transfer transfer = std::move(found->second);
  transfers_.erase(found);
  ReceivedFile file = {transfer.place, transfer.received, now - transfer.begun, false, {}};
  auto digest = sha256_of_file(transfer.fd);
  if (!digest.ok()) {
    give_up(transfer);
    return digest.status();
  }
  file.digest = *digest;
  file.match = transfer.received == transfer.size && file.digest == end.digest;
  if (!file.match) {
    give_up(transfer);
    return file;
  }
  if (::fsync(transfer.fd) != 0 || ::rename(transfer.part.c_str(), transfer.place.c_str()) != 0) {
    const absl::Status status =
        absl::UnavailableError(absl::StrCat("cannot keep ", transfer.place, ": ", strerror(errno)));
    give_up(transfer);
    return status;
  }
  ::close(transfer.fd);
  return file;
}

void FileStore::expire(uint64_t now) {
  for (auto at = transfers_.begin(); at != transfers_.end();) {
    if (now - at->second.heard < kPatience) {
      ++at;
      continue;
    }
    give_up(at->second);
    at = transfers_.erase(at);
  }
}

}  // namespace sluice::cli
