// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_PACKET_POOL_H_
#define SLUICE_SIM_PACKET_POOL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

#include "base/check.h"
#include "sim/time.h"

namespace sluice::sim {

// Names a packet of the one pool of a run. Handles are given out in an order that depends on
// nothing but the run, so they may take part in hashes of it.
using PacketHandle = uint32_t;
inline constexpr PacketHandle kNoPacket = UINT32_MAX;

// What stands around a Sluice packet on the wire: Ethernet header 14, IPv4 20, UDP 8, FCS 4,
// preamble 8 and the gap between frames 12 (IEEE 802.3).
inline constexpr uint32_t kFramingBytes = 66;
// The shortest frame, 64 bytes, with preamble and gap.
inline constexpr uint32_t kMinWireBytes = 84;

// The bytes of wire time that a Sluice packet of `length` bytes takes. 1472 bytes, the most that
// fits an MTU of 1500, take 1538.
constexpr uint32_t framed_bytes(uint32_t length) {
  return std::max(length + kFramingBytes, kMinWireBytes);
}

// What the network did to a packet.
enum PacketFlag : uint8_t {
  kTrimmed = 1,  // Cut to its first bytes by a full switch; the rest is lost.
  kCorrupt = 2,  // Bits were flipped. The bytes are as sent: the receiver decides which to flip.
};

// The ECN bits as in IP, RFC 3168.
enum class Ecn : uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCongestionExperienced = 3 };

// One packet: 64 bytes, so that a hop costs one cache line. allocate() gives every field the value
// its comment names; the sender sets what the network reads: length, stored, wire_bytes, src, dst,
// and priority, ecn, entropy and rank where they matter.
struct alignas(64) Packet {
  uint8_t* bytes;       // stored bytes of the Sluice packet; the pool's memory, fixed address.
  uint32_t length;      // Of the Sluice packet; may exceed what is stored: a virtual payload. 0.
  uint32_t stored;      // How many bytes at `bytes` are real; at most the pool's capacity. 0.
  uint32_t wire_bytes;  // Of wire time, framed_bytes(length) as a rule. 0.
  uint16_t src;         // Sending host. 0.
  uint16_t dst;         // Receiving host: all that routing looks at. 0.
  uint16_t entropy;     // Takes part in the ECMP hash, as a UDP source port does. 0.
  uint8_t priority;     // 0 (lowest) to 7. 0.
  Ecn ecn;              // Only an ECT packet is marked; others pass. kEct0.
  uint8_t flags;        // PacketFlag bits. 0.
  uint8_t hops;         // Switches crossed so far. 0.
  bool keeps_path;      // By the hash of its flow where others are sprayed. false.
  uint8_t unused;
  PacketHandle next;  // The network's: the packet behind it in its queue.
  Picos born;         // When it entered the sender's transmit ring; set by Network::send().
  uint64_t rank;      // Order under Discipline::kRanked, smaller first. 0.
  // The sender's, untouched by the network. Under kRanked it names a message, whose packets stay in
  // order; 0 names none, and bit 63 is clear. 0.
  uint64_t user;

  bool has(PacketFlag flag) const { return (flags & flag) != 0; }
};
static_assert(sizeof(Packet) == 64);

// All packets of a run. The packet released last is handed out first, while it is in the cache; and
// memory that was never handed out is never touched, so that a generous capacity costs nothing.
class PacketPool {
 public:
  // `capacity` packets at most live at once, each with room for `buffer_bytes` real bytes (rounded
  // up to whole cache lines): about 256 where payloads are virtual, 2048 where they are real.
  PacketPool(uint32_t capacity, uint32_t buffer_bytes);
  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // A packet, or kNoPacket (counted) when `capacity` are live. The bytes are as their last user
  // left them.
  PacketHandle allocate() {
    PacketHandle handle = free_;
    if (handle != kNoPacket) [[likely]] {
      free_ = packets_[handle].next;
    } else if (touched_ < capacity_) {
      handle = touched_++;
    } else {
      ++exhausted_;
      return kNoPacket;
    }
    reset(handle);
    live_ += 1;
    peak_ = std::max(peak_, live_);
    return handle;
  }

  // Gives back a packet; giving back one twice stops the process in debug builds.
  void release(PacketHandle handle) {
    Packet& packet = (*this)[handle];
    packet.bytes = nullptr;
    packet.next = free_;
    free_ = handle;
    --live_;
  }

  Packet& operator[](PacketHandle handle) {
    SLUICE_DCHECK(handle < touched_ && packets_[handle].bytes != nullptr);
    return packets_[handle];
  }
  const Packet& operator[](PacketHandle handle) const {
    SLUICE_DCHECK(handle < touched_ && packets_[handle].bytes != nullptr);
    return packets_[handle];
  }

  uint32_t live() const { return live_; }
  uint32_t peak() const { return peak_; }            // The most that were live at once.
  uint64_t exhausted() const { return exhausted_; }  // Times allocate() had none.
  uint32_t capacity() const { return capacity_; }
  uint32_t buffer_bytes() const { return buffer_bytes_; }

 private:
  void reset(PacketHandle handle) {
    Packet* packet = new (&packets_[handle]) Packet{};
    packet->bytes = bytes_ + static_cast<size_t>(handle) * buffer_bytes_;
    packet->ecn = Ecn::kEct0;
    packet->next = kNoPacket;
  }

  uint32_t capacity_;
  uint32_t buffer_bytes_;
  Packet* packets_;  // Memory as the allocator gave it; see touched_.
  uint8_t* bytes_;
  PacketHandle free_ = kNoPacket;
  uint32_t touched_ = 0;  // Packets from here on were never handed out.
  uint32_t live_ = 0;
  uint32_t peak_ = 0;
  uint64_t exhausted_ = 0;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_PACKET_POOL_H_
