// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_SEND_KEYS_H_
#define SLUICE_CRYPTO_SEND_KEYS_H_

#include <array>
#include <cstdint>
#include <optional>

#include "base/types.h"
#include "crypto/aead.h"
#include "crypto/inline_crypto.h"
#include "crypto/key_schedule.h"
#include "crypto/limits.h"
#include "crypto/number_recorder.h"
#include "crypto/primitives.h"
#include "crypto/record_number.h"

namespace sluice::crypto {

// The sending keys of one lane: the current epoch's key, the record numbers spent under it, and the
// way to the next epoch. A sender enters epoch n+1 only after the peer has shown that it received
// epoch n, so the receiver never needs more than the previous, the current and the next key.
// Owned by one lcore; allocates nothing; wipes what it holds.
class SendKeys {
 public:
  SendKeys() = default;
  ~SendKeys() { clear(); }
  SendKeys(const SendKeys&) = delete;
  SendKeys& operator=(const SendKeys&) = delete;

  // Starts at epoch 0 with a lane secret. `primitives`, `backend` and the ports of `place` must
  // outlive this object. False when the backend lacks the algorithm; the object is then empty. With
  // `place` the keys are given to a port as well, each for as long as it is kept here.
  bool install(const Primitives* primitives, AeadBackend* backend, AeadAlgorithm algorithm,
               const Secret& lane_secret, const wire::RecordNumberSplit& split = {},
               const InlinePlace& place = {});

  // Wipes everything. Jobs in flight must have completed.
  void clear();

  // The key to seal with; stays valid through the next epoch for jobs still in flight.
  const AeadKey* key() const { return &keys_[active_]; }
  // The port's context of that key, valid likewise; kNoInlineContext where only the CPU has it.
  uint32_t inline_context() const { return contexts_[active_]; }
  base::Epoch epoch() const { return base::Epoch(epoch_); }
  uint8_t epoch_low() const { return static_cast<uint8_t>(epoch_); }

  // A record number of the counter space (bit 63 set), never given out before on this lane
  // (PROTOCOL MUST-C2).
  uint64_t next_counter() { return wire::counter_number(next_counter_++); }

  // The record number for one record of a message. `cursor` belongs to the message; `index` names
  // the record. nullopt when the attempts of the message or the ids of the epoch have run out, or
  // the index exceeds its field: should_update() is then true and the caller tries again after
  // advance() (an index too large never fits).
  std::optional<uint64_t> message_number(bool initiator, uint64_t id, uint32_t index,
                                         AttemptCursor* cursor);

  // The same, under the lowest index that the message has not used in this epoch and so always at
  // the first attempt: records that follow each other have numbers that do, as a NIC counts them.
  // `*index`: the one taken.
  std::optional<uint64_t> next_message_number(bool initiator, uint64_t id, AttemptCursor* cursor,
                                              uint32_t* index);

  // To be called once for every record sealed under key(): its number, and its bytes of plaintext
  // and associated data together.
  void note_sealed(uint64_t record_number, uint32_t bytes);

  // Charges the key for a record sealed as ESP beyond what note_sealed() took: its trailer, and so
  // much that its packets never outnumber ESP's sequence numbers (PROTOCOL MUST-S2).
  void note_esp() { sealed_blocks_ += kEspExtraBlocks; }

  // False when the key has sealed all it may: nothing must be sealed until advance() succeeds.
  bool may_seal() const { return sealed_blocks_ < kMaxSealedBlocks; }  // PROTOCOL MUST-C7

  // True when the next epoch should be entered as soon as can_advance() allows.
  bool should_update() const { return update_requested_ || sealed_blocks_ >= kUpdateSealedBlocks; }
  // Asks for an update out of turn: because the peer has entered a later epoch than this side's
  // own (a side follows its peer), or ReceiveKeys::wants_update() is true.
  void request_update() { update_requested_ = true; }

  // True when the peer has received something of the current epoch.
  bool can_advance() const { return peer_has_epoch_; }
  // Enters the next epoch; false, changing nothing, unless can_advance().
  bool advance();

  // The peer's report, verified, of the highest epoch it received from here (low 8 bits).
  void on_peer_epoch(uint8_t epoch_low);

 private:
  bool derive_into(uint32_t slot, uint64_t epoch, const Secret& epoch_secret);
  void give_to_port(uint32_t slot, uint64_t epoch, const Secret& epoch_secret);
  void take_from_port(uint32_t slot);

  // What every packet needs comes first, in two lines of the cache.
  uint64_t epoch_ = 0;
  uint64_t next_counter_ = 0;
  uint64_t sealed_blocks_ = 0;
  AeadAlgorithm algorithm_ = AeadAlgorithm::kNone;
  uint8_t active_ = 0;
  bool peer_has_epoch_ = false;
  bool update_requested_ = false;
  wire::RecordNumberSplit split_;
  std::array<uint32_t, 2> contexts_ = {kNoInlineContext, kNoInlineContext};
  std::array<IdWindow, 2> id_windows_;  // Indexed by the initiator bit.
  const Primitives* primitives_ = nullptr;
  AeadBackend* backend_ = nullptr;
  InlinePlace place_;
  Secret next_secret_;  // Of epoch_ + 1; the current one is already gone.
  std::array<AeadKey, 2> keys_;
#ifdef SLUICE_DEBUG_NUMBERS
  NumberRecorder recorder_;
#endif
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_SEND_KEYS_H_
