// SPDX-License-Identifier: Apache-2.0
//
// Goodput under a flood of garbage. The server's lcore is a queue here: its ring is as long as a
// port's, it takes bursts of 32, and each packet keeps it busy for as many instructions as
// perf/instructions counts (perf/baseline.json). So no clock decides, and a packet that becomes
// dearer to refuse shows here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <sstream>
#include <string>

#include "flood.h"
#include "world.h"

namespace sluice::attack {
namespace {

constexpr size_t kRing = 512;
constexpr size_t kControlRing = 512;
constexpr size_t kBurst = 32;
constexpr uint64_t kInstructionsPerMicrosecond = 2500;
constexpr size_t kSessions = 8;
constexpr uint64_t kCalls = 1500;
constexpr uint64_t kFlood = 10;  // Packets of garbage for each of the sessions' packets.

uint64_t instructions(const std::string& name) {
  std::ifstream file(SLUICE_INSTRUCTIONS);
  std::stringstream text;
  text << file.rdbuf();
  const std::string key = "\"receive_" + name + "\": ";
  const size_t at = text.str().find(key);
  if (at == std::string::npos) return 0;
  return std::strtoull(text.str().c_str() + at + key.size(), nullptr, 10);
}

base::Nanos time_of(uint64_t count) {
  return base::Nanos(count * 1000 / kInstructionsPerMicrosecond);
}

// A server at a tenth of its capacity, and the garbage that comes beside.
class Load {
 public:
  explicit Load(bool flooded) : flooded_(flooded) {
    for (size_t i = 0; i < kSessions; ++i) {
      world_.connect();
      EXPECT_TRUE(world_.run([&] { return world_.client().sessions() == i + 1; }));
    }
    EXPECT_TRUE(world_.run([&] { return world_.server().sessions() == kSessions; }));
    EXPECT_TRUE(world_.call(64));
    world_.attacker = [this](const Packet& packet) -> std::vector<Packet> {
      if (packet.way == Way::kToClient) return {packet};
      seen_ = packet;
      arrive(packet.bytes, good_);
      return {};
    };
    EXPECT_TRUE(world_.run([&] {
      turn();
      return world_.completed() == 1;
    }));
  }

  // Calls at a tenth of what the lcore can do, with garbage of this kind, or of all kinds.
  void run(std::span<const Garbage> kinds) {
    const base::Nanos between = time_of(good_) * 10;
    const base::Nanos begin = world_.now();
    uint64_t asked = 0;
    uint64_t thrown = 0;
    while (asked < kCalls) {
      const uint64_t due = base::elapsed(begin, world_.now()).value() / between.value();
      for (; asked < std::min(due, kCalls); ++asked) EXPECT_TRUE(world_.call(64));
      for (; flooded_ && thrown < due * kFlood; ++thrown) throw_one(kinds, thrown);
      turn();
    }
    took_ = base::elapsed(begin, world_.now());
    in_time_ = world_.completed_well();
    EXPECT_TRUE(world_.run([&] {
      turn();
      return world_.completed() == world_.asked();
    }));
    thrown_ = thrown;
  }

  World& world() { return world_; }
  uint64_t in_time() const { return in_time_; }
  uint64_t thrown() const { return thrown_; }
  base::Nanos took() const { return took_; }

 private:
  struct Queued {
    Bytes bytes;
    uint64_t cost;
    transport::PeerAddress from;
  };

  void throw_one(std::span<const Garbage> kinds, uint64_t number) {
    const Garbage kind = kinds[number % kinds.size()];
    const bool hello = kind == Garbage::kBadCookie || kind == Garbage::kFirstPacket;
    // On the lcore a hello costs what any packet does that goes no further; the rest is the control
    // thread's.
    arrive(garbage(kind, seen_, number, &prng_),
           instructions_[hello ? static_cast<size_t>(Garbage::kUnknownSession)
                               : static_cast<size_t>(kind)],
           hello ? static_cast<uint32_t>(number) + 1 : 0);
  }

