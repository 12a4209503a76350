// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_TCP_DCTCP_H_
#define SLUICE_SIM_TCP_DCTCP_H_

#include "sim/tcp_reno.h"

namespace sluice::sim {

// RFC 8257: a window shrinks by half the share of its segments that were marked, as estimated over
// many of them. All else is Reno's.
class TcpDctcp final : public TcpReno {
 public:
  void on_ack(uint32_t segments, bool marked) override;
  void on_round() override;
  bool wants_marks() const override { return true; }

  double marked_share() const { return alpha_; }  // The estimate.

 private:
  double alpha_ = 1;  // Cautious until it is known (RFC 8257, section 4.2).
  uint64_t acked_ = 0;
  uint64_t marked_ = 0;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TCP_DCTCP_H_
