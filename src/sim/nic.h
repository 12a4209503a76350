// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_NIC_H_
#define SLUICE_SIM_NIC_H_

#include <cstdint>

#include "sim/network_config.h"
#include "sim/random.h"
#include "sim/time.h"

namespace sluice::sim {

// Beside its port, what the network knows of one host: when its processor is free for the next
// packet, and whether it is owed a call about room in the ring. It decides; others act.
class Nic {
 public:
  Nic(const HostModel& model, uint64_t seed, uint32_t host)
      : model_(model), random_(seed, Stream::kStall, host) {}

  void set_model(const HostModel& model) { model_ = model; }
  const HostModel& model() const { return model_; }

  // When a packet that has arrived now is handed on: now, or later by what lies before it, by its
  // cost and by a stall, which is counted. Later ones are announced by will_wait() and waited().
  Picos ready_at(Picos now, uint64_t* stalls);
  // Whether packets are on their way through the host, so that none may overtake them.
  bool is_waiting() const { return waiting_ != 0; }
  uint32_t waiting() const { return waiting_; }
  uint64_t waiting_bytes() const { return waiting_bytes_; }
  void will_wait(uint32_t bytes) {
    ++waiting_;
    waiting_bytes_ += bytes;
  }
  void waited(uint32_t bytes) {
    --waiting_;
    waiting_bytes_ -= bytes;
  }

  // Whether a packet of `bytes` has a place in a ring that holds `ring_bytes`; if it has none, the
  // host is owed a call.
  bool admit(uint64_t ring_bytes, uint32_t bytes) {
    if (ring_bytes != 0 && ring_bytes + bytes > model_.ring_bytes) {
      owed_ = true;
      return false;
    }
    return true;
  }
  // To be told of each packet that entered the ring, and asked at each that left it.
  void entered(uint64_t ring_bytes) { owed_ = owed_ || ring_bytes >= model_.refill_bytes; }
  bool take_owed_call(uint64_t ring_bytes) {
    if (!owed_ || ring_bytes >= model_.refill_bytes) return false;
    owed_ = false;
    return true;
  }

 private:
  HostModel model_;
  Random random_;
  Picos free_at_;
  uint64_t waiting_bytes_ = 0;
  uint32_t waiting_ = 0;
  bool owed_ = false;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_NIC_H_
