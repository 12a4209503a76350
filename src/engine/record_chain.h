// SPDX-License-Identifier: Apache-2.0
//
// The pieces of a record that a port is to seal, joined to one frame.
#ifndef SLUICE_ENGINE_RECORD_CHAIN_H_
#define SLUICE_ENGINE_RECORD_CHAIN_H_

#include <cstdint>
#include <utility>

#include "engine/route.h"
#include "transport/packet.h"

struct rte_mbuf;

namespace sluice::engine {

// A record on its way to a port that seals: a chain of buffers with one set of headers before it,
// which the port repeats in every packet that it cuts. A record may come in two bursts. Native
// encapsulation only: its headers have TCP's shape, as segmenting NICs want them.
class RecordChain {
 public:
  RecordChain() = default;
  ~RecordChain() { give_up(); }
  RecordChain(const RecordChain&) = delete;
  RecordChain& operator=(const RecordChain&) = delete;

  // Takes a buffer with a piece over, in the order of poll_tx(). Returns the frame when the piece
  // was the record's last, else null.
  rte_mbuf* add(rte_mbuf* buffer, const transport::TxPacket& piece, const Route& route,
                uint16_t source_port);
  // A piece was dropped before it came here: what there is of its record, and what follows, is
  // freed, since a record with a gap must not reach the port.
  void give_up();
  // Records begun whose pieces did not all come, since the last call.
  uint64_t take_given_up() { return std::exchange(given_up_, 0); }

 private:
  void begin(rte_mbuf* buffer, const transport::TxPacket& piece, const Route& route,
             uint16_t source_port);

  rte_mbuf* head_ = nullptr;
  rte_mbuf* tail_ = nullptr;
  uint64_t given_up_ = 0;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_RECORD_CHAIN_H_
