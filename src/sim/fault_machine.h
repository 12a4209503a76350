// SPDX-License-Identifier: Apache-2.0
//
// The fault machine: two endpoints with real records and real payloads on virtual time, a path on
// which everything goes wrong that one seed can think of, and the promises of the protocol checked
// all along. A run that fails is repeated by its seed, bit for bit.
#ifndef SLUICE_SIM_FAULT_MACHINE_H_
#define SLUICE_SIM_FAULT_MACHINE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "crypto/aead.h"
#include "sim/fault_peer.h"
#include "sim/fault_plan.h"
#include "sim/fault_wire.h"

namespace sluice::sim {

struct FaultReport {
  uint64_t seed = 0;
  std::string violation;        // The first broken promise, in words; empty when all were kept.
  uint64_t hash = 0;            // Of every packet sent: same seed, same hash.
  uint64_t packets = 0;         // Sent by the endpoints.
  uint64_t records = 0;         // Of several packets (record mode), sent likewise.
  uint64_t esp = 0;             // Packets of ESP among them.
  uint64_t inline_records = 0;  // Of those, sealed by a port; and of these,
  uint64_t resyncs = 0;         // such as do not follow what the port sealed before.
  uint64_t steps = 0;
  uint64_t sessions = 0;
  uint64_t calls = 0;
  uint64_t completed_ok = 0;
  FaultCounts fired{};

  bool ok() const { return violation.empty(); }
};

class FaultMachine {
 public:
  // `backend` has AES-128-GCM and outlives the machine; real sealing unless a test of the machine
  // itself wants it broken.
  FaultMachine(const FaultPlan& plan, crypto::AeadBackend* backend);

  // Runs chaos, then mends everything and waits until all calls are complete and the way is open
  // again. To be called once.
  FaultReport run();

 private:
  struct Host {
    base::Nanos paused_until;
    base::Nanos ring_full_until;
    base::Nanos hoard_until;
    base::Nanos small_slots_until;
  };

  void plan_episodes();
  void begin_episode(FaultKind kind);
  bool connect();
  void install(int side, uint32_t session);
  void close_old(int side);
  // Advances to the next time at which something happens, at most to `end`, and does it.
  void step(base::Nanos end);
  void drive(int side);
  void transmit(int side);
  void send(int side, const transport::TxPacket& packet);
  void receive();
  // Gives one host a burst, and checks that nothing was let in that has to stay out.
  void take(int to, std::span<WirePacket> burst);
  // A host has got a packet of a session that it does not know.
  void answer_stranger(int to);
  base::Nanos next_time(base::Nanos end) const;
  base::Nanos random_time(uint64_t most_ms);
  // Runs until `done` or for `limit` of virtual time; false when it was not reached.
  template <class Done>
  bool run_until(Done done, base::Nanos limit);
  void mend();
  // The last acts, each of which may end the run by accusing.
  void finish();
  bool settle();
  bool probe_all(uint32_t size);
  bool probe(int side, uint32_t size);
  bool update_keys();
  bool black_out();
  bool leave_nothing();
  bool part();
  bool joined() const { return peers_[0]->has_lane() && peers_[1]->has_lane(); }
  bool parted() const { return !peers_[0]->has_lane() && !peers_[1]->has_lane(); }
  // Accuses, and returns false.
  bool fail(std::string what);
  void accuse(std::string what) { book_.accuse(std::move(what)); }

  const FaultPlan plan_;
  FaultCounts counts_{};
  base::Prng prng_;
  CallBook book_;
  FaultWire wire_;
  std::array<std::unique_ptr<FaultPeer>, 2> peers_;
  std::array<Host, 2> hosts_;
  std::multimap<base::Nanos, FaultKind> episodes_;
  base::Nanos now_ = base::seconds(1);
  base::Nanos connect_at_ = base::Nanos::max();
  bool reconnects_ = true;
  uint32_t sessions_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_MACHINE_H_
