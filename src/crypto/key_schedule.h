// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_KEY_SCHEDULE_H_
#define SLUICE_CRYPTO_KEY_SCHEDULE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/aead.h"
#include "crypto/primitives.h"
#include "crypto/wipe.h"

namespace sluice::crypto {

// From the 32-byte session secret, which a handshake yields, to the key and IV of one epoch of one
// lane and direction. Expand(secret, label, context, length) is hkdf_expand_label() of
// crypto/hkdf.h, which puts "sluice " in front of every label; <> is an empty context.
//
//   direction secret = Expand(session secret,   "c2s" or "s2c", <>,        32)
//   lane secret      = Expand(direction secret, "lane",         u8 lane,   32)   the epoch 0 secret
//   epoch secret n+1 = Expand(epoch secret n,   "ku",           <>,        32)
//   key of epoch n   = Expand(epoch secret n,   "key",          <>,        key_size(algorithm))
//   IV of epoch n    = Expand(epoch secret n,   "iv",           <>,        12)
//
// PROTOCOL MUST-C1
// "c2s" seals what the initiator of the handshake sends, "s2c" what the responder sends. The nonce
// of a record is the IV XOR the record number, right-aligned and big-endian. Epoch numbers start at
// 0 and have 64 bits; packets carry the low 8. Counters (record numbers with bit 63 set) run on
// across epochs; message-space numbers may recur in a later epoch, under its other key.

inline constexpr size_t kSecretSize = 32;  // Bytes of every secret of the schedule.

// A secret that zeroes itself when it goes away. Copies are independent.
struct Secret {
  std::array<uint8_t, kSecretSize> bytes{};

  Secret() = default;
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { wipe(); }

  void wipe() { crypto::wipe(bytes.data(), bytes.size()); }
};

// The epoch 0 secrets of one lane as one side uses them.
struct LaneSecrets {
  Secret send;
  Secret receive;
};

enum class Direction : uint8_t {
  kInitiatorToResponder,  // "c2s"
  kResponderToInitiator,  // "s2c"
};

// `out` may be the same object as the input secret in the three functions below.
void derive_direction_secret(const Primitives& primitives, const Secret& session,
                             Direction direction, Secret* out);
void derive_lane_secret(const Primitives& primitives, const Secret& direction, uint8_t lane,
                        Secret* out);
void derive_next_epoch_secret(const Primitives& primitives, const Secret& epoch, Secret* out);

// Both directions of one lane, sorted for the side that calls: `initiator` is true on the side
// that began the handshake.
void derive_lane_secrets(const Primitives& primitives, const Secret& session, bool initiator,
                         uint8_t lane, LaneSecrets* out);

// The key and the IV of an epoch as they are, for who keeps them elsewhere than in a backend.
struct EpochKey {
  std::array<uint8_t, kMaxKeySize> key;  // Its first key_size(algorithm) bytes.
  std::array<uint8_t, kNonceSize> iv;

  ~EpochKey() {
    wipe(key.data(), key.size());
    wipe(iv.data(), iv.size());
  }
};
void derive_epoch_key(const Primitives& primitives, AeadAlgorithm algorithm, const Secret& epoch,
                      EpochKey* out);

// Expands key and IV of an epoch into `out`. False when the backend lacks the algorithm. Allocates
// nothing, so it may run on an lcore.
bool derive_epoch_key(const Primitives& primitives, AeadBackend* backend, AeadAlgorithm algorithm,
                      const Secret& epoch, AeadKey* out);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_KEY_SCHEDULE_H_
