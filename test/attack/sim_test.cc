// SPDX-License-Identifier: Apache-2.0
//
// The attacker between two hosts in the simulator: on virtual time, with real handshakes, real
// sealing, and every attack there is.
#include <gtest/gtest.h>
#include <malloc.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalogue.h"
#include "fields.h"
#include "flood.h"
#include "meddler.h"
#include "recording.h"
#include "replay.h"
#include "transport/handshake_packets.h"
#include "world.h"

namespace sluice::attack {
namespace {

constexpr size_t kSizes[] = {16, 300, 1000, 5000, 60000};

// A session in the middle of its work, of which the attacker holds back one packet in three: so
// that it has packets that are true, and not yet known to their receiver.
class Held {
 public:
  explicit Held(World* world) : world_(world) {
    world_->attacker = [this](const Packet& packet) -> std::vector<Packet> {
      seen_.read(packet);
      const uint8_t type = packet.esp ? 0 : type_byte(packet.bytes);
      const bool hold = (packet.esp || !is_type(packet.bytes, wire::PacketType::kHandshake)) &&
                        ++passed_[{packet.way, type}] % 3 == 0;
      if (!hold) return {packet};
      held_.read(packet);
      return {};
    };
  }
  void stop() { world_->attacker = nullptr; }
  const Recording& seen() const { return seen_; }
  const Recording& held() const { return held_; }

 private:
  World* world_;
  std::map<std::pair<Way, uint8_t>, uint64_t> passed_;
  Recording seen_;
  Recording held_;
};

void begin(World* world, size_t calls = 20) {
  world->connect();
  ASSERT_TRUE(world->run([&] { return world->client().sessions() == 1; }, base::seconds(2)));
  ASSERT_TRUE(world->run([&] { return world->server().sessions() == 1; }, base::seconds(2)));
  for (size_t i = 0; i < calls; ++i) ASSERT_TRUE(world->call(kSizes[i % std::size(kSizes)]));
}

void expect_promises_kept(World* world, uint64_t calls) {
  EXPECT_TRUE(world->settle());
  EXPECT_EQ(world->violation(), "");
  EXPECT_EQ(world->completed_well(), calls);
  EXPECT_EQ(world->executions(), calls);
}

// The packet with one of its fields changed; which one goes round with `turn`. `changes` becomes
// the longest round that any packet has.
Packet altered(const Packet& packet, size_t turn, size_t* changes) {
  const std::vector<Forgery> all = alter_fields(packet);
  *changes = std::max(*changes, all.size());
  return all[turn % all.size()].packet;
}

struct Setting {
  const char* name;
  WorldOptions options;
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

class UnderAttack : public testing::TestWithParam<Setting> {};

// No packet that its sender has not sent like that changes anything but counters, whatever attack
// made it: of those held back each is true, so that only the change can give it away.
// Verifies MUST-T19, MUST-C10
TEST_P(UnderAttack, no_forgery_changes_anything) {
  World world(GetParam().options);
  Held attacker(&world);
  begin(&world);
  world.run_for(base::micros(120));
  attacker.stop();
  ASSERT_GT(attacker.held().packets(), 10u);
  base::Prng prng(GetParam().options.seed);
  for (const Attack& attack : attacks()) {
    const WorldOptions& options = GetParam().options;
    const std::string_view name = attack.name;
    const bool fits = name == "records" ? options.record_mode : (name == "esp") == options.esp;
    for (const Recording* base : {&attacker.held(), &attacker.seen()}) {
      const std::vector<Forgery> forgeries = attack.make(*base, &prng);
      if (fits) {
        EXPECT_TRUE(base == &attacker.held() || !forgeries.empty()) << attack.name;
      }
      for (const Forgery& forged : forgeries) {
        Host& host = world.receiver(forged.packet.way);
        const Snapshot before = host.snapshot();
        world.inject(forged.packet);
        const Snapshot after = host.snapshot();
        ASSERT_EQ(difference(before, after), "") << attack.name << ": " << forged.what;
      }
    }
  }
  expect_promises_kept(&world, 20);
}

// What was sent word for word, again and in any order, while the session lives.
// Verifies MUST-C10, MUST-T12
TEST_P(UnderAttack, a_replay_into_the_live_session_changes_nothing) {
  World world(GetParam().options);
  Recording seen;
  world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
    seen.read(packet);
    return {packet};
  };
  begin(&world);
  ASSERT_TRUE(world.settle());
  world.run_for(base::millis(5));
  base::Prng prng(1);
  for (const Forgery& again : replay(seen.all(), &prng)) {
    Host& host = world.receiver(again.packet.way);
    const Snapshot before = host.snapshot();
    world.inject(again.packet);
    ASSERT_EQ(difference(before, host.snapshot()), "") << again.what;
  }
  for (const Forgery& back : reflect(seen.all())) {
    Host& host = world.receiver(back.packet.way);
    const Snapshot before = host.snapshot();
    world.inject(back.packet);
    ASSERT_EQ(difference(before, host.snapshot()), "") << back.what;
  }
  for (int more = 0; more < 5; ++more) ASSERT_TRUE(world.call(1000));
  expect_promises_kept(&world, 25);
}

// All of a session, its handshake and early requests included, into later sessions, into a server
// that has restarted, and into the session that the client has with that.
// Verifies MUST-E2, MUST-H8, MUST-T12
TEST_P(UnderAttack, a_replay_into_other_sessions_and_lives_executes_nothing) {
  World world(GetParam().options);
  Recording seen;
  world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
    seen.read(packet);
    return {packet};
  };
  base::Prng prng(2);
  uint64_t calls = 0;
  const auto work = [&](bool early) {
    const size_t before = world.client().sessions();
    world.connect(early);
    ASSERT_TRUE(world.run([&] { return world.client().sessions() > before; }, base::seconds(5)));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.call(kSizes[i % 4]));
    calls += early ? 6 : 5;
    ASSERT_TRUE(world.settle());
    ASSERT_EQ(world.executions(), calls);
  };
  const auto replay_all = [&] {
    std::vector<Packet> all = seen.all();
    const std::vector<Packet> sealed = seen.of(Way::kToServer, wire::PacketType::kBundle);
    std::vector<Forgery> again = replay(all, &prng);
    if (!sealed.empty()) {
      for (Forgery& moved : transplant(all, sealed.back())) again.push_back(std::move(moved));
    }
    for (const Forgery& forged : again) {
      world.inject(forged.packet);
      if (prng.uniform(50) == 0) world.run_for(base::micros(50));
    }
    world.run_for(base::millis(50));
    ASSERT_EQ(world.violation(), "");
    ASSERT_EQ(world.executions(), calls);
  };
  work(false);
  work(true);  // By its ticket, where there is one, with a request in the hello.
  const transport::ConnectorStats& stats = world.server().connector().stats();
  const bool tls = GetParam().options.tls;
  ASSERT_EQ(stats.early_taken.value(), tls ? 1u : 0u);
  replay_all();
  world.run_for(base::seconds(30));  // Cookies and lingering handshakes have gone.
  replay_all();
  EXPECT_EQ(stats.early_taken.value(), tls ? 1u : 0u);
  EXPECT_EQ(stats.early_replayed.value() > 0, tls) << "else the attack above attacks nothing";
  work(false);
  replay_all();
  // Another process: what it has to fear is what its predecessor has executed.
  world.restart_server();
  replay_all();
  EXPECT_EQ(world.server().sessions(), 0u);
  EXPECT_EQ(world.server().connector().stats().early_taken.value(), 0u);
  EXPECT_EQ(world.server().connector().stats().established_server.value(), 0u);
  work(true);
  replay_all();
  world.run_for(base::seconds(30));
  EXPECT_EQ(world.server().connector().pending(), 0u);
  EXPECT_EQ(world.violation(), "");
  EXPECT_EQ(world.executions(), calls);
}

