// SPDX-License-Identifier: Apache-2.0
#include "engine/record_chain.h"

#include <rte_mbuf.h>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/record_packet.h"

namespace sluice::engine {

rte_mbuf* RecordChain::add(rte_mbuf* buffer, const transport::TxPacket& piece, const Route& route,
                           uint16_t source_port) {
  if ((piece.piece & transport::kPieceFirst) != 0) {
    give_up();
    begin(buffer, piece, route, source_port);
  } else if (head_ == nullptr) {
    rte_pktmbuf_free(buffer);  // The record's beginning was dropped, and counted.
    return nullptr;
  } else {
    const auto part = static_cast<uint16_t>(piece.length - wire::kRecordHeaderSize);
    buffer->data_off = static_cast<uint16_t>(buffer->data_off + wire::kRecordHeaderSize);
    buffer->data_len = part;
    tail_->next = buffer;
    tail_ = buffer;
    head_->pkt_len += part;
    head_->nb_segs = static_cast<uint16_t>(head_->nb_segs + 1);
  }
  if ((piece.piece & transport::kPieceLast) == 0) return nullptr;
  return std::exchange(head_, nullptr);
}

void RecordChain::begin(rte_mbuf* buffer, const transport::TxPacket& piece, const Route& route,
                        uint16_t source_port) {
  const size_t length =
      wire::kRecordHeaderSize + base::load_be16(piece.data + wire::offsets::kRecordLength);
  const size_t headers = route.frame.prepend(piece.data, length, source_port, piece.priority, true);
  // A NIC that segments adds the length of each packet's own, so none is in the sum yet.
  uint8_t* const checksum = piece.data + wire::offsets::kChecksum;
  const auto l4_length = static_cast<uint16_t>(route.frame.l4_size() + length);
  base::store_be16(
      checksum, wire::checksum_fold(base::load_be16(checksum) + static_cast<uint16_t>(~l4_length)));
  buffer->data_off = static_cast<uint16_t>(buffer->data_off - headers);
  buffer->data_len = static_cast<uint16_t>(headers + piece.length);
  buffer->pkt_len = buffer->data_len;
  buffer->port = route.port;
  buffer->l2_len = route.frame.l2_size() & 0x7f;
  buffer->l3_len = route.frame.l3_size() & 0x1ff;
  buffer->l4_len = wire::kPortBytes + wire::kRecordHeaderSize;
  buffer->ol_flags |=
      route.frame.v4() ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6;
  if ((piece.piece & transport::kPieceLast) == 0) {
    buffer->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    buffer->tso_segsz = static_cast<uint16_t>(piece.length - wire::kRecordHeaderSize);
  }
  head_ = tail_ = buffer;
}

void RecordChain::give_up() {
  if (head_ == nullptr) return;
  rte_pktmbuf_free(head_);
  head_ = nullptr;
  ++given_up_;
}

}  // namespace sluice::engine
