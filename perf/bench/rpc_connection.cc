// SPDX-License-Identifier: Apache-2.0
#include "rpc_connection.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sluice::bench {
namespace {

constexpr size_t kPattern = 1 << 20;    // Of the bytes that all messages consist of, repeated.
constexpr size_t kGatherMost = 16'384;  // Longer messages are not copied before they are written.
constexpr size_t kPieceMost = 65'536;   // Of gathered bytes in one write.
constexpr size_t kReadMost = 262'144;

// Messages hold the same bytes again and again, as those of `sluice` do: none of them needs to be
// made, and each can be checked.
const std::vector<uint8_t>& pattern() {
  static const std::vector<uint8_t> bytes = [] {
    std::vector<uint8_t> made(kPattern);
    uint32_t state = 1;
    for (uint8_t& byte : made) {
      state = state * 1'664'525 + 1'013'904'223;
      byte = static_cast<uint8_t>(state >> 24);
    }
    return made;
  }();
  return bytes;
}

void check(const uint8_t* bytes, size_t count, size_t offset) {
  while (count > 0) {
    const size_t place = offset % kPattern;
    const size_t part = std::min(count, kPattern - place);
    if (std::memcmp(bytes, pattern().data() + place, part) != 0) {
      std::fprintf(stderr, "socket_rpc: a message arrived with wrong bytes\n");
      std::exit(1);
    }
    bytes += part;
    count -= part;
    offset += part;
  }
}

}  // namespace

RpcConnection::RpcConnection(Channel* channel) : channel_(channel), inbox_(kReadMost) {
  spare_.reserve(kPieceMost);
}

void RpcConnection::gather(const void* bytes, size_t count) {
  if (pieces_.empty() || pieces_.back().bytes != nullptr ||
      pieces_.back().gathered.size() + count > kPieceMost) {
    pieces_.emplace_back().gathered = std::exchange(spare_, {});
    pieces_.back().gathered.clear();
  }
  std::vector<uint8_t>& out = pieces_.back().gathered;
  const auto* begin = static_cast<const uint8_t*>(bytes);
  out.insert(out.end(), begin, begin + count);
  pieces_.back().length = out.size();
}

void RpcConnection::append(const Header& header) {
  gather(&header, sizeof(header));
  if (header.length <= kGatherMost) {
    gather(pattern().data(), header.length);
    return;
  }
  for (size_t offset = 0; offset < header.length; offset += kPattern) {
    Piece& piece = pieces_.emplace_back();
    piece.bytes = pattern().data();
    piece.length = std::min<size_t>(kPattern, header.length - offset);
  }
}

bool RpcConnection::flush() {
  bool moved = false;
  while (!pieces_.empty() && !closed_) {
    Piece& piece = pieces_.front();
    const uint8_t* bytes = piece.bytes != nullptr ? piece.bytes : piece.gathered.data();
    const long written = channel_->write(bytes + piece.written, piece.length - piece.written);
    if (written == Channel::kClosed) closed_ = true;
    if (written <= 0) return moved;
    moved = true;
    piece.written += static_cast<size_t>(written);
    if (piece.written < piece.length) continue;
    if (piece.bytes == nullptr) spare_ = std::move(piece.gathered);
    pieces_.pop_front();
  }
  return moved;
}

void RpcConnection::parse(const uint8_t* bytes, size_t count, const Handler& handler) {
  while (count > 0) {
    size_t taken = 0;
    if (header_filled_ < sizeof(Header)) {
      taken = std::min(count, sizeof(Header) - header_filled_);
      std::memcpy(header_bytes_ + header_filled_, bytes, taken);
      header_filled_ += taken;
      if (header_filled_ == sizeof(Header)) std::memcpy(&header_, header_bytes_, sizeof(Header));
    } else {
      taken = std::min<size_t>(count, header_.length - body_read_);
      check(bytes, taken, body_read_);
      body_read_ += taken;
    }
    bytes += taken;
    count -= taken;
    if (header_filled_ == sizeof(Header) && body_read_ == header_.length) {
      handler(header_);
      header_filled_ = 0;
      body_read_ = 0;
    }
  }
}

bool RpcConnection::receive(const Handler& handler) {
  const long count = channel_->read(inbox_.data(), inbox_.size());
  if (count == Channel::kClosed) closed_ = true;
  if (count <= 0) return false;
  parse(inbox_.data(), static_cast<size_t>(count), handler);
  return true;
}

}  // namespace sluice::bench