// Each packet of a handshake changed on its way in each field, once: the session comes about by
// what is said again, is the same on both sides, and never another.
// Verifies MUST-H10, MUST-I3
TEST_P(UnderAttack, a_handshake_survives_each_changed_field) {
  // Each world makes its certificates and keys anew, so not every bit gets one.
  constexpr size_t kStride = 11;
  for (size_t turn = 0, changes = 1; turn < changes; turn += kStride) {
    World world(GetParam().options);
    std::set<std::pair<Way, uint8_t>> changed;
    world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
      if (packet.esp || !is_type(packet.bytes, wire::PacketType::kHandshake)) return {packet};
      const auto kind = std::pair(packet.way, packet.bytes[wire::offsets::kMessageType]);
      if (!changed.insert(kind).second) return {packet};
      return {altered(packet, turn, &changes)};
    };
    world.connect();
    ASSERT_TRUE(world.run([&] { return world.client().sessions() == 1; }, base::seconds(10)))
        << turn;
    world.attacker = nullptr;
    ASSERT_TRUE(world.call(300));
    expect_promises_kept(&world, 1);
    EXPECT_EQ(world.client().sessions(), 1u);
    EXPECT_EQ(world.server().sessions(), 1u);
  }
}

// Everything at once, for as long as it lasts: at the end every call has ended once and well, every
// request was executed once, what was delivered never changed, and no plaintext was seen.
// Verifies MUST-T1, MUST-T17, MUST-C2
TEST_P(UnderAttack, everything_at_once_is_survived) {
  uint64_t meddled = 0;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    WorldOptions options = GetParam().options;
    options.seed = seed;
    World world(options);
    begin(&world, 0);
    Meddler meddler({.drop = 50'000,
                     .delay = 200'000,
                     .repeat = 200'000,
                     .replay = 200'000,
                     .reflect = 100'000,
                     .alter = 50'000},
                    seed);
    base::Prng prng(seed);
    world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
      for (const Passed& passed : meddler.pass(packet)) {
        world.send_later(passed.packet, passed.delay);
      }
      const auto& attack = attacks()[prng.uniform(attacks().size())];
      if (prng.uniform(20) == 0) {
        const std::vector<Forgery> forged = attack.make(meddler.seen(), &prng);
        if (!forged.empty()) {
          world.send_later(forged[prng.uniform(forged.size())].packet, base::Nanos());
        }
      }
      return {};
    };
    uint64_t started = 0;
    const uint64_t calls = 80;
    ASSERT_TRUE(world.run([&] {
      while (started < calls && started - world.completed() < 8) {
        if (!world.call(kSizes[prng.uniform(std::size(kSizes))])) break;
        ++started;
      }
      if (prng.uniform(200) == 0) {
        world.client().endpoint().submit(transport::UpdateKeys{world.lane()}, world.now());
      }
      return started == calls;
    }));
    expect_promises_kept(&world, calls);
    EXPECT_EQ(world.client().resets_obeyed() + world.server().resets_obeyed(), 0u);
    meddled += meddler.meddled();
  }
  EXPECT_GT(meddled, 500u);
}

INSTANTIATE_TEST_SUITE_P(Sessions, UnderAttack,
                         testing::Values(Setting{"psk", {.seed = 11}},
                                         Setting{"tls", {.tls = true, .seed = 12}},
                                         Setting{"records", {.record_mode = true, .seed = 13}},
                                         Setting{"esp", {.esp = true, .seed = 14}}),
                         [](const testing::TestParamInfo<Setting>& each) {
                           return each.param.name;
                         });

}  // namespace
}  // namespace sluice::attack
