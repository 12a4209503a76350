// SPDX-License-Identifier: Apache-2.0
//
// Who sends what, and when. Everything is drawn from the seed by counter-based streams of each
// host's own, so that two runs which differ in the policy alone see the same messages at the same
// times.
#ifndef SLUICE_SIM_TRAFFIC_H_
#define SLUICE_SIM_TRAFFIC_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/workload.h"
#include "sim/host.h"
#include "sim/random.h"
#include "sim/scenario.h"

namespace sluice::sim {

// The streams of random numbers that traffic draws from; the entity is the host.
inline constexpr Stream kArrivals = Stream::kFirstFree;
inline constexpr Stream kSizes = static_cast<Stream>(static_cast<uint32_t>(kArrivals) + 1);
inline constexpr Stream kDestinations = static_cast<Stream>(static_cast<uint32_t>(kArrivals) + 2);
inline constexpr Stream kTcpDestinations =
    static_cast<Stream>(static_cast<uint32_t>(kArrivals) + 4);
inline constexpr Stream kBursts = static_cast<Stream>(static_cast<uint32_t>(kArrivals) + 3);
inline constexpr Stream kPulls = static_cast<Stream>(static_cast<uint32_t>(kArrivals) + 5);

using Hosts = std::vector<std::unique_ptr<Host>>;

// Messages of a distribution's sizes to destinations drawn evenly from all others.
class Drawing {
 public:
  Drawing(const base::Workload& workload, uint64_t seed, uint32_t hosts);
  uint32_t size(uint32_t host) { return workload_.sample(sizes_[host].next()); }
  uint32_t destination(uint32_t host);

 private:
  base::Workload workload_;
  std::vector<Random> sizes_;
  std::vector<Random> destinations_;
};

// Incasts among other traffic: at Poisson times some hosts, drawn at random, send one message each
// to another.
struct BurstConfig {
  uint32_t senders = 0;
  uint32_t bytes = 0;
  Picos mean_gap = Picos::max();  // Between two incasts anywhere; "never": none.
};

// Each host's part of them, in order of time; the seed alone decides.
class Bursts {
 public:
  Bursts(const BurstConfig& config, uint64_t seed, uint32_t hosts, Picos begin, Picos end);
  // When the host has to send next; "never" when it has not.
  Picos next_time(uint32_t host) const {
    return of_[host].empty() ? Picos::max() : of_[host].back().time;
  }
  // To whom; the next one is next then.
  uint32_t take(uint32_t host);
  uint32_t bytes() const { return bytes_; }

 private:
  struct Part {
    Picos time;
    uint32_t destination = 0;
  };
  const uint32_t bytes_;
  std::vector<std::vector<Part>> of_;  // By host, the latest first.
};

// Every host submits messages, or calls whose responses have these sizes, at Poisson times until
// the end of the window.
class UniformTraffic final : public Traffic {
 public:
  UniformTraffic(const base::Workload& workload, uint64_t seed, uint32_t hosts, Picos mean_gap,
                 Picos end, bool calls, const BurstConfig& bursts);
  void start(Hosts* hosts) override;
  void on_time(uint32_t host, Picos now) override;

 private:
  void plan_next(uint32_t host, Picos now);
  void wake(uint32_t host);

  Drawing drawing_;
  const Picos mean_gap_;
  const Picos end_;
  const bool calls_;
  const uint64_t seed_;
  const BurstConfig burst_config_;
  std::unique_ptr<Bursts> bursts_;
  std::vector<Random> arrivals_;
  std::vector<Picos> next_;  // Of each host, the next message of the distribution.
  Hosts* hosts_ = nullptr;
};

// Every host has the same number of messages under way until the end of the window: a delivered
// one is followed by another at once.
class SaturatingTraffic final : public Traffic {
 public:
  SaturatingTraffic(const base::Workload& workload, uint64_t seed, uint32_t hosts,
                    uint32_t outstanding, Picos end);
  void start(Hosts* hosts) override;
  void on_delivered(uint32_t host, Picos now) override;
  void on_time(uint32_t host, Picos now) override;

 private:
  Drawing drawing_;
  const uint32_t outstanding_;
  const Picos end_;
  std::vector<uint32_t> owed_;  // Messages to submit at a host's next wake.
  Hosts* hosts_ = nullptr;
};

// Beside other traffic, every host always has the same number of pulls under way from hosts drawn
// at random, until the end of the window.
class PullingTraffic final : public Traffic {
 public:
  // `beside` is called as if it were alone.
  PullingTraffic(std::unique_ptr<Traffic> beside, uint64_t seed, uint32_t hosts, uint32_t pulls,
                 uint32_t bytes, Picos end);
  void start(Hosts* hosts) override;
  void on_time(uint32_t host, Picos now) override;
  void on_delivered(uint32_t host, Picos now) override { beside_->on_delivered(host, now); }
  void on_pulled(uint32_t host, Picos now) override;

 private:
  const std::unique_ptr<Traffic> beside_;
  const uint32_t pulls_;
  const uint32_t bytes_;
  const Picos end_;
  std::vector<Random> sources_;
  std::vector<uint32_t> owed_;  // Pulls to begin at a host's next wake.
  Hosts* hosts_ = nullptr;
};

// Hosts 1 to `senders` send one message each to host 0 as the run begins, or are called by it for
// one.
class IncastTraffic final : public Traffic {
 public:
  IncastTraffic(uint32_t senders, uint32_t bytes, bool calls)
      : senders_(senders), bytes_(bytes), calls_(calls) {}
  void start(Hosts* hosts) override;

 private:
  const uint32_t senders_;
  const uint32_t bytes_;
  const bool calls_;
};

// Nobody sends anything.
class NoTraffic final : public Traffic {
 public:
  void start(Hosts*) override {}
};

// Every host sends one message as the run begins, and gets one: each to the host that a cycle
// through all of them, drawn from the seed, names next.
class PermutationTraffic final : public Traffic {
 public:
  PermutationTraffic(uint64_t seed, uint32_t hosts, uint32_t bytes);
  void start(Hosts* hosts) override;

  const std::vector<uint32_t>& destinations() const { return destinations_; }  // By sender.

 private:
  const uint32_t bytes_;
  std::vector<uint32_t> destinations_;
};

// The sizes of a scenario's messages: W1 to W5, or one size. An error names the field.
absl::StatusOr<base::Workload> workload_of(const Scenario& scenario);

// The mean wire time of a message's data packets.
Picos mean_wire_time(const base::Workload& workload, const Packetisation& packets,
                     uint32_t picos_per_byte);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TRAFFIC_H_
