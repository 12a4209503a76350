// SPDX-License-Identifier: Apache-2.0
//
// The Sender's share of ESP (PROTOCOL.md §18.4): a packet is laid out as any other, and then made
// the plaintext of one that is sealed as ESP.
#include <cstring>

#include "base/byte_order.h"
#include "base/check.h"
#include "crypto/inline_crypto.h"
#include "transport/sender.h"
#include "wire/esp.h"

namespace sluice::transport {

// PROTOCOL MUST-S2, MUST-S3, MUST-S4
[[gnu::noinline]] void Sender::make_esp(Lane& lane, TxPacket& slot) {
  crypto::AeadJob& job = jobs_[job_count_ - 1];
  uint8_t* const inside = slot.data;
  if (job.in != job.out) std::memcpy(job.out, job.in, job.length);
  const uint32_t length = job.aad_length + job.length;
  // The trailer's room was set aside, where the packet is one that may fill the slot.
  SLUICE_DCHECK(length + lane.tag_size <= slot.capacity);
  const uint8_t epoch = inside[wire::offsets::kEpoch];
  if (epoch != lane.esp_epoch) {
    lane.esp_epoch = epoch;
    lane.esp_sequence = 0;
  }
  wire::EspHeader header;
  header.spi = wire::esp_spi(lane.esp.remote_base, lane.number, epoch);
  header.sequence = ++lane.esp_sequence;
  // The nonce is the one that the record number gives: see make_nonce().
  header.iv = base::load_be64(job.key->iv + 4) ^ job.record_number;
  uint8_t* const packet = inside - wire::kEspHeaderSize;
  header.emit(packet);
  job.aad = packet;
  job.aad_length = static_cast<uint32_t>(wire::kEspAadSize);
  job.in = job.out = inside;
  job.length = length + wire::write_esp_trailer(inside, length, lane.esp.next_header);
  lane.send.note_esp();
  ctx_.stats.tx_bytes.add(job.length - length + wire::kEspHeaderSize);
  ctx_.stats.tx_esp.add();
  slot.data = packet;
  slot.length = static_cast<uint32_t>(wire::kEspHeaderSize) + job.length + lane.tag_size;
  slot.piece = kWholeEsp;
  slot.context = lane.send.inline_context();
  if (slot.context == crypto::kNoInlineContext) return;  // PROTOCOL MUST-S6
  std::memset(inside + job.length, 0, lane.tag_size);    // Where the port is to write it.
  ctx_.stats.tx_inline_esp.add();
  --job_count_;
}

}  // namespace sluice::transport
