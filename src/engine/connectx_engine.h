// SPDX-License-Identifier: Apache-2.0
//
// The TLS transmit engine of a ConnectX as a place for keys.
#ifndef SLUICE_ENGINE_CONNECTX_ENGINE_H_
#define SLUICE_ENGINE_CONNECTX_ENGINE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/connectx_format.h"
#include "engine/connectx_queue.h"
#include "engine/inline_engine.h"

namespace sluice::engine {

// Something that a command made in the device; gone with this object.
class DevxObject {
 public:
  virtual ~DevxObject() = default;
};

// A device that takes commands: rdma-core's (connectx_device.h), or a model of one. Any thread, one
// at a time.
class Devx {
 public:
  virtual ~Devx() = default;
  // The number of the protection domain that keys and TISs are made in.
  virtual uint32_t protection_domain() const = 0;
  // Null where the device refuses, and then `out` says why.
  virtual std::unique_ptr<DevxObject> create(std::span<const uint8_t> in,
                                             std::span<uint8_t> out) = 0;
  // A command that makes nothing; false where it could not be given.
  virtual bool run(std::span<const uint8_t> in, std::span<uint8_t> out) = 0;
};

// What the device says of itself; Unavailable where it does not answer.
absl::StatusOr<connectx::Capabilities> query_connectx(Devx* device);

// Keys as objects of the device, and TISs for the contexts. A TIS is made once and then kept for
// the next key, since only parameters bind it to one; a key object ends with its context. Both take
// a system call each, where a lane gets a key and never for a record.
class ConnectxEngine final : public InlineEngine {
 public:
  // FailedPrecondition, saying what is missing, where the device has no such engine. `device`
  // outlives this object; `contexts`: how many there may be at a time.
  static absl::StatusOr<std::unique_ptr<ConnectxEngine>> open(Devx* device, uint32_t contexts);

  bool supports(crypto::AeadAlgorithm algorithm) const override;
  bool seals_esp() const override { return false; }
  void* open_context(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                     std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) override;
  void close_context(void* context) override;
  bool mark(void* context, rte_mbuf* frame, const uint64_t* resync) override;

  // Posts a frame that mark() was called for; as ConnectxQueue::post().
  bool post(rte_mbuf* frame, ConnectxQueue* queue) const;

 private:
  struct Slot {
    ConnectxContext context;
    std::unique_ptr<DevxObject> tis;
    std::unique_ptr<DevxObject> key;  // Null: the slot is free.
  };

  ConnectxEngine(Devx* device, const connectx::Capabilities& capabilities, uint32_t contexts,
                 int mark_offset);
  bool make_tis(Slot* slot);
  bool make_key(std::span<const uint8_t> key, Slot* slot);

  Devx* const device_;
  const connectx::Capabilities capabilities_;
  const int mark_offset_;
  std::unique_ptr<DevxObject> transport_domain_;
  uint32_t transport_domain_number_ = 0;
  std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CONNECTX_ENGINE_H_
