// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_TCP_RENO_H_
#define SLUICE_SIM_TCP_RENO_H_

#include <limits>

#include "sim/tcp_control.h"

namespace sluice::sim {

// RFC 5681: slow start, then a segment more for each round trip, and half after a loss.
class TcpReno : public TcpControl {
 public:
  void on_ack(uint32_t segments, bool marked) override;
  void on_round() override {}
  void on_loss() override { reduce(0.5); }
  void on_timeout() override;
  double window() const override { return window_; }
  bool wants_marks() const override { return false; }

 protected:
  // Goes on with this share of the window.
  void reduce(double share);

 private:
  double window_ = 10;                                          // RFC 6928's first window.
  double threshold_ = std::numeric_limits<double>::infinity();  // Slow start ends here.
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TCP_RENO_H_
