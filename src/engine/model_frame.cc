// SPDX-License-Identifier: Apache-2.0
#include "engine/model_frame.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/record_packet.h"

namespace sluice::engine {
namespace {

constexpr size_t kTcpChecksum = 16;  // In a TCP header.
constexpr size_t kTcpSequence = 4;

// Repeats the headers as a segmenting NIC does: lengths, checksums and the TCP sequence are each
// packet's own, and the IPv4 identification counts them.
void write_headers(const ModelFrame& frame, uint32_t place, uint16_t number, uint8_t* packet,
                   size_t size) {
  uint8_t* const ip = packet + frame.l2;
  uint8_t* const l4 = ip + frame.l3;
  const size_t l4_size = size - frame.l2 - frame.l3;
  base::store_be32(l4 + kTcpSequence, base::load_be32(l4 + kTcpSequence) + place);
  base::store_be16(l4 + kTcpChecksum, 0);
  if (frame.v4) {
    base::store_be16(ip + 2, static_cast<uint16_t>(frame.l3 + l4_size));
    base::store_be16(ip + 4, number);
    base::store_be16(ip + 10, 0);
    base::store_be16(ip + 10, wire::ipv4_header_checksum(ip, frame.l3));
    base::store_be16(l4 + kTcpChecksum, wire::l4_checksum(wire::IpAddress::from_v4_bytes(ip + 12),
                                                          wire::IpAddress::from_v4_bytes(ip + 16),
                                                          ip[9], l4, l4_size));
  } else {
    base::store_be16(ip + 4, static_cast<uint16_t>(l4_size));
    base::store_be16(l4 + kTcpChecksum, wire::l4_checksum(wire::IpAddress::from_v6_bytes(ip + 8),
                                                          wire::IpAddress::from_v6_bytes(ip + 24),
                                                          ip[6], l4, l4_size));
  }
}

}  // namespace

bool holds_a_record(const ModelFrame& frame) {
  if (frame.size < frame.headers + wire::kTlsHeaderSize) return false;
  const uint8_t* const record = frame.data + frame.headers;
  const size_t size = wire::kTlsHeaderSize + base::load_be16(record + 3);
  return record[0] == wire::kTlsApplicationData && size == frame.size - frame.headers &&
         size > wire::kTlsHeaderSize + crypto::kTagSize;
}

uint32_t sequence_of(const ModelFrame& frame) {
  return base::load_be32(frame.data + frame.l2 + frame.l3 + kTcpSequence);
}

bool seal_in_turn(const ModelFrame& frame, const crypto::AeadKey& key, ModelPosition* position,
                  crypto::AeadBackend* backend) {
  uint8_t* const record = frame.data + frame.headers;
  const auto size = static_cast<uint32_t>(frame.size - frame.headers);
  const uint32_t sequence = sequence_of(frame);
  const bool follows = position->synced && position->sequence == sequence;
  crypto::AeadJob job;
  job.key = &key;
  job.record_number = follows ? position->number : ~position->number;
  job.aad = record;
  job.aad_length = wire::kTlsHeaderSize;
  job.in = job.out = record + wire::kTlsHeaderSize;
  job.length = size - static_cast<uint32_t>(wire::kTlsHeaderSize) - crypto::kTagSize;
  backend->submit_seal({&job, 1});
  ++position->number;
  position->sequence = sequence + size;
  return follows;
}

bool cut_frame(const ModelFrame& frame, std::span<rte_mbuf*> out, size_t* count,
               rte_mempool* pool) {
  const size_t record = frame.size - frame.headers;
  const size_t segment = frame.segment != 0 ? frame.segment : record;
  uint16_t number = 0;
  for (size_t place = 0; place < record; place += segment) {
    const size_t part = std::min(segment, record - place);
    rte_mbuf* const packet = *count < out.size() ? rte_pktmbuf_alloc(pool) : nullptr;
    if (packet == nullptr) return false;
    uint8_t* const data = reinterpret_cast<uint8_t*>(
        rte_pktmbuf_append(packet, static_cast<uint16_t>(frame.headers + part)));
    if (data == nullptr) {
      rte_pktmbuf_free(packet);
      return false;
    }
    packet->port = frame.port;
    std::memcpy(data, frame.data, frame.headers);
    std::memcpy(data + frame.headers, frame.data + frame.headers + place, part);
    write_headers(frame, static_cast<uint32_t>(place), number++, data, frame.headers + part);
    out[(*count)++] = packet;
  }
  return true;
}

}  // namespace sluice::engine
