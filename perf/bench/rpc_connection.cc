// SPDX-License-Identifier: Apache-2.0
#include "rpc_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pattern.h"

namespace sluice::bench {
namespace {

constexpr size_t kGatherMost = 16'384;  // Longer messages are not copied before they are written.
constexpr size_t kPieceMost = 65'536;   // Of gathered bytes in one write.
constexpr size_t kReadMost = 262'144;

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
      check_bytes(bytes, taken, body_read_);
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
