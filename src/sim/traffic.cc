// SPDX-License-Identifier: Apache-2.0
#include "sim/traffic.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::sim {
namespace {

std::vector<Random> streams(uint64_t seed, Stream stream, uint32_t hosts) {
  std::vector<Random> out;
  out.reserve(hosts);
  for (uint32_t host = 0; host < hosts; ++host) out.emplace_back(seed, stream, host);
  return out;
}

// Any host but this one.
uint32_t another(Random* random, uint32_t host, size_t hosts) {
  const auto other = static_cast<uint32_t>(random->below(hosts - 1));
  return other < host ? other : other + 1;
}

}  // namespace

Drawing::Drawing(const base::Workload& workload, uint64_t seed, uint32_t hosts)
    : workload_(workload),
      sizes_(streams(seed, kSizes, hosts)),
      destinations_(streams(seed, kDestinations, hosts)) {}

uint32_t Drawing::destination(uint32_t host) {
  return another(&destinations_[host], host, destinations_.size());
}

Bursts::Bursts(const BurstConfig& config, uint64_t seed, uint32_t hosts, Picos begin, Picos end)
    : bytes_(config.bytes), of_(hosts) {
  if (config.mean_gap == Picos::max()) return;
  Random random(seed, kBursts, 0);
  std::vector<uint32_t> drawn(hosts);
  std::iota(drawn.begin(), drawn.end(), 0);
  for (Picos at = begin;;) {
    at = after(at, random.exponential(config.mean_gap));
    if (at >= end) break;
    // The first of a shuffle receives, the next ones send.
    for (uint32_t i = 0; i <= config.senders; ++i) {
      std::swap(drawn[i], drawn[i + random.below(hosts - i)]);
      if (i > 0) of_[drawn[i]].push_back({at, drawn[0]});
    }
  }
  for (std::vector<Part>& parts : of_) std::reverse(parts.begin(), parts.end());
}

uint32_t Bursts::take(uint32_t host) {
  const uint32_t destination = of_[host].back().destination;
  of_[host].pop_back();
  return destination;
}

UniformTraffic::UniformTraffic(const base::Workload& workload, uint64_t seed, uint32_t hosts,
                               Picos mean_gap, Picos end, bool calls, const BurstConfig& bursts)
    : drawing_(workload, seed, hosts),
      mean_gap_(mean_gap),
      end_(end),
      calls_(calls),
      seed_(seed),
      burst_config_(bursts),
      arrivals_(streams(seed, kArrivals, hosts)),
      next_(hosts) {}

void UniformTraffic::start(Hosts* hosts) {
  hosts_ = hosts;
  const auto count = static_cast<uint32_t>(hosts->size());
  bursts_ = std::make_unique<Bursts>(burst_config_, seed_, count, hosts->front()->now(), end_);
  for (uint32_t host = 0; host < count; ++host) plan_next(host, (*hosts_)[host]->now());
}

void UniformTraffic::on_time(uint32_t host, Picos now) {
  while (bursts_->next_time(host) <= now) {
    (*hosts_)[host]->submit(bursts_->take(host), bursts_->bytes());
  }
  if (next_[host] > now) return wake(host);
  const uint32_t size = drawing_.size(host);
  const uint32_t other = drawing_.destination(host);
  if (calls_) {
    (*hosts_)[host]->request(other, size);
  } else {
    (*hosts_)[host]->submit(other, size);
  }
  plan_next(host, now);
}

void UniformTraffic::plan_next(uint32_t host, Picos now) {
  next_[host] = after(now, arrivals_[host].exponential(mean_gap_));
  wake(host);
}

void UniformTraffic::wake(uint32_t host) {
  const Picos at = std::min(next_[host], bursts_->next_time(host));
  if (at < end_) (*hosts_)[host]->wake_traffic(at);
}

SaturatingTraffic::SaturatingTraffic(const base::Workload& workload, uint64_t seed, uint32_t hosts,
                                     uint32_t outstanding, Picos end)
    : drawing_(workload, seed, hosts), outstanding_(outstanding), end_(end), owed_(hosts) {}

