// SPDX-License-Identifier: Apache-2.0
//
// How a file travels: RPCs of service 3, which begin, carry and end it. Integers are big-endian.
//
//   begin  {u8 1, u8[7] 0, u64 size, u16 name length, name}  -> {u64 transfer, u32 largest message}
//   chunk  {u8 2, u8[7] 0, u64 transfer, u64 offset, bytes}  -> {u8 0}
//   end    {u8 3, u8[7] 0, u64 transfer, SHA-256}            -> {u8 match, SHA-256 of what arrived}
//
// Chunks may arrive in any order; each is executed at most once. A request that cannot be obeyed is
// rejected with a status.
#ifndef SLUICE_CLI_FILE_FORMAT_H_
#define SLUICE_CLI_FILE_FORMAT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/sha256.h"

namespace sluice::cli {

enum class FileVerb : uint8_t { kBegin = 1, kChunk = 2, kEnd = 3 };

inline constexpr uint32_t kChunkHeaderBytes = 24;
inline constexpr size_t kMaxFileName = 255;

struct FileBegin {
  uint64_t size = 0;
  std::string name;
};

struct FileBeginReply {
  uint64_t transfer = 0;
  uint32_t max_message = 0;  // Bytes of a chunk, its header included.
};

struct FileChunk {
  uint64_t transfer = 0;
  uint64_t offset = 0;
  std::span<const uint8_t> bytes;
};

struct FileEnd {
  uint64_t transfer = 0;
  Digest digest{};
};

struct FileEndReply {
  bool match = false;
  Digest digest{};
};

std::optional<FileVerb> file_verb(std::span<const uint8_t> message);

std::vector<uint8_t> encode(const FileBegin& begin);
std::vector<uint8_t> encode(const FileBeginReply& reply);
std::vector<uint8_t> encode(const FileEnd& end);
std::vector<uint8_t> encode(const FileEndReply& reply);
// Writes the header in front of the chunk's bytes.
void encode_chunk_header(uint64_t transfer, uint64_t offset, uint8_t out[kChunkHeaderBytes]);

// Nothing when the bytes are not such a message. A name is a plain file name: no folder, not
// hidden, no control characters.
std::optional<FileBegin> decode_begin(std::span<const uint8_t> message);
std::optional<FileBeginReply> decode_begin_reply(std::span<const uint8_t> message);
std::optional<FileChunk> decode_chunk(std::span<const uint8_t> message);
std::optional<FileEnd> decode_end(std::span<const uint8_t> message);
std::optional<FileEndReply> decode_end_reply(std::span<const uint8_t> message);

bool plain_file_name(const std::string& name);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_FILE_FORMAT_H_