  void arrive(Bytes bytes, uint64_t cost, uint32_t stranger = 0) {
    if (ring_.size() >= kRing) return;  // Lost, as in a port's.
    const transport::PeerAddress from{wire::IpAddress::from_v4(0x0b000000 + stranger), 4791};
    ring_.push_back({std::move(bytes), cost, stranger == 0 ? world_.client().address() : from});
  }

  // One turn of the lcore's loop, and as much time as it takes.
  void turn() {
    uint64_t cost = 200;  // Of a turn that finds nothing.
    for (size_t i = 0; i < kBurst && !ring_.empty(); ++i) {
      Queued packet = std::move(ring_.front());
      ring_.pop_front();
      cost += packet.cost;
      if (!is_type(packet.bytes, wire::PacketType::kHandshake)) {
        world_.inject({Way::kToServer, std::move(packet.bytes)}, packet.from);
      } else if (control_.size() < kControlRing) {
        control_.push_back(std::move(packet));
      }
    }
    world_.run_for(time_of(cost));
    work_control();
  }

  // The control thread, on a CPU of its own.
  void work_control() {
    while (!control_.empty() && control_free_at_ <= world_.now()) {
      Queued packet = std::move(control_.front());
      control_.pop_front();
      control_free_at_ =
          base::after(std::max(control_free_at_, world_.now()),
                      time_of(instructions_[static_cast<size_t>(Garbage::kBadCookie)]));
      world_.inject({Way::kToServer, std::move(packet.bytes)}, packet.from);
    }
  }

  bool flooded_;
  World world_{{.seed = 5, .held_requests = 0}};
  base::Prng prng_{9};
  Packet seen_;
  std::deque<Queued> ring_;
  std::deque<Queued> control_;
  base::Nanos control_free_at_;
  const uint64_t good_ = instructions("good");
  const std::vector<uint64_t> instructions_ = [] {
    std::vector<uint64_t> out;
    for (const Garbage kind : kAllGarbage) out.push_back(instructions(garbage_name(kind)));
    return out;
  }();
  uint64_t in_time_ = 0;
  uint64_t thrown_ = 0;
  base::Nanos took_;
};

TEST(LoadUnderFlood, every_kind_of_garbage_has_a_counted_price) {
  const uint64_t good = instructions("good");
  ASSERT_GT(good, 0u);
  for (const Garbage kind : kAllGarbage) {
    const uint64_t price = instructions(garbage_name(kind));
    EXPECT_GT(price, 0u) << garbage_name(kind);
    // What an lcore does itself is to be cheaper than the packet it pretends to be.
    if (kind != Garbage::kBadCookie && kind != Garbage::kFirstPacket) {
      EXPECT_LT(price, good) << garbage_name(kind);
    }
  }
}

TEST(LoadUnderFlood, sessions_keep_nine_tenths_of_their_goodput) {
  Load calm(false);
  calm.run(kAllGarbage);
  ASSERT_GE(calm.in_time(), kCalls * 99 / 100);
  for (const Garbage& kind : kAllGarbage) {
    for (const std::span<const Garbage> kinds :
         {std::span<const Garbage>(&kind, 1), std::span<const Garbage>(kAllGarbage)}) {
      if (kinds.size() > 1 && kind != kAllGarbage[0]) continue;
      Load flooded(true);
      flooded.run(kinds);
      const char* const name = kinds.size() == 1 ? garbage_name(kind) : "all kinds";
      EXPECT_GE(flooded.thrown(), (kCalls - 1) * kFlood) << name;
      EXPECT_GE(flooded.in_time(), calm.in_time() * 9 / 10) << name;
      // At the same rate of calls: a server that fell behind would have taken longer.
      EXPECT_LE(flooded.took().value(), calm.took().value() * 10 / 9) << name;
      EXPECT_EQ(flooded.world().completed_well(), flooded.world().asked()) << name;
      EXPECT_EQ(flooded.world().executions(), flooded.world().asked()) << name;
      EXPECT_EQ(flooded.world().violation(), "") << name;
      EXPECT_EQ(flooded.world().server().sessions(), kSessions) << name;
    }
  }
}

}  // namespace
}  // namespace sluice::attack
