// SPDX-License-Identifier: Apache-2.0
//
// A model of a NIC with engines for TLS records and segmentation, for tests and demonstrations: it
// stands between a port queue and the device, whatever that is.
#ifndef SLUICE_ENGINE_MODEL_NIC_H_
#define SLUICE_ENGINE_MODEL_NIC_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "engine/config.h"
#include "engine/inline_engine.h"
#include "transport/stats.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::engine {

// Like ConnectX's TLS engine as SMT uses it, it seals at transmit with the number that it has
// counted to; a record that does not continue the TCP-shaped sequence comes out garbled, unless a
// resync was asked for; a segmented frame holds whole records (here one); and it opens nothing on
// receipt. There are two, by how they are driven:
//  - kSecurity offers an rte_security instance with operations of its own, so that the engine
//    drives it by the very calls that a driver would get. It counts for each context and queue
//    apart. What params of rte_security_set_pkt_metadata() mean is the driver's own: here null, to
//    go on, or a uint64_t, the number of the record (a resync).
//  - kEsp is driven likewise, and seals packets of ESP (model_esp.h), in any order.
//  - kConnectx takes the commands and descriptors that a ConnectX would get (model_connectx.h).
class ModelNic {
 public:
  struct Setup {
    ModelEngine engine = ModelEngine::kSecurity;
    uint16_t queues = 1;
    uint32_t contexts = 0;                   // That it has room for, over all queues.
    crypto::AeadBackend* backend = nullptr;  // Seals in the hardware's stead; has AES-GCM.
  };

  // Of one queue: written by its lcore, read by any thread.
  struct Counters {
    transport::Counter records;  // Sealed,
    transport::Counter garbled;  // of which so many with a number that no peer expects.
    transport::Counter resyncs;
    transport::Counter dropped;  // Frames with no whole record in them, or no buffer for a packet.
  };

  // What a resync costs the transmit queue: four blocks of descriptors of 64 bytes, as ConnectX
  // takes for the parameters of a context.
  static constexpr uint32_t kResyncBytes = 256;

  // FailedPrecondition where DPDK came without the header that drivers of rte_security need, and
  // kSecurity is asked for.
  static absl::StatusOr<std::unique_ptr<ModelNic>> create(const Setup& setup);
  virtual ~ModelNic() = default;

  // What the node's lcores give their keys to; as SecurityPort::open().
  virtual absl::StatusOr<std::unique_ptr<InlineEngine>> open_engine(uint32_t contexts,
                                                                    int socket) = 0;

  // What leaves for `frames`, which are the model's now: those that are not to be sealed as they
  // are, the others sealed and cut, in buffers of `pool`. Returns how many of `out` were set. The
  // lcore of the queue.
  virtual size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                          rte_mempool* pool) = 0;

  // By name, over all queues. Any thread.
  std::vector<std::pair<const char*, uint64_t>> totals() const;
  const Counters& counters(uint16_t queue) const { return counters_[queue]; }

 protected:
  explicit ModelNic(uint16_t queues) : counters_(queues) {}
  std::vector<Counters> counters_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_MODEL_NIC_H_
