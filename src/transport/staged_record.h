// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_STAGED_RECORD_H_
#define SLUICE_TRANSPORT_STAGED_RECORD_H_

#include <cstdint>
#include <span>

#include "base/aligned_array.h"
#include "crypto/aead.h"
#include "crypto/inline_crypto.h"
#include "transport/commands.h"
#include "transport/packet.h"
#include "wire/record_packet.h"

namespace sluice::transport {

// A record of record mode on its way out: sealed in one piece and then cut into packets, as a NIC
// with TLS and segmentation engines does both. Its packets go out one after the other; what does
// not fit into a burst waits for the next. Where a port has such engines its pieces are left in
// plaintext, for the caller to join.
class StagedRecord {
 public:
  // Without `enabled` it takes no memory, and begin() is not to be called.
  explicit StagedRecord(bool enabled) : bytes_(enabled ? wire::kMaxRecordSize : 0) {}

  // The most message bytes a record has that is cut into packets of `packet_bytes` at most, header
  // included: as many as fill its packets, where they are several.
  static uint32_t most_content(uint32_t packet_bytes);

  // Lays out a record of these bytes, at most kMaxRecordContent. `way` has the route, the entropy
  // and the priority of its packets. Nothing may be pending. Then either seal() or leave_to_port()
  // is called, before the first cut().
  void begin(const wire::RecordHeader& header, std::span<const uint8_t> content, LaneRef lane,
             const TxPacket& way);
  // The same for bytes that the caller then writes to where this returns.
  std::span<uint8_t> begin(const wire::RecordHeader& header, LaneRef lane, const TxPacket& way);
  // Seals it with `key`, at once.
  void seal(crypto::AeadBackend* backend, const crypto::AeadKey* key);
  // Leaves that to the port's context of the same key.
  void leave_to_port(uint32_t context) { context_ = context; }
  // Bytes that the sealing covers, plaintext and associated data together.
  uint32_t sealed_bytes() const { return size_ - static_cast<uint32_t>(wire::kTagBytes); }

  bool pending() const { return place_ < size_; }
  LaneRef lane() const { return lane_; }

  // Fills the slot with the next packet, of at most `packet_bytes`.
  void cut(TxPacket* slot, uint32_t packet_bytes);
  // What is left will not be sent.
  void drop() { place_ = size_ = 0; }

 private:
  base::AlignedArray<uint8_t> bytes_;
  uint32_t size_ = 0;   // Of the record,
  uint32_t place_ = 0;  // of which so many bytes are cut off.
  uint64_t number_ = 0;
  uint32_t context_ = crypto::kNoInlineContext;
  LaneRef lane_;
  TxPacket way_;
  uint8_t header_[wire::kRecordHeaderSize] = {};  // Of its first packet.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_STAGED_RECORD_H_
