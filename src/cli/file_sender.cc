// SPDX-License-Identifier: Apache-2.0
#include "cli/file_sender.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/caller.h"
#include "cli/file_format.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kWaitNanos = 20'000'000;

// Why the receiver refuses, in words that say what to change there.
absl::Status refusal(StatusCode code, const std::string& what) {
  switch (code) {
    case StatusCode::kPermissionDenied:
      return absl::AlreadyExistsError(
          absl::StrCat(what,
                       ": the receiver has a file of this name, which can be removed there or "
                       "replaced with --overwrite; or its policy does not let this end send "
                       "files"));
    case StatusCode::kNotFound:
      return absl::NotFoundError(
          absl::StrCat(what, ": the peer takes no files; start it as sluice recvfile"));
    case StatusCode::kTooLarge:
      return absl::ResourceExhaustedError(absl::StrCat(what, ": the receiver has no room for it"));
    default:
      return to_status(code, what);
  }
}

bool read_at(int fd, std::vector<uint8_t>* into, size_t at, size_t bytes, uint64_t offset) {
  while (bytes > 0) {
    const ssize_t done = ::pread(fd, into->data() + at, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += static_cast<size_t>(done);
    offset += static_cast<uint64_t>(done);
    bytes -= static_cast<size_t>(done);
  }
  return true;
}

}  // namespace

FileSender::FileSender(Engine* engine, Session session, std::string path, uint64_t deadline_ns)
    : engine_(engine), session_(session), path_(std::move(path)), deadline_ns_(deadline_ns) {}

FileSender::~FileSender() {
  client_.reset();
  if (fd_ >= 0) ::close(fd_);
}

absl::StatusOr<SentFile> FileSender::run() {
  absl::Status status = open();
  if (status.ok()) status = begin();
  const uint64_t begun_ns = engine_->now_ns();
  if (status.ok()) status = send_chunks();
  if (!status.ok()) return status;
  return end(engine_->now_ns() - begun_ns);
}

absl::Status FileSender::open() {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info = {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path_, ": ", strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path_, " is not a regular file"));
  }
  size_.store(static_cast<uint64_t>(info.st_size));
  auto digest = sha256_of_file(fd_);
  if (!digest.ok()) return digest.status();
  digest_ = *digest;
  auto client = ThreadClient::create(*engine_, {session_.node, 0, 2 * kChunks});
  if (!client.ok()) return client.status();
  client_ = std::move(*client);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> FileSender::ask(const std::vector<uint8_t>& request,
                                                     const std::string& what) {
  CallOptions options;
  options.service = kFileService;
  options.deadline_ns = deadline_ns_;
  const CallResult result = client_->call_and_wait(
      session_, options, Buffer::borrow(request.data(), static_cast<uint32_t>(request.size())));
  if (result.code != StatusCode::kOk) return refusal(result.code, what);
  const auto bytes = result.response.bytes();
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

absl::Status FileSender::begin() {
  FileBegin begin;
  begin.size = size_.load();
  begin.name = path_.substr(path_.rfind('/') + 1);
  if (!plain_file_name(begin.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file name '", begin.name, "' is hidden or not printable: rename it"));
  }
  const auto answer = ask(encode(begin), absl::StrCat("cannot send ", path_));
  if (!answer.ok()) return answer.status();
  const auto reply = decode_begin_reply(*answer);
  if (!reply) return absl::InternalError("the receiver answers what is no answer");
  transfer_ = reply->transfer;
  const uint32_t message = std::min(reply->max_message, kMaxChunkBytes);
  payload_ = message - kChunkHeaderBytes;
  chunks_.resize(kChunks);
  for (size_t i = 0; i < kChunks; ++i) {
    chunks_[i].bytes.resize(message);
    free_.push_back(i);
  }
  return absl::OkStatus();
}

absl::Status FileSender::send_chunk(uint64_t user, uint64_t offset) {
  Chunk& chunk = chunks_[user];
  chunk.payload = static_cast<uint32_t>(std::min<uint64_t>(payload_, size_.load() - offset));
  encode_chunk_header(transfer_, offset, chunk.bytes.data());
  if (!read_at(fd_, &chunk.bytes, kChunkHeaderBytes, chunk.payload, offset)) {
    return absl::DataLossError(absl::StrCat(path_, " became shorter while it was sent"));
  }
  CallOptions options;
  options.service = kFileService;
  options.deadline_ns = deadline_ns_;
  const StatusCode code =
      client_->call(session_, options,
                    Buffer::borrow(chunk.bytes.data(), kChunkHeaderBytes + chunk.payload), user);
  return to_status(code, "cannot send a piece of the file");
}

absl::Status FileSender::send_chunks() {
  uint64_t offset = 0;
  while (offset < size_.load() || free_.size() < kChunks) {
    if (stopping_.load(std::memory_order_relaxed)) return absl::CancelledError("interrupted");
    while (offset < size_.load() && !free_.empty()) {
      const uint64_t user = free_.back();
      absl::Status status = send_chunk(user, offset);
      if (!status.ok()) return status;
      free_.pop_back();
      offset += chunks_[user].payload;
    }
    client_->wait(kWaitNanos);
    absl::Status status = take_completions();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status FileSender::take_completions() {
  std::array<Completion, kChunks> completions;
  const size_t count = client_->poll(completions);
  for (size_t i = 0; i < count; ++i) {
    const Completion& done = completions[i];
    if (done.result.code != StatusCode::kOk) {
      return refusal(done.result.code, "a piece of the file was not taken");
    }
    acknowledged_.fetch_add(chunks_[done.user].payload, std::memory_order_relaxed);
    free_.push_back(done.user);
  }
  return absl::OkStatus();
}

absl::StatusOr<SentFile> FileSender::end(uint64_t nanos) {
  const auto answer = ask(encode(FileEnd{transfer_, digest_}), "the file could not be finished");
  if (!answer.ok()) return answer.status();
  const auto reply = decode_end_reply(*answer);
  if (!reply) return absl::InternalError("the receiver answers what is no answer");
  SentFile sent;
  sent.bytes = size_.load();
  sent.nanos = nanos;
  sent.match = reply->match && reply->digest == digest_;
  sent.digest = digest_;
  return sent;
}

}  // namespace sluice::cli
