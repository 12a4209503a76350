// SPDX-License-Identifier: Apache-2.0
#include "cli/file_format.h"

#include <algorithm>
#include <cstring>

#include "base/byte_order.h"

namespace sluice::cli {
namespace {

constexpr size_t kVerbBytes = 8;

std::vector<uint8_t> begin_message(FileVerb verb, size_t bytes) {
  std::vector<uint8_t> message(kVerbBytes + bytes);
  message[0] = static_cast<uint8_t>(verb);
  return message;
}

// What follows the verb, when it is this one and at least so much follows.
std::optional<std::span<const uint8_t>> body_of(std::span<const uint8_t> message, FileVerb verb,
                                                size_t least) {
  if (file_verb(message) != verb || message.size() < kVerbBytes + least) return std::nullopt;
  return message.subspan(kVerbBytes);
}

}  // namespace

std::optional<FileVerb> file_verb(std::span<const uint8_t> message) {
  if (message.size() < kVerbBytes || message[0] < 1 || message[0] > 3) return std::nullopt;
  return static_cast<FileVerb>(message[0]);
}

bool plain_file_name(const std::string& name) {
  if (name.empty() || name.size() > kMaxFileName || name[0] == '.') return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F || c == '/';
  });
}

std::vector<uint8_t> encode(const FileBegin& begin) {
  std::vector<uint8_t> message = begin_message(FileVerb::kBegin, 10 + begin.name.size());
  base::store_be64(&message[8], begin.size);
  base::store_be16(&message[16], static_cast<uint16_t>(begin.name.size()));
  std::copy(begin.name.begin(), begin.name.end(), message.begin() + 18);
  return message;
}

std::vector<uint8_t> encode(const FileBeginReply& reply) {
  std::vector<uint8_t> message(12);
  base::store_be64(message.data(), reply.transfer);
  base::store_be32(&message[8], reply.max_message);
  return message;
}

std::vector<uint8_t> encode(const FileEnd& end) {
  std::vector<uint8_t> message = begin_message(FileVerb::kEnd, 8 + end.digest.size());
  base::store_be64(&message[8], end.transfer);
  std::copy(end.digest.begin(), end.digest.end(), message.begin() + 16);
  return message;
}

std::vector<uint8_t> encode(const FileEndReply& reply) {
  std::vector<uint8_t> message(1 + reply.digest.size());
  message[0] = reply.match ? 1 : 0;
  std::copy(reply.digest.begin(), reply.digest.end(), message.begin() + 1);
  return message;
}

void encode_chunk_header(uint64_t transfer, uint64_t offset, uint8_t out[kChunkHeaderBytes]) {
  std::memset(out, 0, kVerbBytes);
  out[0] = static_cast<uint8_t>(FileVerb::kChunk);
  base::store_be64(out + 8, transfer);
  base::store_be64(out + 16, offset);
}

std::optional<FileBegin> decode_begin(std::span<const uint8_t> message) {
  const auto body = body_of(message, FileVerb::kBegin, 10);
  if (!body || body->size() != 10u + base::load_be16(body->data() + 8)) return std::nullopt;
  FileBegin begin;
  begin.size = base::load_be64(body->data());
  begin.name.assign(body->begin() + 10, body->end());
  if (!plain_file_name(begin.name)) return std::nullopt;
  return begin;
}

std::optional<FileBeginReply> decode_begin_reply(std::span<const uint8_t> message) {
  if (message.size() != 12) return std::nullopt;
  const FileBeginReply reply = {base::load_be64(message.data()),
                                base::load_be32(message.data() + 8)};
  if (reply.max_message <= kChunkHeaderBytes) return std::nullopt;
  return reply;
}

std::optional<FileChunk> decode_chunk(std::span<const uint8_t> message) {
  const auto body = body_of(message, FileVerb::kChunk, 17);
  if (!body) return std::nullopt;
  return FileChunk{base::load_be64(body->data()), base::load_be64(body->data() + 8),
                   body->subspan(16)};
}

std::optional<FileEnd> decode_end(std::span<const uint8_t> message) {
  FileEnd end;
  const auto body = body_of(message, FileVerb::kEnd, 8 + end.digest.size());
  if (!body || body->size() != 8 + end.digest.size()) return std::nullopt;
  end.transfer = base::load_be64(body->data());
  std::copy(body->begin() + 8, body->end(), end.digest.begin());
  return end;
}

std::optional<FileEndReply> decode_end_reply(std::span<const uint8_t> message) {
  FileEndReply reply;
  if (message.size() != 1 + reply.digest.size() || message[0] > 1) return std::nullopt;
  reply.match = message[0] == 1;
  std::copy(message.begin() + 1, message.end(), reply.digest.begin());
  return reply;
}

}  // namespace sluice::cli
