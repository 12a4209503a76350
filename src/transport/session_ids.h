// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_SESSION_IDS_H_
#define SLUICE_TRANSPORT_SESSION_IDS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/types.h"
#include "crypto/handshake.h"
#include "transport/peer_address.h"
#include "wire/esp.h"

namespace sluice::transport {

// The session ids of one endpoint: the low 16 bits are a slot, so that a receiver finds its
// session without hashing; the high 16 bits are random, so that a packet for an earlier session in
// that slot is known as such. Never 0, nor is its esp_base(). A freed slot is the last to be used
// again.
class SessionIds {
 public:
  static constexpr uint32_t kMaxSlots = 65536;

  // `capacity` is 1 to kMaxSlots.
  SessionIds(uint32_t capacity, crypto::RandomSource random);

  // nullopt when every slot is taken.
  std::optional<base::SessionId> allocate();
  // False when the id is not in use (any more).
  bool release(base::SessionId id);
  bool in_use(base::SessionId id) const;
  uint32_t used() const { return capacity() - static_cast<uint32_t>(free_.size()); }
  uint32_t capacity() const { return static_cast<uint32_t>(slots_.size()); }

  // The base of a session's SPIs (PROTOCOL.md §18.4): its slot and seven of the random bits, so
  // that no two sessions have the same at a time.
  static constexpr uint32_t esp_base(base::SessionId id) { return id.value() * wire::kEspSpis; }
  static constexpr uint32_t slot_of_spi(uint32_t spi) { return spi / wire::kEspSpis & 0xffff; }

  // Notes whom an established session is with, and returns the established sessions with the
  // same address that belong to an earlier life of that peer: they are of no more use.
  std::vector<base::SessionId> establish(
      base::SessionId id, const PeerAddress& peer,
      const std::array<uint8_t, crypto::kInstanceSize>& instance);

 private:
  struct Slot {
    base::SessionId id;
    bool used = false;
    bool established = false;
    PeerAddress peer;
    std::array<uint8_t, crypto::kInstanceSize> instance{};
  };

  static uint32_t slot_of(base::SessionId id) { return id.value() & 0xffff; }

  crypto::RandomSource random_;
  std::vector<Slot> slots_;
  std::deque<uint32_t> free_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_SESSION_IDS_H_
