// SPDX-License-Identifier: Apache-2.0
//
// Handshake messages to HANDSHAKE packets and back. The format is described in
// crypto/psk_handshake.h.
#ifndef SLUICE_TRANSPORT_HANDSHAKE_PACKETS_H_
#define SLUICE_TRANSPORT_HANDSHAKE_PACKETS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "crypto/handshake.h"
#include "wire/header.h"

namespace sluice::transport {

// Bytes of the longest HANDSHAKE packet, from the common header on: it fits the smallest path
// MTU (1280) under IPv6 and UDP. A hello without a valid token is answered only at this size.
inline constexpr size_t kHandshakePacketSize = 1200;
// Message types that may be in reassembly at a time, per handshake.
inline constexpr size_t kMaxJoinedTypes = 4;

using PacketBytes = std::vector<uint8_t>;

// Bytes that a hello must have for its packet to be full, given its token's size.
size_t full_hello_size(size_t token_size);

// Cuts a message into packets, appended to `out`. `token` goes into CLIENT_HELLO packets only.
// False, leaving `out` alone, when the message is too long to be sent.
bool split_message(uint64_t attempt, crypto::HandshakeType type, std::span<const uint8_t> token,
                   std::span<const uint8_t> message, std::vector<PacketBytes>* out);

// The fragment of a CLIENT_HELLO packet taken apart; nullopt when malformed.
struct HelloFragment {
  std::span<const uint8_t> token;
  std::span<const uint8_t> fragment;
};
std::optional<HelloFragment> split_hello_fragment(std::span<const uint8_t> fragment);

// Joins the fragments of one handshake's messages; bounded by kMaxHandshakeMessage for each of at
// most kMaxJoinedTypes types. Nothing in it is authentic: a joined message that turns out wrong
// just starts anew with the sender's next repetition.
class MessageJoiner {
 public:
  // The whole message when this fragment completes it; nullopt while some are missing and when
  // the fragment does not fit.
  std::optional<std::vector<uint8_t>> add(const wire::HandshakeView& packet,
                                          std::span<const uint8_t> fragment);
  size_t bytes_held() const;
  // True when the last add() dropped another type's fragments to stay within kMaxJoinedTypes.
  bool pushed_out() const { return pushed_out_; }

 private:
  struct Join {
    uint8_t count = 0;
    uint8_t received = 0;
    std::vector<std::optional<std::vector<uint8_t>>> parts;
  };

  std::map<uint8_t, Join> joins_;
  bool pushed_out_ = false;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_HANDSHAKE_PACKETS_H_
