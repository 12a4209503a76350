// SPDX-License-Identifier: Apache-2.0
#include "sim/packet_pool.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kLine = 64;
constexpr std::align_val_t kAlignment{kLine};

uint8_t* raw_memory(size_t count, size_t size) {
  return static_cast<uint8_t*>(::operator new(count* size, kAlignment));
}

}  // namespace

// Packets need no destruction, and are constructed as they are first handed out.
PacketPool::PacketPool(uint32_t capacity, uint32_t buffer_bytes)
    : capacity_(capacity),
      buffer_bytes_((buffer_bytes + kLine - 1) / kLine * kLine),
      packets_(reinterpret_cast<Packet*>(raw_memory(capacity, sizeof(Packet)))),
      bytes_(raw_memory(capacity, buffer_bytes_)) {
  SLUICE_CHECK(capacity < kNoPacket);
}

PacketPool::~PacketPool() {
  ::operator delete(packets_, kAlignment);
  ::operator delete(bytes_, kAlignment);
}

}  // namespace sluice::sim
