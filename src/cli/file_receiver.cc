// SPDX-License-Identifier: Apache-2.0
#include "cli/file_receiver.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kWaitNanos = 20'000'000;
constexpr size_t kMaxErrors = 16;

StatusCode code_of(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return StatusCode::kOk;
    case absl::StatusCode::kNotFound:
      return StatusCode::kNotFound;
    case absl::StatusCode::kResourceExhausted:
      return StatusCode::kTooLarge;
    case absl::StatusCode::kAlreadyExists:
      return StatusCode::kPermissionDenied;
    case absl::StatusCode::kUnavailable:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kInvalidArgument;
  }
}

}  // namespace

FileReceiver::FileReceiver(const Engine* engine, Inbox* inbox, std::string folder, bool overwrite,
                           uint32_t max_message)
    : engine_(engine),
      inbox_(inbox),
      max_message_(max_message),
      store_(std::move(folder), overwrite),
      thread_([this] { run(); }) {}

FileReceiver::~FileReceiver() {
  stopping_.store(true);
  thread_.join();
}

void FileReceiver::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    InboxRequest request = inbox_->wait(kWaitNanos);
    if (request.valid()) {
      serve(request);
      bytes_.store(store_.bytes_received(), std::memory_order_relaxed);
    } else {
      store_.expire(engine_->now_ns());
    }
    under_way_.store(store_.under_way(), std::memory_order_relaxed);
  }
}

void FileReceiver::reply(InboxRequest& request, const absl::Status& status,
                         const std::vector<uint8_t>& answer) {
  if (status.ok()) {
    request.respond(answer.data(), static_cast<uint32_t>(answer.size()));
    return;
  }
  request.reject(code_of(status));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (errors_.size() < kMaxErrors) errors_.push_back(std::string(status.message()));
}

void FileReceiver::serve(InboxRequest& request) {
  const auto verb = file_verb(request.bytes());
  if (!verb || request.one_way()) {
    reply(request, absl::InvalidArgumentError("a request that is no part of a file"), {});
  } else if (*verb == FileVerb::kBegin) {
    serve_begin(request);
  } else if (*verb == FileVerb::kEnd) {
    serve_end(request);
  } else {
    const auto chunk = decode_chunk(request.bytes());
    const absl::Status status = chunk ? store_.chunk(*chunk, engine_->now_ns())
                                      : absl::InvalidArgumentError("a chunk without bytes");
    reply(request, status, {0});
  }
}

void FileReceiver::serve_begin(InboxRequest& request) {
  const auto begin = decode_begin(request.bytes());
  if (!begin) {
    reply(request, absl::InvalidArgumentError("a file without a plain name"), {});
    return;
  }
  const auto transfer = store_.begin(*begin, engine_->now_ns());
  if (transfer.ok()) {
    reply(request, absl::OkStatus(), encode(FileBeginReply{*transfer, max_message_}));
  } else {
    reply(request, transfer.status(), {});
  }
}

void FileReceiver::serve_end(InboxRequest& request) {
  const auto end = decode_end(request.bytes());
  const auto file = end ? store_.end(*end, engine_->now_ns())
                        : absl::InvalidArgumentError("an end without a digest");
  if (!file.ok()) {
    reply(request, file.status(), {});
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_.push_back(*file);
  }
  files_.fetch_add(1, std::memory_order_release);
  reply(request, absl::OkStatus(), encode(FileEndReply{file->match, file->digest}));
}

std::vector<ReceivedFile> FileReceiver::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(ended_, {});
}

std::vector<std::string> FileReceiver::take_errors() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(errors_, {});
}

}  // namespace sluice::cli
