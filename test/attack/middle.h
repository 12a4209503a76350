// SPDX-License-Identifier: Apache-2.0
//
// The attacker on a cable: between the interfaces that lead to a client and to a server, it passes
// on what they say, reads all of it, and does what it is told.
#ifndef SLUICE_TEST_ATTACK_MIDDLE_H_
#define SLUICE_TEST_ATTACK_MIDDLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/prng.h"
#include "canary.h"
#include "flood.h"
#include "framer.h"
#include "meddler.h"
#include "raw_socket.h"
#include "recording.h"

namespace sluice::attack {

class Middle {
 public:
  // `gateway`: an address that the attacker answers for, so that the server's answers to hosts that
  // are not there come here.
  Middle(const std::string& client_side, const std::string& server_side, std::string canary,
         const wire::IpAddress& gateway);

  // Passes on for so long; or until a line can be read from standard input.
  void pass(base::Nanos time);
  void pass_until_told();

  void meddle(const MeddlerRates& rates) { meddler_.set_rates(rates); }
  // Sends what the attack makes of what was seen; returns how many.
  size_t attack(const struct Attack& attack);
  // All that was recorded again, to its receivers, and reflected.
  size_t replay_all();
  // `count` first packets, each from another address.
  void flood_first(uint32_t count);
  // `count` handshakes of this mechanism opened from as many addresses, and left in the middle;
  // returns for how many the server has proved their address.
  uint32_t half_open(uint32_t count, uint8_t mechanism);
  // Garbage of one kind to the server for `time`, `rate` a second; returns how many.
  uint64_t litter(Garbage kind, uint64_t rate, base::Nanos time);
  void forget() { seen_ = Recording(); }

  // Every figure that is known, by name.
  std::vector<std::pair<std::string, uint64_t>> figures() const;

 private:
  // What went to and came from an address that has proved nothing, in bytes of IP packets.
  struct Stranger {
    uint64_t sent = 0;
    uint64_t received = 0;
  };

  static base::Nanos clock();
  void pass_once(base::Nanos wait, bool stdin_too);
  void take(Way way, const Bytes& frame);
  void to_stranger(const wire::ParsedFrame& parsed, std::span<const uint8_t> frame);
  void send(const Packet& packet);
  void send_as(uint32_t number, const Bytes& bytes);
  void send_due();
  // Lets the receivers work now and then, and hears what they say.
  void breathe(uint64_t sent);
  RawSocket& socket_to(Way way) { return way == Way::kToServer ? server_ : client_; }
  uint64_t worst_ratio() const;

  RawSocket client_;
  RawSocket server_;
  Canary canary_;
  wire::IpAddress gateway_;
  Framer framer_;
  Meddler meddler_{{}, 1};
  Recording seen_;
  base::Prng prng_{1};
  std::multimap<base::Nanos, Packet> later_;
  std::unordered_map<uint32_t, Stranger> strangers_;
  std::unordered_map<uint32_t, HalfOpen> half_open_;
  uint32_t opened_ = 0;
  uint64_t forwarded_ = 0;
  uint64_t forged_ = 0;
  bool told_ = false;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_MIDDLE_H_
