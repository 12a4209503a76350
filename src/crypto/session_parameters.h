// SPDX-License-Identifier: Apache-2.0
//
// What two endpoints tell each other, inside the authenticated transcript of a handshake, before
// they exchange messages. Independent of the handshake mechanism: the same bytes travel in the
// PSK handshake and, as an extension, in TLS 1.3.
//
// Encoding ("parameter block"): a sequence of parameters, each
//     u16 type | u16 length | length bytes of value                    (big-endian)
// in strictly ascending order of type, no type twice. A receiver ignores types it does not know;
// they stay part of the transcript. Types 1 to 10 are all mandatory, from both sides; type 11 is
// mandatory from the server and forbidden from the client; 12 is there where it is not 0. A block
// is at most 1024 bytes.
//
//   type             value
//    1 VERSIONS      u16 lowest, u16 highest wire version spoken (lowest <= highest, lowest >= 1)
//    2 SESSION_ID    u32 the id this side wants in packets sent to it (never 0)
//    3 LANES         u8 lcores of this side that take part (>= 1)
//    4 BASE_PORT     u16 first UDP port of this side (never 0)
//    5 MAX_MESSAGE   u64 largest message this side accepts, bytes (>= 1)
//    6 UNSCHEDULED   u32 bytes of a message that may be sent to this side without a grant
//    7 MAX_PACKET    u32 largest Sluice packet (common header to tag) this side can receive, bytes
//                    (>= 1200)
//    8 AEADS         1 to 8 bytes: AEAD algorithms in order of preference, no one twice;
//                    0 (plaintext) stands alone or not at all
//    9 SPLIT         3 bytes: id, attempt and index bits of a record number, as this side prefers
//   10 INSTANCE      16 random bytes, drawn once per process: tells a restarted peer from the old
//   11 SELECTION     u16 version, u8 AEAD, 3 bytes split: the server's choice for the session
//   12 RECORDS       u8: 1 where this side sends and takes RECORD packets (record mode)
//   13 PADDING       u8: 0 where this side pads its messages if the other asks for it, 1 where it
//                    asks; left out where it cannot
//   14 ESP           u32 the base of the SPIs that this side wants in packets of ESP sent to it
//                    (PROTOCOL.md §18.4), a multiple of 512 and not 0; left out where it takes none
//
// The server chooses the highest common version, the first AEAD of its own list that the client
// offered, and its own split. The number of lanes is the product of both LANES, at most
// base::limits::kMaxLanesPerSession (128).
#ifndef SLUICE_CRYPTO_SESSION_PARAMETERS_H_
#define SLUICE_CRYPTO_SESSION_PARAMETERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/types.h"
#include "crypto/aead.h"
#include "wire/record_number.h"

namespace sluice::crypto {

inline constexpr size_t kInstanceSize = 16;
inline constexpr size_t kMaxAeadPreferences = 8;
inline constexpr size_t kMaxParameterBlock = 1024;
inline constexpr uint32_t kMinMaxPacket = 1200;

// Whether a side conceals the lengths of its messages (PROTOCOL.md §19). Where one side asks for it
// both do, and where the other cannot there is no session.
enum class Padding : uint8_t { kUnable, kOnRequest, kAsked };

// One side's statement about itself. `session_id` and `instance` are filled in by the connector.
struct SessionParameters {
  uint16_t version_min = 1;
  uint16_t version_max = 1;
  base::SessionId session_id{0};
  uint8_t lanes = 1;
  uint16_t base_port = 0;
  uint64_t max_message_bytes = uint64_t{1} << 30;
  uint32_t unscheduled_bytes = 65536;
  uint32_t max_packet = kMinMaxPacket;
  std::vector<AeadAlgorithm> aeads;
  wire::RecordNumberSplit split;
  std::array<uint8_t, kInstanceSize> instance{};
  bool records = false;  // Record mode is wanted (PROTOCOL.md §18).
  Padding padding = Padding::kOnRequest;
  uint32_t esp_base = 0;  // This side takes packets of ESP, and sends them; 0: it does not.

  friend bool operator==(const SessionParameters&, const SessionParameters&) = default;
};

// What holds for the session; both sides compute the same from the two statements.
struct SessionAgreement {
  uint16_t version = 0;
  AeadAlgorithm aead = AeadAlgorithm::kNone;
  wire::RecordNumberSplit split;

  friend bool operator==(const SessionAgreement&, const SessionAgreement&) = default;
};

// Whether records of several packets are used in a session, and why not.
enum class RecordMode : uint8_t {
  kOff,          // This side does not want them.
  kOn,           // Both sides do.
  kPeerWithout,  // The peer does not.
  kPlaintext,    // There is nothing that a record would seal.
  kEsp,          // Packets travel as ESP instead.
  kNoEspPeer,    // They would, and no records are wanted, but the peer takes none,
  kNoEspCipher,  // or the cipher is not AES-GCM.
};
RecordMode record_mode(const SessionParameters& own, const SessionParameters& peer,
                       AeadAlgorithm aead);
// Whether DATA and BUNDLE packets of the session travel as ESP (PROTOCOL MUST-S1).
bool esp_agreed(const SessionParameters& own, const SessionParameters& peer, AeadAlgorithm aead);
// "record mode", "packet mode", "ESP", or one of them with the reason in a few words.
const char* record_mode_text(RecordMode mode);

// Whether all messages of a session between these two are padded.
bool messages_padded(const SessionParameters& a, const SessionParameters& b);

// True when a statement follows every rule of the table above.
bool parameters_valid(const SessionParameters& parameters);

// The parameter block; `selection` only from a server. `parameters` must be valid.
std::vector<uint8_t> encode_parameters(const SessionParameters& parameters,
                                       const SessionAgreement* selection);

struct DecodedParameters {
  SessionParameters parameters;
  std::optional<SessionAgreement> selection;
};

// nullopt when the block breaks any rule. Whether SELECTION must be present is the caller's check.
std::optional<DecodedParameters> decode_parameters(std::span<const uint8_t> block);

// Why two statements do not go together.
enum class AgreementError : uint8_t { kNone, kVersion, kAead, kLanes, kPadding };

struct AgreementResult {
  AgreementError error = AgreementError::kNone;
  SessionAgreement agreement;
};

// The server's choice.
AgreementResult choose_agreement(const SessionParameters& client, const SessionParameters& server);

// The client's check that the server chose within both statements.
bool agreement_allowed(const SessionParameters& client, const SessionParameters& server,
                       const SessionAgreement& chosen);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_SESSION_PARAMETERS_H_
