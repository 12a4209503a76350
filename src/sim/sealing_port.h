// SPDX-License-Identifier: Apache-2.0
//
// A port of the fault machine that seals records, with what an engine keeps of it: few contexts,
// and a count for each.
#ifndef SLUICE_SIM_SEALING_PORT_H_
#define SLUICE_SIM_SEALING_PORT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/inline_crypto.h"
#include "transport/packet.h"

namespace sluice::sim {

// Sees to PROTOCOL.md §18.3 from the other side: what an endpoint leaves to it must be a whole
// record, under a context that is open.
class SealingPort final : public crypto::InlineCrypto {
 public:
  // `backend` seals for it, and outlives it.
  SealingPort(crypto::AeadBackend* backend, uint32_t contexts);
  ~SealingPort() override;

  uint32_t open(uint32_t route, crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) override;
  void close(uint32_t context) override;

  // Takes a piece that poll_tx() filled. True when it was the record's last: packets() are then
  // those of the record, sealed, until the next piece comes.
  bool take(const transport::TxPacket& piece);
  std::span<const std::vector<uint8_t>> packets() const { return packets_; }

  uint64_t records() const { return records_; }
  uint64_t resyncs() const { return resyncs_; }
  uint32_t contexts() const;  // That are open.
  // What an endpoint did wrong first, in words.
  const std::string& violation() const { return violation_; }

 private:
  struct Context {
    bool open = false;
    bool used = false;
    crypto::AeadKey key;
    uint32_t generation = 0;
    uint64_t number = 0;    // Of the next record,
    uint32_t sequence = 0;  // and of its first byte.
  };

  Context* find(uint32_t context);
  bool seal();
  bool accuse(const char* what) {
    if (violation_.empty()) violation_ = what;
    return false;
  }

  crypto::AeadBackend& backend_;
  std::vector<Context> contexts_;
  std::vector<std::vector<uint8_t>> packets_;
  uint32_t current_ = crypto::kNoInlineContext;
  bool whole_ = true;
  uint64_t records_ = 0;
  uint64_t resyncs_ = 0;
  std::string violation_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_SEALING_PORT_H_
