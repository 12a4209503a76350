// SPDX-License-Identifier: Apache-2.0
#include "flood.h"

#include <algorithm>

#include "base/byte_order.h"
#include "crypto/handshake.h"
#include "crypto/handshake_cookie.h"
#include "transport/handshake_packets.h"

namespace sluice::attack {
namespace {

using namespace wire::offsets;

constexpr uint64_t kAhead = 1u << 20;    // Of the counters that the session will use meanwhile.
constexpr uint64_t kNewMessages = 4000;  // Fewer than a receiver looks ahead.
constexpr uint32_t kMessageShift = 28;   // Attempt and index of a default split lie below the id.

void randomize(Bytes* bytes, size_t from, base::Prng* prng) {
  for (size_t i = from; i < bytes->size(); ++i) {
    (*bytes)[i] = static_cast<uint8_t>(prng->next_u64());
  }
}

}  // namespace

const char* garbage_name(Garbage kind) {
  switch (kind) {
    case Garbage::kMalformed:
      return "malformed";
    case Garbage::kUnknownSession:
      return "unknown_session";
    case Garbage::kReplayed:
      return "replayed";
    case Garbage::kWrongTag:
      return "wrong_tag";
    case Garbage::kBadCookie:
      return "bad_cookie";
    case Garbage::kFirstPacket:
      return "first_packet";
  }
  return "";
}

Bytes garbage(Garbage kind, const Packet& true_packet, uint64_t number, base::Prng* prng) {
  Bytes bytes = true_packet.bytes;
  switch (kind) {
    case Garbage::kMalformed:
      bytes[kDoffVersion] = 0x72;
      break;
    case Garbage::kUnknownSession:
      // The slot stays, so that the packet comes as far as it can.
      bytes[kSession] ^= static_cast<uint8_t>(1 + number % 255);
      break;
    case Garbage::kReplayed:
      break;
    case Garbage::kWrongTag: {
      // Of a message that is new, or with a counter that is.
      const uint64_t ahead = is_type(bytes, wire::PacketType::kBundle)
                                 ? kAhead + number
                                 : (1 + number % kNewMessages) << kMessageShift;
      base::store_be64(&bytes[kRecordNumber], base::load_be64(&bytes[kRecordNumber]) + ahead);
      break;
    }
    case Garbage::kBadCookie: {
      Bytes cookie(crypto::kCookieSize);
      randomize(&cookie, 0, prng);
      return hello_packet(prng->next_u64(), 1, cookie, 1, prng);
    }
    case Garbage::kFirstPacket:
      return hello_packet(prng->next_u64(), 1, {}, 1, prng);
  }
  return bytes;
}

Bytes hello_packet(uint64_t attempt, uint8_t mechanism, const Bytes& token, uint8_t fragments,
                   base::Prng* prng) {
  wire::HandshakeHeader header;
  header.connection_id = attempt;
  header.message_type = static_cast<uint8_t>(crypto::HandshakeType::kClientHello);
  header.fragment_count = fragments;
  Bytes bytes(transport::kHandshakePacketSize);
  header.emit(bytes.data());
  size_t at = wire::kHandshakeHeaderSize;
  bytes[at++] = static_cast<uint8_t>(token.size());
  std::copy(token.begin(), token.end(), bytes.begin() + static_cast<ptrdiff_t>(at));
  at += token.size();
  bytes[at++] = mechanism;
  bytes[at++] = 1;  // The format.
  base::store_be64(&bytes[at], attempt);
  randomize(&bytes, at + 8, prng);
  return bytes;
}

std::optional<Bytes> HalfOpen::answer(const Bytes& packet, base::Prng* prng) {
  const auto view = wire::HandshakeView::parse(packet.data(), packet.size());
  if (opened_ || !view || view->connection_id() != attempt_) return std::nullopt;
  const auto retry = static_cast<uint8_t>(crypto::HandshakeType::kHelloRetry);
  if (view->message_type() != retry || view->fragment().empty()) return std::nullopt;
  const size_t size = view->fragment()[0];
  if (view->fragment().size() != 1 + size) return std::nullopt;
  opened_ = true;
  const Bytes token(view->fragment().begin() + 1, view->fragment().end());
  return hello_packet(attempt_, mechanism_, token, 2, prng);
}

}  // namespace sluice::attack
