// SPDX-License-Identifier: Apache-2.0
#include "transport/session_ids.h"

#include "base/byte_order.h"
#include "base/check.h"

namespace sluice::transport {

SessionIds::SessionIds(uint32_t capacity, crypto::RandomSource random) : random_(random) {
  SLUICE_CHECK(capacity >= 1 && capacity <= kMaxSlots);
  slots_.resize(capacity);
  for (uint32_t slot = 0; slot < capacity; ++slot) free_.push_back(slot);
}

std::optional<base::SessionId> SessionIds::allocate() {
  if (free_.empty()) return std::nullopt;
  const uint32_t index = free_.front();
  free_.pop_front();
  Slot& slot = slots_[index];
  base::SessionId id;
  do {
    uint8_t high[2];
    random_(high, sizeof(high));
    id = base::SessionId((uint32_t{base::load_be16(high)} << 16) | index);
  } while (esp_base(id) == 0 || id == slot.id);
  slot = Slot();
  slot.id = id;
  slot.used = true;
  return id;
}

bool SessionIds::release(base::SessionId id) {
  if (!in_use(id)) return false;
  Slot& slot = slots_[slot_of(id)];
  slot.used = false;
  slot.established = false;
  free_.push_back(slot_of(id));
  return true;
}

bool SessionIds::in_use(base::SessionId id) const {
  const uint32_t index = slot_of(id);
  return index < slots_.size() && slots_[index].used && slots_[index].id == id;
}

std::vector<base::SessionId> SessionIds::establish(
    base::SessionId id, const PeerAddress& peer,
    const std::array<uint8_t, crypto::kInstanceSize>& instance) {
  SLUICE_CHECK(in_use(id));
  std::vector<base::SessionId> replaced;  // PROTOCOL MUST-H15
  for (const Slot& slot : slots_) {
    if (slot.established && slot.peer == peer && slot.instance != instance) {
      replaced.push_back(slot.id);
    }
  }
  Slot& own = slots_[slot_of(id)];
  own.established = true;
  own.peer = peer;
  own.instance = instance;
  return replaced;
}

}  // namespace sluice::transport
