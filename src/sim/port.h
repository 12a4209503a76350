// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_PORT_H_
#define SLUICE_SIM_PORT_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/check.h"
#include "sim/loss.h"
#include "sim/network_config.h"
#include "sim/packet_pool.h"
#include "sim/time.h"
#include "sim/topology.h"

namespace sluice::sim {

// How many bytes wait somewhere: now, at most, and on average over time.
class QueueGauge {
 public:
  void add(uint64_t bytes, Picos now) {
    account(now);
    bytes_ += bytes;
    max_ = std::max(max_, bytes_);
  }
  void subtract(uint64_t bytes, Picos now) {
    SLUICE_DCHECK(bytes <= bytes_);
    account(now);
    bytes_ -= bytes;
  }
  void start_window(Picos now) {
    max_ = bytes_;
    area_ = 0;
    since_ = start_ = now;
  }

  uint64_t bytes() const { return bytes_; }
  uint64_t max() const { return max_; }
  double mean(Picos now) const {
    const Wide area = area_ + static_cast<Wide>(bytes_) * (now - since_).value();
    return now == start_ ? static_cast<double>(bytes_)
                         : static_cast<double>(area) / static_cast<double>((now - start_).value());
  }

 private:
  __extension__ using Wide = unsigned __int128;

  void account(Picos now) {
    area_ += static_cast<Wide>(bytes_) * (now - since_).value();
    since_ = now;
  }

  uint64_t bytes_ = 0;
  uint64_t max_ = 0;
  Picos since_;
  Picos start_;
  Wide area_ = 0;  // Bytes times picoseconds, up to since_.
};

// What waits for one port: FIFO per priority class, or by rank.
class PortQueue {
 public:
  explicit PortQueue(Discipline discipline)
      : ranked_(discipline == Discipline::kRanked ? std::make_unique<Ranked>() : nullptr) {}

  bool empty() const { return packets_ == 0; }
  uint32_t packets() const { return packets_; }
  uint64_t class_bytes(uint32_t cls) const { return fifos_[cls].bytes; }

  // `cls` is the packet's class, below kMaxPriorities; the highest goes first.
  void push(PacketPool& pool, PacketHandle handle, uint32_t cls) {
    ++packets_;
    if (ranked_ != nullptr) [[unlikely]]
      return push_ranked(pool, handle);
    Fifo& fifo = fifos_[cls];
    Packet& packet = pool[handle];
    packet.next = kNoPacket;
    fifo.bytes += packet.wire_bytes;
    if (fifo.head == kNoPacket) {
      fifo.head = handle;
      busy_classes_ |= 1u << cls;
    } else {
      pool[fifo.tail].next = handle;
    }
    fifo.tail = handle;
  }

  // The next packet to send; there is one.
  PacketHandle pop(PacketPool& pool) {
    --packets_;
    if (ranked_ != nullptr) [[unlikely]]
      return pop_ranked(pool);
    SLUICE_CHECK(busy_classes_ != 0);
    const uint32_t cls = static_cast<uint32_t>(std::bit_width(busy_classes_)) - 1;
    Fifo& fifo = fifos_[cls];
    const PacketHandle handle = fifo.head;
    const Packet& packet = pool[handle];
    fifo.head = packet.next;
    fifo.bytes -= packet.wire_bytes;
    if (fifo.head == kNoPacket) busy_classes_ &= ~(1u << cls);
    return handle;
  }

 private:
  struct Fifo {
    PacketHandle head = kNoPacket;
    PacketHandle tail = kNoPacket;
    uint64_t bytes = 0;
  };
  // Packets of one message stay in order, and the first of them says what is left of it: else the
  // end of a message, of which less remains, would overtake its beginning.
  struct RankedMessage {
    PacketHandle head = kNoPacket;
    PacketHandle tail = kNoPacket;
  };
  struct RankedEntry {
    uint64_t rank = 0;  // Of the message's first packet.
    uint64_t order = 0;
    uint64_t message = 0;
  };
  struct Ranked {
    absl::flat_hash_map<uint64_t, RankedMessage> messages;  // Only looked up, never walked over.
    std::vector<RankedEntry> heap;  // As std::push_heap keeps it, the smallest rank on top.
    uint64_t next_order = 0;
  };

  void push_ranked(PacketPool& pool, PacketHandle handle);
  void push_message(uint64_t rank, uint64_t key);
  PacketHandle pop_ranked(PacketPool& pool);

  std::unique_ptr<Ranked> ranked_;
  uint32_t busy_classes_ = 0;  // Bit c: FIFO c is not empty.
  uint32_t packets_ = 0;
  Fifo fifos_[kMaxPriorities];
};

// One direction of one link, seen from the node that sends. What every packet touches is in the
// first cache line; one that waits touches the second, and its class's FIFO.
struct alignas(64) Port {
  Port(Discipline discipline, uint64_t seed, uint32_t index)
      : queue(discipline), loss(seed, index) {}

  // Until when the packet under way is serialised. `free_pending`: an event will come at that time
  // because something waits. The queue is empty unless it is set.
  Picos busy_until;
  Picos after_wire;  // Propagation, and what the nodes at both ends take.
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
  uint64_t mark_above = UINT64_MAX;  // Bytes waiting; see SwitchModel::ecn_host_bytes.
  NodeId node = 0;
  NodeId peer = 0;
  uint32_t picos_per_byte = 0;
  bool up = true;
  bool free_pending = false;
  bool lossy = false;      // loss.is_active()
  bool from_host = false;  // The queue is a host's transmit ring.
  bool to_host = false;
  QueueGauge gauge;
  PortQueue queue;
  LossProcess loss;

  bool is_idle(Picos now) const { return !free_pending && busy_until <= now; }
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_PORT_H_
