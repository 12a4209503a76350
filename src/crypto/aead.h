// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_AEAD_H_
#define SLUICE_CRYPTO_AEAD_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/byte_order.h"

namespace sluice::crypto {

// Values are sent in handshakes: never renumber them.
enum class AeadAlgorithm : uint8_t {
  kNone = 0,  // Plaintext without a tag: an explicit choice for benchmarks and trusted links.
  kAes128Gcm = 1,
  kAes256Gcm = 2,
  kChaCha20Poly1305 = 3,
};

inline constexpr uint32_t kTagSize = 16;           // Bytes of the tag of every real algorithm.
inline constexpr uint32_t kNonceSize = 12;         // Bytes of the nonce and of the IV.
inline constexpr uint32_t kMaxKeySize = 32;        // Bytes of the longest raw key.
inline constexpr uint32_t kExpandedKeyMax = 1008;  // Bytes; each backend asserts that it fits.

// Bytes of raw key that expand_key() takes; 0 for kNone and for unknown values.
constexpr uint32_t key_size(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::kAes128Gcm:
      return 16;
    case AeadAlgorithm::kAes256Gcm:
    case AeadAlgorithm::kChaCha20Poly1305:
      return 32;
    case AeadAlgorithm::kNone:
      break;
  }
  return 0;
}

// Bytes that sealing adds after the plaintext: nothing under kNone, kTagSize otherwise.
constexpr uint32_t tag_size(AeadAlgorithm algorithm) {
  return algorithm == AeadAlgorithm::kNone ? 0 : kTagSize;
}

// A short lower-case name for reports, "unknown" for a value outside the enumeration.
const char* algorithm_name(AeadAlgorithm algorithm);

// An expanded key in a form private to the backend that wrote it. The object owns nothing outside
// itself, so it may be copied and moved bytewise; every copy must be wiped by its owner.
struct alignas(64) AeadKey {
  uint8_t expanded[kExpandedKeyMax];
  // In the line of the cache that holds the last of it: GCM's first powers of its hash key.
  uint8_t iv[kNonceSize] = {};
  AeadAlgorithm algorithm = AeadAlgorithm::kNone;

  // Overwrites the key with zeros in a way the compiler cannot remove.
  void wipe();
};

// One sealing or opening. The memory named here belongs to the caller and must stay valid and
// untouched until the job completes. `in` and `out` are either equal or do not overlap at all.
struct AeadJob {
  const AeadKey* key = nullptr;
  uint64_t record_number = 0;
  const uint8_t* aad = nullptr;
  uint32_t aad_length = 0;
  const uint8_t* in = nullptr;
  uint8_t* out = nullptr;
  uint32_t length = 0;  // Bytes of plaintext, without the tag.
  bool ok = false;      // Set on completion: sealed, or opened with a correct tag.
  uint32_t user = 0;    // Never read here: the caller's handle for asynchronous completion.
};

// The one interface to every way of sealing. The CPU backends hold no mutable state after
// construction: one instance serves all threads, and jobs complete inside submit_*().
class AeadBackend {
 public:
  virtual ~AeadBackend() = default;

  // Static strings: the configured name, and what was found at run time (instruction set...).
  virtual const char* name() const = 0;
  virtual const char* detail() const = 0;

  virtual bool supports(AeadAlgorithm algorithm) const = 0;

  // Expands a raw key of key_size(algorithm) bytes into `out`, which then works with this backend
  // only. False, leaving `out` wiped, when the algorithm or the key's length is not supported.
  // Allocates nothing, so that a key update may run on an lcore.
  virtual bool expand_key(AeadAlgorithm algorithm, std::span<const uint8_t> key,
                          std::span<const uint8_t, kNonceSize> iv, AeadKey* out) = 0;

  // Seals: reads `length` bytes at `in`, writes the ciphertext and then the tag
  // (tag_size(algorithm) bytes) at `out`.
  virtual void submit_seal(std::span<AeadJob> jobs) = 0;

  // Opens: reads `length` bytes and then the tag at `in`, writes `length` bytes at `out`. When the
  // tag is wrong `ok` is false and the `length` bytes at `out` are undefined.
  virtual void submit_open(std::span<AeadJob> jobs) = 0;

  // Collects jobs of asynchronous backends; returns how many entries of `completed` were set.
  virtual size_t poll(std::span<AeadJob*> completed) = 0;

  // True when jobs are complete on return from submit_*() and poll() always returns 0.
  virtual bool completes_at_once() const = 0;

  // How many queues of its device have been given up for keeping what they were handed: what would
  // go by them is done by the CPU since. Any thread.
  virtual uint64_t queues_given_up() const { return 0; }

  // Releases what the backend attached to the key, if anything, and wipes it.
  virtual void discard_key(AeadKey* key) = 0;
};

// Bytes of memory that make_nonce() writes: the nonce and zeros.
inline constexpr uint32_t kNonceRoom = 16;

// nonce = iv XOR (0^32 || record number, big-endian). All of it is one store: an AEAD loads all of
// it at once, and a load of what two stores have written waits until both have reached the cache
// (35 of the 138 cycles that a record of 64 bytes took).
inline void make_nonce(const AeadKey& key, uint64_t record_number, uint8_t nonce[kNonceRoom]) {
  using Vector __attribute__((vector_size(kNonceRoom))) = uint64_t;
  const uint64_t first = base::load_be64(key.iv) ^ (record_number >> 32);
  const uint64_t rest = base::load_be32(key.iv + 8) ^ static_cast<uint32_t>(record_number);
  const Vector all = {base::to_be64(first), base::to_be64(rest << 32)};
  std::memcpy(nonce, &all, sizeof(all));
}

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_AEAD_H_
