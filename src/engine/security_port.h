// SPDX-License-Identifier: Apache-2.0
//
// A port that seals at transmit, through DPDK's rte_security.
#ifndef SLUICE_ENGINE_SECURITY_PORT_H_
#define SLUICE_ENGINE_SECURITY_PORT_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "engine/inline_engine.h"

struct rte_mempool;

namespace sluice::engine {

// Lcores that open contexts wait for each other, since drivers take one of these calls at a time.
class SecurityPort final : public InlineEngine {
 public:
  // `instance`: what rte_security's functions take, of a device or of a model of one; it must
  // outlive this object. FailedPrecondition, saying what there is, without TLS records.
  // `contexts`: how many there may be at a time.
  static absl::StatusOr<std::unique_ptr<SecurityPort>> open(void* instance, uint32_t contexts,
                                                            int socket);
  ~SecurityPort() override;
  SecurityPort(const SecurityPort&) = delete;
  SecurityPort& operator=(const SecurityPort&) = delete;

  bool supports(crypto::AeadAlgorithm algorithm) const override;
  void* open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                     std::span<const uint8_t, crypto::kNonceSize> iv) override;
  void close_context(void* context) override;
  bool mark(void* context, rte_mbuf* frame, const uint64_t* resync) override;

 private:
  explicit SecurityPort(void* instance) : instance_(instance) {}

  void* const instance_;
  rte_mempool* pool_ = nullptr;
  uint32_t key_sizes_ = 0;  // Of AES-GCM, a bit each.
  std::mutex mutex_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SECURITY_PORT_H_
