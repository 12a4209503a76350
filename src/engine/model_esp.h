// SPDX-License-Identifier: Apache-2.0
//
// A model of a NIC that seals packets of ESP at transmit (inline crypto of IPsec).
#ifndef SLUICE_ENGINE_MODEL_ESP_H_
#define SLUICE_ENGINE_MODEL_ESP_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/model_nic.h"

namespace sluice::engine {

// Offers an rte_security instance with operations of its own, as a driver does. By its own reading
// of RFC 4303 and RFC 4106, and with nothing of Sluice's but an AES-GCM: it finds ESP behind IP,
// takes salt and key from the context and the IV from the packet, and writes what is sealed and the
// tag. What is no ESP, or of another SPI than the context's, it drops, as nobody promises what
// hardware would do. It opens nothing on receipt.
absl::StatusOr<std::unique_ptr<ModelNic>> make_model_esp(const ModelNic::Setup& setup);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_MODEL_ESP_H_
