// SPDX-License-Identifier: Apache-2.0
#include "sim/traffic.h"

#include <cmath>

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

}  // namespace

Drawing::Drawing(const base::Workload& workload, uint64_t seed, uint32_t hosts)
    : workload_(workload),
      sizes_(streams(seed, kSizes, hosts)),
      destinations_(streams(seed, kDestinations, hosts)) {}

uint32_t Drawing::destination(uint32_t host) {
  const auto other = static_cast<uint32_t>(destinations_[host].below(destinations_.size() - 1));
  return other < host ? other : other + 1;
}

UniformTraffic::UniformTraffic(const base::Workload& workload, uint64_t seed, uint32_t hosts,
                               Picos mean_gap, Picos end, bool calls)
    : drawing_(workload, seed, hosts),
      mean_gap_(mean_gap),
      end_(end),
      calls_(calls),
      arrivals_(streams(seed, kArrivals, hosts)) {}

void UniformTraffic::start(Hosts* hosts) {
  hosts_ = hosts;
  for (uint32_t host = 0; host < hosts_->size(); ++host) plan_next(host, (*hosts_)[host]->now());
}

void UniformTraffic::on_time(uint32_t host, Picos now) {
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
  const Picos at = after(now, arrivals_[host].exponential(mean_gap_));
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

void SaturatingTraffic::on_sent(uint32_t host, Picos now) {
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

void IncastTraffic::start(Hosts* hosts) {
  for (uint32_t sender = 1; sender <= senders_; ++sender) {
    if (calls_) {
      (*hosts)[0]->request(sender, bytes_);
    } else {
      (*hosts)[sender]->submit(0, bytes_);
    }
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
