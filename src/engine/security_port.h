// SPDX-License-Identifier: Apache-2.0
//
// A port that seals at transmit, through DPDK's rte_security.
#ifndef SLUICE_ENGINE_SECURITY_PORT_H_
#define SLUICE_ENGINE_SECURITY_PORT_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/aead.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::engine {

// TLS 1.3 records sealed by a device (inline crypto): contexts for keys, and what a frame has to
// say of the record in it. A context belongs to one transmit queue: the device counts records for
// each queue apart.
class SecurityPort {
 public:
  // `instance`: what rte_security's functions take, of a device or of a model of one; it must
  // outlive this object. FailedPrecondition, saying what there is, without TLS records.
  // `contexts`: how many there may be at a time.
  static absl::StatusOr<std::unique_ptr<SecurityPort>> open(void* instance, uint32_t contexts,
                                                            int socket);
  ~SecurityPort();
  SecurityPort(const SecurityPort&) = delete;
  SecurityPort& operator=(const SecurityPort&) = delete;

  bool supports(crypto::AeadAlgorithm algorithm) const;

  // A context for the key; null when the device, or this object, has none left. Any lcore, where
  // keys change: lcores wait for each other, since drivers take one of these calls at a time.
  void* open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                     std::span<const uint8_t, crypto::kNonceSize> iv);
  void close_context(void* context);

  // The frame, a whole record behind its headers, is to be sealed and cut at transmit. With
  // `resync` the record has that number; without, the one after the context's last on this queue.
  // False when the device does not take it: the frame must not be sent then.
  bool mark(void* context, rte_mbuf* frame, const uint64_t* resync);

 private:
  explicit SecurityPort(void* instance) : instance_(instance) {}

  void* const instance_;
  rte_mempool* pool_ = nullptr;
  uint32_t key_sizes_ = 0;  // Of AES-GCM, a bit each.
  std::mutex mutex_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SECURITY_PORT_H_
