// SPDX-License-Identifier: Apache-2.0
#include "meddler.h"

#include "cut.h"
#include "fields.h"

namespace sluice::attack {

bool Meddler::fires(uint32_t ppm) {
  if (ppm == 0 || prng_.uniform(1'000'000) >= ppm) return false;
  ++meddled_;
  return true;
}

Packet Meddler::altered(const Packet& packet) {
  std::vector<Forgery> forged;
  switch (prng_.uniform(3)) {
    case 0:
      forged = alter_fields(packet);
      break;
    case 1:
      forged = cut_and_lengthen(packet);
      break;
    default:
      if (packet.bytes.size() > clear_size(packet)) forged = flip_bits(packet, 1, &prng_);
      break;
  }
  return forged.empty() ? packet : forged[prng_.uniform(forged.size())].packet;
}

std::vector<Passed> Meddler::pass(const Packet& packet) {
  seen_.read(packet);
  std::vector<Passed> out;
  const auto later = [this] { return base::Nanos(prng_.uniform(rates_.delay_most.value() + 1)); };
  if (fires(rates_.replay)) {
    // Picking from all types alike takes packets of handshakes as often as others.
    const std::vector<Packet> samples = seen_.samples();
    if (!samples.empty()) out.push_back({samples[prng_.uniform(samples.size())], later()});
    const std::vector<Packet> sealed = seen_.sealed(64);
    if (!sealed.empty()) out.push_back({sealed[prng_.uniform(sealed.size())], later()});
  }
  if (fires(rates_.reflect))
    out.push_back({{reverse(packet.way), packet.bytes, packet.esp}, later()});
  if (fires(rates_.repeat)) out.push_back({packet, later()});
  if (fires(rates_.drop)) return out;
  const base::Nanos delay = fires(rates_.delay) ? later() : base::Nanos();
  out.push_back({fires(rates_.alter) ? altered(packet) : packet, delay});
  return out;
}

}  // namespace sluice::attack
