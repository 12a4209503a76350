// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_PACKET_H_
#define SLUICE_TRANSPORT_PACKET_H_

#include <cstdint>

namespace sluice::transport {

// What the endpoint made of a received packet; the engine acts on it after on_rx() returns.
enum class Verdict : uint8_t {
  kConsumed,        // Handled or dropped and counted: free the packet.
  kHandshake,       // A HANDSHAKE packet: pass a copy to the control thread.
  kReset,           // A RESET packet, a mere hint: pass a copy to the control thread.
  kUnknownSession,  // No such session here: the engine may answer with a rate-limited RESET.
};

// A received packet, from the first byte of the Sluice common header (L2 to L4 stripped).
// The bytes are writable and belong to the endpoint until on_rx() returns; it keeps no reference
// to them afterwards.
struct RxPacket {
  uint8_t* data = nullptr;
  uint32_t length = 0;
  bool congestion_experienced = false;  // ECN CE was set by the network.
  Verdict verdict = Verdict::kConsumed;
  // Not 0 for a packet in the form of ESP (wire/esp.h), which begins at `data` and is so long:
  // `length` is 0 then, so that who knows nothing of ESP sees nothing. The endpoint sets it to 0.
  uint16_t esp_length = 0;
};

// What TxPacket::piece says, beside 0.
inline constexpr uint8_t kPieceInside = 1;
inline constexpr uint8_t kPieceFirst = 2;
inline constexpr uint8_t kPieceLast = 4;
inline constexpr uint8_t kWholeEsp = 8;

// An empty packet buffer that poll_tx() fills. `data` points at the place of the Sluice common
// header; the caller keeps headroom for L2 to L4 before it and owns the memory throughout. Where
// there are lanes with ESP it keeps kEspHeaderSize bytes more, for what poll_tx() puts before the
// Sluice header.
struct TxPacket {
  uint8_t* data = nullptr;  // Moved to the SPI where `piece` is kWholeEsp.
  uint32_t capacity = 0;    // Bytes writable at `data`.
  uint32_t length = 0;      // Set by poll_tx(): bytes of the Sluice packet.
  uint32_t route = 0;    // Set by poll_tx(): the engine's handle of the path (InstallLane::route).
  uint16_t entropy = 0;  // Set by poll_tx(): selects the UDP source port, for ECMP and spraying.
  uint8_t priority = 0;  // Set by poll_tx(): 0 (lowest) to 7, mapped to DSCP.
  // Set by poll_tx(): not 0 for a RECORD packet in plaintext, which must not leave as it is. The
  // port whose context this is (crypto::InlineCrypto) is to seal the record that its pieces make
  // when they are joined, from kPieceFirst to kPieceLast. Other packets may lie between them; a
  // record whose next one begins before its last piece came is given up. Or kWholeEsp: a packet in
  // the form of ESP, which is sealed where `context` is crypto::kNoInlineContext, and else in
  // plaintext with zeros for its tag, for that context's port to seal.
  uint8_t piece = 0;
  uint32_t context = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_PACKET_H_
