// SPDX-License-Identifier: Apache-2.0
//
// A port that seals at transmit, through DPDK's rte_security.
#ifndef SLUICE_ENGINE_SECURITY_PORT_H_
#define SLUICE_ENGINE_SECURITY_PORT_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "engine/inline_engine.h"

struct rte_mempool;

namespace sluice::engine {

// What a port is to seal.
enum class SealedForm : uint8_t {
  kTlsRecord,  // Records (PROTOCOL.md §18.3).
  kEsp,        // Packets of ESP (§18.4): IPsec's inline crypto, transport mode, egress.
};

// Lcores that open contexts wait for each other, since drivers take one of these calls at a time.
class SecurityPort final : public InlineEngine {
 public:
  // `instance`: what rte_security's functions take, of a device or of a model of one; it must
  // outlive this object. FailedPrecondition, saying what there is, where it does not seal `form`.
  // `contexts`: how many there may be at a time. `drain`: for so long a context that was closed
  // stays with the device, as frames that it is to seal may still lie in a transmit ring, and would
  // be sealed by no key. A model has none.
  static absl::StatusOr<std::unique_ptr<SecurityPort>> open(void* instance, SealedForm form,
                                                            uint32_t contexts, int socket,
                                                            std::chrono::milliseconds drain);
  ~SecurityPort() override;
  SecurityPort(const SecurityPort&) = delete;
  SecurityPort& operator=(const SecurityPort&) = delete;

  bool supports(crypto::AeadAlgorithm algorithm) const override;
  bool seals_esp() const override { return form_ == SealedForm::kEsp; }
  void* open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                     std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) override;
  void close_context(void* context) override;
  bool mark(void* context, rte_mbuf* frame, const uint64_t* resync) override;

 private:
  SecurityPort(void* instance, SealedForm form, std::chrono::milliseconds drain)
      : instance_(instance), form_(form), drain_(drain) {}
  void destroy(void* context);
  void destroy_drained();

  struct Closed {
    void* context;
    std::chrono::steady_clock::time_point at;
  };

  void* const instance_;
  const SealedForm form_;
  const std::chrono::milliseconds drain_;
  std::deque<Closed> closed_;  // Oldest first.
  rte_mempool* pool_ = nullptr;
  uint32_t key_sizes_ = 0;  // Of AES-GCM, a bit each.
  bool metadata_ = false;   // The device is to be told of each frame's context.
  std::mutex mutex_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SECURITY_PORT_H_
