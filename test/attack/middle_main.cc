// SPDX-License-Identifier: Apache-2.0
//
// attack_middle CLIENT_SIDE SERVER_SIDE GATEWAY [CANARY]: the attacker as a program, between two
// network interfaces. It takes a command per line and answers each with a line `ok name=value ...`,
// or `error: ...`:
//   figures                     what is known
//   attacks                     the names of all attacks
//   attack NAME                 sends what the attack makes of what was seen
//   replay                      sends all that was recorded again, and reflected
//   meddle DROP DELAY REPEAT REPLAY REFLECT ALTER    parts per million, from now on
//   first COUNT                 first packets from as many addresses
//   open COUNT MECHANISM        handshakes that are opened and left
//   garbage KIND RATE MILLISECONDS
//   pass MILLISECONDS           passes on and does nothing else
//   forget                      what was recorded
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

#include "catalogue.h"
#include "middle.h"

namespace {

using namespace sluice;
using namespace sluice::attack;

bool read_garbage(const std::string& name, Garbage* out) {
  for (const Garbage kind : kAllGarbage) {
    if (name != garbage_name(kind)) continue;
    *out = kind;
    return true;
  }
  return false;
}

// Appends what was done to `said`; false when the line is none that is understood.
bool attack_by(std::istringstream& words, Middle* middle, std::string* said) {
  std::string name;
  words >> name;
  const Attack* attack = find_attack(name);
  if (attack == nullptr) return false;
  *said += " sent=" + std::to_string(middle->attack(*attack));
  return true;
}

bool meddle(std::istringstream& words, Middle* middle) {
  MeddlerRates rates;
  words >> rates.drop >> rates.delay >> rates.repeat >> rates.replay >> rates.reflect >>
      rates.alter;
  if (words.fail()) return false;
  middle->meddle(rates);
  return true;
}

bool flood(const std::string& command, std::istringstream& words, Middle* middle,
           std::string* said) {
  uint32_t count = 0;
  words >> count;
  if (words.fail()) return false;
  if (command == "first") {
    middle->flood_first(count);
    middle->pass(base::millis(100));
    return true;
  }
  uint32_t mechanism = 0;
  words >> mechanism;
  *said += " opened=" + std::to_string(middle->half_open(count, static_cast<uint8_t>(mechanism)));
  return !words.fail();
}

bool litter(std::istringstream& words, Middle* middle, std::string* said) {
  std::string name;
  uint64_t rate = 0;
  uint64_t time = 0;
  Garbage kind{};
  words >> name >> rate >> time;
  if (words.fail() || !read_garbage(name, &kind)) return false;
  *said += " sent=" + std::to_string(middle->litter(kind, rate, base::millis(time)));
  return true;
}

bool obey(const std::string& line, Middle* middle, std::string* said) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  if (command == "figures") {
    for (const auto& [name, value] : middle->figures()) {
      *said += " " + name + "=" + std::to_string(value);
    }
    return true;
  }
  if (command == "attacks") {
    for (const Attack& attack : attacks()) *said += std::string(" ") + attack.name;
    return true;
  }
  if (command == "attack") return attack_by(words, middle, said);
  if (command == "replay") {
    *said += " sent=" + std::to_string(middle->replay_all());
    return true;
  }
  if (command == "meddle") return meddle(words, middle);
  if (command == "first" || command == "open") return flood(command, words, middle, said);
  if (command == "garbage") return litter(words, middle, said);
  if (command == "pass") {
    uint64_t time = 0;
    words >> time;
    middle->pass(base::millis(time));
    return !words.fail();
  }
  if (command != "forget") return false;
  middle->forget();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const auto gateway = argc < 4 ? std::nullopt : wire::parse_ip_address(argv[3]);
  if (!gateway) {
    std::fprintf(stderr, "usage: attack_middle CLIENT_SIDE SERVER_SIDE GATEWAY [CANARY]\n");
    return 2;
  }
  Middle middle(argv[1], argv[2], argc > 4 ? argv[4] : "", *gateway);
  std::printf("ready\n");
  std::fflush(stdout);
  for (std::string line;;) {
    middle.pass_until_told();
    if (!std::getline(std::cin, line)) return 0;
    std::string said = "ok";
    if (!obey(line, &middle, &said)) said = "error: not understood: " + line;
    std::printf("%s\n", said.c_str());
    std::fflush(stdout);
  }
}
