// SPDX-License-Identifier: Apache-2.0
#include "transport/handshake_packets.h"

#include <algorithm>

#include "crypto/handshake_cookie.h"

namespace sluice::transport {
namespace {

constexpr size_t kRoom = kHandshakePacketSize - wire::kHandshakeHeaderSize;
static_assert(kRoom * wire::kMaxHandshakeFragments >= crypto::kMaxHandshakeMessage);

bool is_hello(crypto::HandshakeType type) { return type == crypto::HandshakeType::kClientHello; }

}  // namespace

size_t full_hello_size(size_t token_size) { return kRoom - 1 - token_size; }

bool split_message(uint64_t attempt, crypto::HandshakeType type, std::span<const uint8_t> token,
                   std::span<const uint8_t> message, std::vector<PacketBytes>* out) {
  const size_t prefix = is_hello(type) ? 1 + token.size() : 0;
  const size_t chunk = kRoom - prefix;
  const size_t count = std::max<size_t>(1, (message.size() + chunk - 1) / chunk);
  if (count > wire::kMaxHandshakeFragments || message.size() > crypto::kMaxHandshakeMessage) {
    return false;
  }
  for (size_t index = 0; index < count; ++index) {
    const size_t begin = index * chunk;
    const auto part = message.subspan(begin, std::min(chunk, message.size() - begin));
    PacketBytes packet(wire::kHandshakeHeaderSize);
    wire::HandshakeHeader header;
    header.connection_id = attempt;
    header.message_type = static_cast<uint8_t>(type);
    header.fragment_index = static_cast<uint8_t>(index);
    header.fragment_count = static_cast<uint8_t>(count);
    header.emit(packet.data());
    if (is_hello(type)) {
      packet.push_back(static_cast<uint8_t>(token.size()));
      packet.insert(packet.end(), token.begin(), token.end());
    }
    packet.insert(packet.end(), part.begin(), part.end());
    out->push_back(std::move(packet));
  }
  return true;
}

std::optional<HelloFragment> split_hello_fragment(std::span<const uint8_t> fragment) {
  if (fragment.empty()) return std::nullopt;
  const size_t token_size = fragment[0];
  if (token_size > crypto::kMaxTokenSize || token_size >= fragment.size() - 1) {
    return std::nullopt;
  }
  return HelloFragment{fragment.subspan(1, token_size), fragment.subspan(1 + token_size)};
}

std::optional<std::vector<uint8_t>> MessageJoiner::add(const wire::HandshakeView& packet,
                                                       std::span<const uint8_t> fragment) {
  pushed_out_ = false;
  const uint8_t count = packet.fragment_count();
  if (count == 1) return std::vector<uint8_t>(fragment.begin(), fragment.end());
  if (fragment.size() > kRoom || packet.fragment_index() >= count) return std::nullopt;
  auto at = joins_.find(packet.message_type());
  if (at == joins_.end()) {
    if (joins_.size() >= kMaxJoinedTypes) {
      joins_.erase(joins_.begin());
      pushed_out_ = true;
    }
    at = joins_.emplace(packet.message_type(), Join()).first;
  }
  Join& join = at->second;
  if (join.count != count) {
    join = Join();
    join.count = count;
    join.parts.resize(count);
  }
  auto& part = join.parts[packet.fragment_index()];
  if (part) return std::nullopt;
  part.emplace(fragment.begin(), fragment.end());
  if (++join.received != count) return std::nullopt;
  std::vector<uint8_t> whole;
  for (const auto& piece : join.parts) whole.insert(whole.end(), piece->begin(), piece->end());
  joins_.erase(at);
  if (whole.size() > crypto::kMaxHandshakeMessage) return std::nullopt;
  return whole;
}

size_t MessageJoiner::bytes_held() const {
  size_t total = 0;
  for (const auto& [type, join] : joins_) {
    for (const auto& part : join.parts) total += part ? part->size() : 0;
  }
  return total;
}

}  // namespace sluice::transport
