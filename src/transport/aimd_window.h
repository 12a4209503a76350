// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_AIMD_WINDOW_H_
#define SLUICE_TRANSPORT_AIMD_WINDOW_H_

#include <algorithm>
#include <cstdint>

namespace sluice::transport {

// How many bytes of credit one sender may hold, learned from marks that say it is too many: SIRD's
// per-sender bucket (NSDI 2025 §4.2), which is DCTCP's law (SIGCOMM 2010 §3.3). While nothing is
// marked the window grows by a packet for each window of bytes that arrives; marks shrink it by
// half their smoothed share, at most once in one and a half windows. Integers only.
class AimdWindow {
 public:
  // While nothing is marked: by a packet, or by all that arrives (as in slow start), for each
  // window.
  enum class Growth : uint8_t { kPacket, kDouble };

  AimdWindow() = default;
  // Bytes, all of them; 0 < floor <= most. Begins at `most`.
  AimdWindow(uint32_t floor, uint32_t most, uint32_t packet, Growth growth = Growth::kPacket)
      : floor_(floor),
        most_(most),
        packet_(packet),
        growth_(growth),
        window_(uint64_t{most} << kFraction) {}

  uint32_t bytes() const { return static_cast<uint32_t>(window_ >> kFraction); }
  uint32_t smoothed_share() const { return alpha_; }  // Of marked bytes, out of kWhole.

  // `marked` of `arrived` bytes carried the mark.
  void on_arrival(uint32_t arrived, uint32_t marked) {
    seen_ += arrived;
    marked_ += marked;
    since_cut_ += arrived;
    if (seen_ >= bytes()) end_period();
    if (marked != 0) {
      if (since_cut_ * 2 < uint64_t{3} * bytes()) return;
      window_ -= window_ * alpha_ / (2 * kWhole);
      since_cut_ = 0;
    } else if (growth_ == Growth::kDouble) {
      window_ += uint64_t{arrived} << kFraction;
    } else {
      window_ += (uint64_t{packet_} * arrived << (2 * kFraction)) / std::max<uint64_t>(window_, 1);
    }
    window_ = std::clamp(window_, uint64_t{floor_} << kFraction, uint64_t{most_} << kFraction);
  }

  static constexpr uint32_t kWhole = 1u << 16;

 private:
  static constexpr uint32_t kFraction = 8;  // Bits of the window below one byte.
  static constexpr uint32_t kGain = 5243;   // SIRD's g = 0.08, out of kWhole.

  void end_period() {
    const auto share = static_cast<int64_t>(marked_ * kWhole / seen_);
    const int64_t step = (share - int64_t{alpha_}) * int64_t{kGain} / int64_t{kWhole};
    alpha_ = static_cast<uint32_t>(int64_t{alpha_} + step);
    seen_ = marked_ = 0;
  }

  uint32_t floor_ = 1;
  uint32_t most_ = 1;
  uint32_t packet_ = 1;
  Growth growth_ = Growth::kPacket;
  uint32_t alpha_ = 0;
  uint64_t window_ = 0;
  uint64_t seen_ = 0;
  uint64_t marked_ = 0;
  uint64_t since_cut_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_AIMD_WINDOW_H_
