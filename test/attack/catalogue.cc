// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include "cut.h"
#include "fields.h"
#include "flood.h"
#include "forge.h"
#include "replay.h"
#include "splice.h"

namespace sluice::attack {
namespace {

constexpr size_t kSealedOfAKind = 6;  // Packets of each way and type that are spliced.
constexpr size_t kFlips = 64;
constexpr uint64_t kGarbageOfAKind = 50;

void append(std::vector<Forgery> more, std::vector<Forgery>* out) {
  out->insert(out->end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

template <class Make>
std::vector<Forgery> of_each_sample(const Recording& seen, Make make) {
  std::vector<Forgery> out;
  for (const Packet& packet : seen.samples()) append(make(packet), &out);
  return out;
}

std::vector<Forgery> alter(const Recording& seen, base::Prng* /*prng*/) {
  return of_each_sample(seen, alter_fields);
}

std::vector<Forgery> cut(const Recording& seen, base::Prng* /*prng*/) {
  return of_each_sample(seen, cut_and_lengthen);
}

std::vector<Forgery> flip(const Recording& seen, base::Prng* prng) {
  return of_each_sample(seen,
                        [prng](const Packet& packet) { return flip_bits(packet, kFlips, prng); });
}

std::vector<Forgery> reflections(const Recording& seen, base::Prng* /*prng*/) {
  return reflect(seen.sealed(kSealedOfAKind * 4));
}

std::vector<Forgery> splices(const Recording& seen, base::Prng* /*prng*/) {
  return splice_packets(seen.sealed(kSealedOfAKind));
}

std::vector<Forgery> record_splices(const Recording& seen, base::Prng* /*prng*/) {
  return splice_records(seen.sealed(kSealedOfAKind * 2));
}

std::vector<Forgery> control(const Recording& seen, base::Prng* prng) {
  return forge_control(seen.sealed(2), prng);
}

std::vector<Forgery> data(const Recording& seen, base::Prng* prng) {
  return forge_data(seen.sealed(kSealedOfAKind), prng);
}

std::vector<Forgery> types(const Recording& seen, base::Prng* prng) {
  return forge_types(seen.sealed(1), prng);
}

std::vector<Forgery> handshakes(const Recording& seen, base::Prng* prng) {
  return forge_handshakes(seen.samples(), prng);
}

std::vector<Forgery> litter(const Recording& seen, base::Prng* prng) {
  std::vector<Forgery> out;
  for (const Packet& packet : seen.sealed(1)) {
    for (const Garbage kind : kAllGarbage) {
      if (kind == Garbage::kReplayed) continue;  // replay() does that.
      for (uint64_t i = 0; i < kGarbageOfAKind; ++i) {
        out.push_back({{packet.way, garbage(kind, packet, i, prng)}, garbage_name(kind)});
      }
    }
  }
  return out;
}

// Of ESP, all that the others do to packets with a header.
std::vector<Forgery> esp(const Recording& seen, base::Prng* prng) {
  const std::vector<Packet> packets = seen.esp(kSealedOfAKind);
  std::vector<Forgery> out;
  for (const Packet& packet : packets) {
    append(alter_fields(packet), &out);
    append(cut_and_lengthen(packet), &out);
    append(flip_bits(packet, kFlips, prng), &out);
    // Sent as if it were none.
    out.push_back({{packet.way, packet.bytes}, "as a packet with a header"});
  }
  append(reflect(packets), &out);
  append(splice_esp(packets), &out);
  return out;
}

constexpr Attack kAttacks[] = {
    {"alter", alter},           {"cut", cut},        {"flip", flip},
    {"reflect", reflections},   {"splice", splices}, {"records", record_splices},
    {"control", control},       {"data", data},      {"types", types},
    {"handshakes", handshakes}, {"garbage", litter}, {"esp", esp},
};

}  // namespace

std::span<const Attack> attacks() { return kAttacks; }

const Attack* find_attack(std::string_view name) {
  for (const Attack& attack : kAttacks) {
    if (name == attack.name) return &attack;
  }
  return nullptr;
}

}  // namespace sluice::attack
