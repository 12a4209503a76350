// SPDX-License-Identifier: Apache-2.0
//
// All attacks that make packets from what was seen, by name, so that every place that can be
// attacked is attacked by each of them.
#ifndef SLUICE_TEST_ATTACK_CATALOGUE_H_
#define SLUICE_TEST_ATTACK_CATALOGUE_H_

#include <span>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "packet.h"
#include "recording.h"

namespace sluice::attack {

struct Attack {
  const char* name;
  // Packets that no honest sender has sent like that, or not once more.
  std::vector<Forgery> (*make)(const Recording& seen, base::Prng* prng);
};

std::span<const Attack> attacks();
// Null when there is none of that name.
const Attack* find_attack(std::string_view name);

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_CATALOGUE_H_
