// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_format.h"

#include <algorithm>
#include <cstring>

#include "base/byte_order.h"
#include "base/check.h"

namespace sluice::engine::connectx {
namespace {

constexpr uint32_t kNumberMask = 0xffffff;  // Of everything that the device numbers.

// Where fields lie, in bytes from the beginning of what they are in.
constexpr size_t kReplyNumber = 8;       // Of a command's reply.
constexpr size_t kCommandParameter = 6;  // Of a command: op_mod, or obj_type.
constexpr size_t kObject = 16;           // Of CREATE_GENERAL_OBJECT: the object.
constexpr size_t kKeySize = 10;          // Of a key object; low half of the byte,
constexpr size_t kKeyPurpose = 11;       // likewise,
constexpr size_t kKeyDomain = 12;
constexpr size_t kKeyBytes = 64;
constexpr uint8_t kPurposeTls = 1;
constexpr size_t kTisContext = 32;  // Of CREATE_TIS: the context.
constexpr size_t kTisTransportDomain = 36;
constexpr size_t kTisDomain = 44;
constexpr uint8_t kTisTls = 0x40;  // In its first byte.

// A bit of a page of capabilities, counted from the highest of its first byte.
bool bit_of(const uint8_t* page, size_t bit) { return (page[bit / 8] >> (7 - bit % 8) & 1) != 0; }

constexpr size_t kPage = 16;  // Of the reply to QUERY_HCA_CAP.
constexpr size_t kTlsTransmitBit = 0x481;
constexpr size_t kObjectTypes = 0x400 / 8;
constexpr size_t kLogMaxKeys = 0x5b0 / 8;  // The field's five bits begin at 0x5b3.
constexpr size_t kTls13Aes128Bit = 1;
constexpr size_t kTls13Aes256Bit = 3;

// Of a control segment.
constexpr size_t kFlags = 11;
constexpr uint8_t kFlagFence = 0x20;   // FENCE_MODE_INITIATOR_SMALL, as Linux uses it here.
constexpr uint8_t kFlagReport = 0x08;  // CQ_UPDATE

// Of the descriptor with static parameters, from its beginning.
constexpr size_t kUmrFlags = 16;
constexpr uint8_t kUmrInline = 0x80;
constexpr size_t kUmrOctowords = 22;  // BSF octowords: what follows the key segment.
constexpr size_t kParameters = 128;
// Of the parameters.
constexpr uint8_t kTls13 = 2u << 6 | 3u << 2 | 1u;  // Constant 2; version; constant 1.
constexpr uint8_t kStandardTls = 1;
constexpr size_t kRecordNumber = 8;
constexpr size_t kGcmIv = 20;
constexpr size_t kImplicitIv = 24;
constexpr size_t kKeyIndex = 32;

// Of an Ethernet segment.
constexpr size_t kChecksumFlags = 4;
constexpr uint8_t kIpChecksum = 0x40;
constexpr uint8_t kL4Checksum = 0x80;
constexpr size_t kMss = 6;
constexpr size_t kHeaderSize = 12;
constexpr size_t kHeaderBytes = 14;

constexpr size_t kCompletionIndex = 60;
constexpr size_t kCompletionOwner = 63;

}  // namespace

QueryCommand query_capabilities(CapabilityPage page) {
  QueryCommand out{};
  base::store_be16(out.data(), kQueryHcaCap);
  // The lowest bit asks for what is set, and not for what could be.
  base::store_be16(out.data() + kCommandParameter,
                   static_cast<uint16_t>(static_cast<uint16_t>(page) << 1 | 1));
  return out;
}

Capabilities read_capabilities(std::span<const uint8_t, kQueryReplyBytes> general,
                               std::span<const uint8_t, kQueryReplyBytes> tls) {
  Capabilities out;
  const bool answered = general[0] == 0 && tls[0] == 0;
  if (!answered) return out;
  const uint8_t* const page = general.data() + kPage;
  out.tls_transmit = bit_of(page, kTlsTransmitBit);
  out.keys = (base::load_be64(page + kObjectTypes) >> kEncryptionKeyObject & 1) != 0;
  out.log_max_keys = page[kLogMaxKeys] & 0x1f;
  out.tls13_aes_128 = bit_of(tls.data() + kPage, kTls13Aes128Bit);
  out.tls13_aes_256 = bit_of(tls.data() + kPage, kTls13Aes256Bit);
  return out;
}

TransportDomainCommand alloc_transport_domain() {
  TransportDomainCommand out{};
  base::store_be16(out.data(), kAllocTransportDomain);
  return out;
}

KeyCommand create_key(std::span<const uint8_t> key, uint32_t pd) {
  SLUICE_CHECK(key.size() == 16 || key.size() == 32);
  KeyCommand out{};
  base::store_be16(out.data(), kCreateGeneralObject);
  base::store_be16(out.data() + kCommandParameter, kEncryptionKeyObject);
  uint8_t* const object = out.data() + kObject;
  const bool small = key.size() == 16;
  object[kKeySize] = small ? 0 : 1;
  object[kKeyPurpose] = kPurposeTls;
  base::store_be32(object + kKeyDomain, pd & kNumberMask);
  // Shorter keys stand where the longest has its end.
  std::memcpy(object + kKeyBytes + (small ? 16 : 0), key.data(), key.size());
  return out;
}

TisCommand create_tis(uint32_t transport_domain, uint32_t pd) {
  TisCommand out{};
  base::store_be16(out.data(), kCreateTis);
  uint8_t* const context = out.data() + kTisContext;
  context[0] = kTisTls;
  base::store_be32(context + kTisTransportDomain, transport_domain & kNumberMask);
  base::store_be32(context + kTisDomain, pd & kNumberMask);
  return out;
}

bool read_reply(const Reply& reply, uint32_t* number) {
  const bool done = reply[0] == 0;
  *number = done ? base::load_be32(reply.data() + kReplyNumber) & kNumberMask : 0;
  return done;
}

void write_control(const Control& control, uint8_t* out) {
  base::store_be32(out, static_cast<uint32_t>(control.modifier) << 24 |
                            static_cast<uint32_t>(control.index) << 8 |
                            static_cast<uint32_t>(control.opcode));
  base::store_be32(out + 4, control.queue << 8 | control.segments);
  base::store_be32(out + 8, 0);
  out[kFlags] =
      static_cast<uint8_t>((control.fence ? kFlagFence : 0) | (control.report ? kFlagReport : 0));
  base::store_be32(out + 12, control.tis << 8);
}

Control read_control(const uint8_t* in) {
  Control out;
  const uint32_t first = base::load_be32(in);
  out.modifier = static_cast<uint8_t>(first >> 24);
  out.index = static_cast<uint16_t>(first >> 8);
  out.opcode = static_cast<Opcode>(first & 0xff);
  const uint32_t second = base::load_be32(in + 4);
  out.queue = second >> 8;
  out.segments = static_cast<uint8_t>(second & 0x3f);
  out.fence = (in[kFlags] & kFlagFence) != 0;
  out.report = (in[kFlags] & kFlagReport) != 0;
  out.tis = base::load_be32(in + 12) >> 8;
  return out;
}

void write_static_parameters(const StaticParameters& parameters, uint8_t* out) {
  std::memset(out + kSegment, 0, kStaticBlocks * kBlock - kSegment);
  out[kUmrFlags] = kUmrInline;
  base::store_be16(out + kUmrOctowords, kBlock / kSegment);
  uint8_t* const context = out + kParameters;
  context[0] = kTls13;
  context[3] = kStandardTls;
  base::store_be64(context + kRecordNumber, parameters.record_number);
  // The 12 bytes of TLS 1.3's IV, over two fields that TLS 1.2 has by other names.
  std::memcpy(context + kGcmIv, parameters.iv.data(), 4);
  std::memcpy(context + kImplicitIv, parameters.iv.data() + 4, 8);
  base::store_be32(context + kKeyIndex, parameters.key & kNumberMask);
}

bool read_static_parameters(const uint8_t* in, StaticParameters* out) {
  const uint8_t* const context = in + kParameters;
  if (in[kUmrFlags] != kUmrInline || base::load_be16(in + kUmrOctowords) != kBlock / kSegment ||
      context[0] != kTls13 || context[3] != kStandardTls) {
    return false;
  }
  out->record_number = base::load_be64(context + kRecordNumber);
  std::memcpy(out->iv.data(), context + kGcmIv, 4);
  std::memcpy(out->iv.data() + 4, context + kImplicitIv, 8);
  out->key = base::load_be32(context + kKeyIndex) & kNumberMask;
  return true;
}

// The rest is zero: the sequence number is the next packet's own (as Linux has it at transmit), the
// tracker's state is START, and nothing is offloaded of what only a receiver authenticates.
void write_progress_parameters(uint32_t tis, uint8_t* out) {
  std::memset(out + kSegment, 0, kProgressBlocks * kBlock - kSegment);
  base::store_be32(out + kSegment, tis & kNumberMask);
}

bool read_progress_parameters(const uint8_t* in, uint32_t* tis) {
  *tis = base::load_be32(in + kSegment);
  const uint8_t* const context = in + kSegment + 4;
  return std::all_of(context, context + 12, [](uint8_t byte) { return byte == 0; });
}

void write_headers(const Headers& headers, uint8_t* out) {
  SLUICE_CHECK(headers.bytes.size() >= 2);
  std::memset(out, 0, header_segments(headers.bytes.size()) * kSegment);
  out[kChecksumFlags] = static_cast<uint8_t>((headers.ip_checksum ? kIpChecksum : 0) |
                                             (headers.l4_checksum ? kL4Checksum : 0));
  base::store_be16(out + kMss, headers.mss);
  base::store_be16(out + kHeaderSize, static_cast<uint16_t>(headers.bytes.size()));
  std::memcpy(out + kHeaderBytes, headers.bytes.data(), headers.bytes.size());
}

Headers read_headers(const uint8_t* in) {
  Headers out;
  out.bytes = {in + kHeaderBytes, base::load_be16(in + kHeaderSize)};
  out.mss = base::load_be16(in + kMss);
  out.ip_checksum = (in[kChecksumFlags] & kIpChecksum) != 0;
  out.l4_checksum = (in[kChecksumFlags] & kL4Checksum) != 0;
  return out;
}

void write_pointer(const DataPointer& pointer, uint8_t* out) {
  base::store_be32(out, pointer.length);
  base::store_be32(out + 4, pointer.memory_key);
  base::store_be64(out + 8, pointer.address);
}

DataPointer read_pointer(const uint8_t* in) {
  return {.length = base::load_be32(in),
          .memory_key = base::load_be32(in + 4),
          .address = base::load_be64(in + 8)};
}

void write_completion(const Completion& completion, uint8_t* out) {
  base::store_be16(out + kCompletionIndex, completion.index);
  out[kCompletionOwner] = static_cast<uint8_t>(static_cast<unsigned>(completion.kind) << 4 |
                                               (completion.owner ? 1u : 0u));
}

Completion read_completion(const uint8_t* in) {
  return {.index = base::load_be16(in + kCompletionIndex),
          .kind = static_cast<CompletionKind>(in[kCompletionOwner] >> 4),
          .owner = (in[kCompletionOwner] & 1) != 0};
}

}  // namespace sluice::engine::connectx