void SaturatingTraffic::start(Hosts* hosts) {
  hosts_ = hosts;
  for (uint32_t host = 0; host < hosts_->size(); ++host) {
    owed_[host] = outstanding_;
    (*hosts_)[host]->wake_traffic((*hosts_)[host]->now());
  }
}

void SaturatingTraffic::on_delivered(uint32_t host, Picos now) {
  if (now >= end_) return;
  ++owed_[host];
  (*hosts_)[host]->wake_traffic(now);
}

void SaturatingTraffic::on_time(uint32_t host, Picos) {
  while (owed_[host] > 0) {
    --owed_[host];
    const uint32_t size = drawing_.size(host);
    (*hosts_)[host]->submit(drawing_.destination(host), size);
  }
}

PullingTraffic::PullingTraffic(std::unique_ptr<Traffic> beside, uint64_t seed, uint32_t hosts,
                               uint32_t pulls, uint32_t bytes, Picos end)
    : beside_(std::move(beside)),
      pulls_(pulls),
      bytes_(bytes),
      end_(end),
      sources_(streams(seed, kPulls, hosts)),
      owed_(hosts, pulls) {}

void PullingTraffic::start(Hosts* hosts) {
  hosts_ = hosts;
  beside_->start(hosts);
  for (const auto& host : *hosts) host->wake_traffic(host->now());
}

void PullingTraffic::on_pulled(uint32_t host, Picos now) {
  if (now >= end_) return;
  ++owed_[host];
  (*hosts_)[host]->wake_traffic(now);
}

void PullingTraffic::on_time(uint32_t host, Picos now) {
  beside_->on_time(host, now);
  while (owed_[host] > 0) {
    --owed_[host];
    (*hosts_)[host]->pull(another(&sources_[host], host, sources_.size()), bytes_);
  }
}

void IncastTraffic::start(Hosts* hosts) {
  for (uint32_t sender = 1; sender <= senders_; ++sender) {
    if (calls_) {
      (*hosts)[0]->request(sender, bytes_);
    } else {
      (*hosts)[sender]->submit(0, bytes_);
    }
  }
}

// Sattolo's shuffle: one cycle, each as likely as another, so that nobody sends to itself.
PermutationTraffic::PermutationTraffic(uint64_t seed, uint32_t hosts, uint32_t bytes)
    : bytes_(bytes), destinations_(hosts) {
  std::iota(destinations_.begin(), destinations_.end(), 0);
  Random random(seed, kDestinations, 0);
  for (uint32_t i = hosts; i-- > 1;) std::swap(destinations_[i], destinations_[random.below(i)]);
}

void PermutationTraffic::start(Hosts* hosts) {
  for (uint32_t host = 0; host < destinations_.size(); ++host) {
    (*hosts)[host]->submit(destinations_[host], bytes_);
  }
}

absl::StatusOr<base::Workload> workload_of(const Scenario& scenario) {
  uint32_t size = 0;
  if (absl::SimpleAtoi(scenario.workload, &size)) {
    if (size == 0 || size > kMaxMessage) {
      return absl::InvalidArgumentError(
          absl::StrCat("workload: messages of ", size, " bytes; choose 1 to ", kMaxMessage));
    }
    return base::Workload::fixed(size);
  }
  auto named = base::Workload::named(scenario.workload, kMaxMessage);
  if (named.ok()) return named;
  return absl::InvalidArgumentError(absl::StrCat("workload: '", scenario.workload,
                                                 "' is none; choose W1 to W5, or a size in bytes"));
}

// The distribution is cut into as many equally likely sizes, which gives its mean to a few parts in
// ten thousand.
Picos mean_wire_time(const base::Workload& workload, const Packetisation& packets,
                     uint32_t picos_per_byte) {
  constexpr uint64_t kParts = 1u << 20;
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < kParts; ++i) {
    bytes += packets.wire_bytes(workload.sample((2 * i + 1) * (UINT64_MAX / (2 * kParts))));
  }
  return picos(bytes * picos_per_byte / kParts);
}

}  // namespace sluice::sim
