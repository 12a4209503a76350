// SPDX-License-Identifier: Apache-2.0
#include "sim/sealing_port.h"

#include <algorithm>

#include "base/byte_order.h"
#include "wire/record_packet.h"

namespace sluice::sim {
namespace {

constexpr unsigned kIndexBits = 8;  // Of a context's name; the rest tells who had it before.

}  // namespace

SealingPort::SealingPort(crypto::AeadBackend* backend, uint32_t contexts)
    : backend_(*backend), contexts_(std::min(contexts, (1u << kIndexBits) - 1)) {}

SealingPort::~SealingPort() {
  for (Context& each : contexts_) {
    if (each.open) backend_.discard_key(&each.key);
  }
}

uint32_t SealingPort::open(uint32_t /*route*/, crypto::AeadAlgorithm algorithm,
                           std::span<const uint8_t> key,
                           std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) {
  if (spi != 0) return crypto::kNoInlineContext;  // It seals records alone.
  const auto free = std::find_if(contexts_.begin(), contexts_.end(),
                                 [](const Context& each) { return !each.open; });
  if (free == contexts_.end() || !backend_.expand_key(algorithm, key, iv, &free->key)) {
    return crypto::kNoInlineContext;
  }
  free->open = true;
  free->used = false;
  ++free->generation;
  return free->generation << kIndexBits | static_cast<uint32_t>(free - contexts_.begin());
}

SealingPort::Context* SealingPort::find(uint32_t context) {
  const uint32_t index = context & ((1u << kIndexBits) - 1);
  if (index >= contexts_.size()) return nullptr;
  Context& found = contexts_[index];
  return found.open && found.generation == context >> kIndexBits ? &found : nullptr;
}

void SealingPort::close(uint32_t context) {
  Context* const found = find(context);
  if (found == nullptr) {
    accuse("a context was closed that was not open");
    return;
  }
  backend_.discard_key(&found->key);
  found->open = false;
}

uint32_t SealingPort::contexts() const {
  return static_cast<uint32_t>(std::count_if(contexts_.begin(), contexts_.end(),
                                             [](const Context& each) { return each.open; }));
}

bool SealingPort::take(const transport::TxPacket& piece) {
  if ((piece.piece & transport::kPieceFirst) != 0) {
    packets_.clear();
    current_ = piece.context;
  } else if (whole_ || piece.context != current_) {
    return accuse("a piece without the beginning of its record");
  }
  packets_.emplace_back(piece.data, piece.data + piece.length);
  whole_ = (piece.piece & transport::kPieceLast) != 0;
  return whole_ && seal();
}

bool SealingPort::seal() {
  Context* const context = find(current_);
  if (context == nullptr) return accuse("a record was left to a context that is not open");
  std::vector<uint8_t> record;
  for (const auto& packet : packets_) {
    record.insert(record.end(), packet.begin() + wire::kRecordHeaderSize, packet.end());
  }
  const uint8_t* const header = packets_.front().data();
  if (record.size() != base::load_be16(header + wire::offsets::kRecordLength)) {
    return accuse("the pieces of a record do not make all of it");
  }
  const uint64_t number = base::load_be64(header + wire::offsets::kRecordNumber);
  const uint32_t sequence = base::load_be32(header + wire::offsets::kSequence);
  // PROTOCOL MUST-R10
  const bool next = context->used && context->number == number && context->sequence == sequence;
  resyncs_ += next ? 0 : 1;
  ++records_;
  context->used = true;
  context->number = number + 1;
  context->sequence = sequence + static_cast<uint32_t>(record.size());
  crypto::AeadJob job;
  job.key = &context->key;
  job.record_number = number;
  job.aad = record.data();
  job.aad_length = static_cast<uint32_t>(wire::kTlsHeaderSize);
  job.in = job.out = record.data() + wire::kTlsHeaderSize;
  job.length = static_cast<uint32_t>(record.size() - wire::kTlsHeaderSize - wire::kTagBytes);
  backend_.submit_seal({&job, 1});
  size_t at = 0;
  for (auto& packet : packets_) {
    const size_t part = packet.size() - wire::kRecordHeaderSize;
    std::copy_n(record.begin() + static_cast<ptrdiff_t>(at), part,
                packet.begin() + wire::kRecordHeaderSize);
    at += part;
  }
  return true;
}

}  // namespace sluice::sim
