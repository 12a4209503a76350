// SPDX-License-Identifier: Apache-2.0
//
// Every byte that a ConnectX gets from us for its TLS transmit engine: commands, which rdma-core
// passes on (DevX), and descriptors (WQEs) in a send queue. All numbers are big-endian. The layouts
// are those of the mlx5 interface (Linux: include/linux/mlx5/mlx5_ifc.h; rdma-core: mlx5dv.h).
// Pure functions over bytes: no device is needed to test them.
#ifndef SLUICE_ENGINE_CONNECTX_FORMAT_H_
#define SLUICE_ENGINE_CONNECTX_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead.h"

namespace sluice::engine::connectx {

// --- Commands -----------------------------------------------------------------------------------

inline constexpr uint16_t kQueryHcaCap = 0x100;
inline constexpr uint16_t kAllocTransportDomain = 0x816;
inline constexpr uint16_t kCreateTis = 0x912;
inline constexpr uint16_t kCreateGeneralObject = 0xa00;
inline constexpr uint16_t kEncryptionKeyObject = 0xc;

// What the device can do, in the two pages of capabilities that matter here.
enum class CapabilityPage : uint16_t { kGeneral = 0x0, kTls = 0x11 };
inline constexpr size_t kQueryBytes = 16;
inline constexpr size_t kQueryReplyBytes = 16 + 4096;
using QueryCommand = std::array<uint8_t, kQueryBytes>;
QueryCommand query_capabilities(CapabilityPage page);

struct Capabilities {
  bool tls_transmit = false;  // There is such an engine.
  bool keys = false;          // Encryption keys can be made.
  bool tls13_aes_128 = false;
  bool tls13_aes_256 = false;
  uint8_t log_max_keys = 0;
};
// From both replies, of kQueryReplyBytes each.
Capabilities read_capabilities(std::span<const uint8_t, kQueryReplyBytes> general,
                               std::span<const uint8_t, kQueryReplyBytes> tls);

using TransportDomainCommand = std::array<uint8_t, 16>;
TransportDomainCommand alloc_transport_domain();

// A key for TLS, in the protection domain `pd`. The caller wipes the command.
using KeyCommand = std::array<uint8_t, 16 + 512>;
KeyCommand create_key(std::span<const uint8_t> key, uint32_t pd);

// A transport interface send object (TIS) for TLS: what a packet names to be sealed, and where the
// engine keeps a context's state.
using TisCommand = std::array<uint8_t, 32 + 160>;
TisCommand create_tis(uint32_t transport_domain, uint32_t pd);

using Reply = std::array<uint8_t, 16>;
// The number of what a command of the last three made; 0 and false where the device refused.
bool read_reply(const Reply& reply, uint32_t* number);

// --- Descriptors --------------------------------------------------------------------------------

inline constexpr size_t kBlock = 64;    // A descriptor takes whole blocks of the queue,
inline constexpr size_t kSegment = 16;  // and counts its length in segments.

enum class Opcode : uint8_t { kNop = 0x00, kSend = 0x0a, kTso = 0x0e, kSetPsv = 0x20, kUmr = 0x25 };

// What every descriptor begins with.
struct Control {
  uint16_t index = 0;  // Of its first block in the queue, counted without end.
  Opcode opcode = Opcode::kNop;
  uint8_t modifier = 0;  // 1: of a TIS.
  uint32_t queue = 0;    // 24 bits.
  uint8_t segments = 0;
  bool fence = false;   // Begins after those before it have ended.
  bool report = false;  // Asks for a completion.
  uint32_t tis = 0;     // 24 bits; 0: sealed by nobody.
};
void write_control(const Control& control, uint8_t* out);
Control read_control(const uint8_t* in);

// How the records of a TIS are sealed, and the number of the next.
struct StaticParameters {
  uint64_t record_number = 0;
  std::array<uint8_t, crypto::kNonceSize> iv{};
  uint32_t key = 0;  // 24 bits: what create_key() made.
};
inline constexpr uint8_t kStaticSegments = 12;
inline constexpr size_t kStaticBlocks = 3;
// After write_control(): an inline UMR, whose key segment is empty.
void write_static_parameters(const StaticParameters& parameters, uint8_t* out);
// False where the descriptor at `in` is no such one.
bool read_static_parameters(const uint8_t* in, StaticParameters* out);

// Sets the engine of the TIS to the beginning of a record: the next packet's.
inline constexpr uint8_t kProgressSegments = 2;
inline constexpr size_t kProgressBlocks = 1;
void write_progress_parameters(uint32_t tis, uint8_t* out);
// False where the engine would not begin with the next packet.
bool read_progress_parameters(const uint8_t* in, uint32_t* tis);

// What stands between the control segment and the pointers to a frame's bytes: its headers, which
// the device repeats in every packet (kTso, with the record's bytes for each in `mss`).
struct Headers {
  std::span<const uint8_t> bytes;  // At least 2.
  uint16_t mss = 0;                // 0 with kSend.
  bool ip_checksum = false;        // IPv4's.
  bool l4_checksum = false;
};
// Segments that they take.
constexpr size_t header_segments(size_t bytes) { return (14 + bytes + kSegment - 1) / kSegment; }
void write_headers(const Headers& headers, uint8_t* out);
Headers read_headers(const uint8_t* in);

struct DataPointer {
  uint32_t length = 0;
  uint32_t memory_key = 0;
  uint64_t address = 0;
};
void write_pointer(const DataPointer& pointer, uint8_t* out);
DataPointer read_pointer(const uint8_t* in);

// --- Completions --------------------------------------------------------------------------------

inline constexpr size_t kCompletionBytes = 64;
enum class CompletionKind : uint8_t { kSent = 0, kFailed = 0xd, kNone = 0xf };
struct Completion {
  uint16_t index = 0;  // Of the descriptor that asked for it.
  CompletionKind kind = CompletionKind::kNone;
  bool owner = false;  // Turns over each time that the ring is passed.
};
void write_completion(const Completion& completion, uint8_t* out);
Completion read_completion(const uint8_t* in);

}  // namespace sluice::engine::connectx

#endif  // SLUICE_ENGINE_CONNECTX_FORMAT_H_
