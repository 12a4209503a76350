// SPDX-License-Identifier: Apache-2.0
//
// Which lcore of a node a packet of ESP is for.
#ifndef SLUICE_ENGINE_SPI_LCORES_H_
#define SLUICE_ENGINE_SPI_LCORES_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/types.h"
#include "transport/session_ids.h"
#include "wire/esp.h"

namespace sluice::engine {

// No port stands in such a packet, so that its SPI has to lead to the lcore: by the lane, and by
// what lanes there are in the session. Written by the control thread, read by lcores.
class SpiLcores {
 public:
  // A node of so many lcores, with up to so many sessions at a time.
  SpiLcores(uint8_t lcores, uint32_t max_sessions) : lcores_(lcores), peers_(max_sessions) {}

  // Before the lanes of a session are installed: `peer_lcores` of the acceptor where this side has
  // begun it, else 0.
  void set(base::SessionId session, uint8_t peer_lcores) {
    const uint32_t slot =
        transport::SessionIds::slot_of_spi(transport::SessionIds::esp_base(session));
    if (slot < peers_.size()) peers_[slot].store(peer_lcores, std::memory_order_release);
  }
  // `nobody` where the SPI cannot be any session's, or no lcore has its lane.
  uint32_t lcore_of(uint32_t spi, uint32_t nobody) const {
    const uint32_t slot = transport::SessionIds::slot_of_spi(spi);
    if (slot >= peers_.size()) return nobody;
    const uint32_t acceptors = peers_[slot].load(std::memory_order_acquire);
    const uint32_t lane = wire::esp_lane(spi);
    const uint32_t lcore = acceptors == 0 ? lane % lcores_ : lane / acceptors;
    return lcore < lcores_ ? lcore : nobody;
  }

 private:
  const uint8_t lcores_;
  std::vector<std::atomic<uint8_t>> peers_;  // By the session's slot.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_SPI_LCORES_H_
