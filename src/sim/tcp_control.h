// SPDX-License-Identifier: Apache-2.0
//
// How many segments a TCP-like flow may have under way: one implementation for each kind.
#ifndef SLUICE_SIM_TCP_CONTROL_H_
#define SLUICE_SIM_TCP_CONTROL_H_

#include <cstdint>
#include <memory>

namespace sluice::sim {

enum class TcpKind : uint8_t {
  kNone,
  kReno,   // Fills queues until they drop.
  kDctcp,  // Slows down by the share of marked segments.
};

class TcpControl {
 public:
  virtual ~TcpControl() = default;
  // So many segments are acknowledged for the first time; `marked`: they met congestion.
  virtual void on_ack(uint32_t segments, bool marked) = 0;
  // All that was under way at the last call is acknowledged: about a round trip has passed.
  virtual void on_round() = 0;
  // A segment was lost, the first one of a window.
  virtual void on_loss() = 0;
  // Nothing has come back for a whole time-out.
  virtual void on_timeout() = 0;
  // Segments; at least 1.
  virtual double window() const = 0;
  // Whether its packets ask to be marked rather than dropped.
  virtual bool wants_marks() const = 0;
};

// Not for kNone.
std::unique_ptr<TcpControl> make_tcp_control(TcpKind kind);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TCP_CONTROL_H_
