// SPDX-License-Identifier: Apache-2.0
//
// What a network that forges, changes, repeats, reflects and splices packets can do to two
// endpoints: nothing but cost them counters.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "test/unit/transport/pair.h"
#include "test/unit/transport/peer.h"
#include "test/unit/transport/watch.h"

namespace sluice::transport {
namespace {

struct Held {
  int from;
  PacketData bytes;
};

// A session in the middle of its work, and packets of every kind that are on their way: sealed
// well, seen by the attacker, not yet delivered.
class Attack : public testing::Test {
 protected:
  static constexpr uint64_t kCalls = 12;

  void begin(Pair& pair) {
    pair.connect();
    ASSERT_TRUE(pair.call(1, 64).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
    pair.set_faults(slow());
    for (uint64_t tag = 2; tag <= kCalls; ++tag) {
      const uint32_t sizes[] = {10, 300, 700, 1000, 5000, 150000};
      ASSERT_TRUE(pair.call(tag, sizes[tag % 6]).ok());
    }
    ASSERT_TRUE(pair.send_one_way(100, 20000).ok());
    pair.tap = [this](int from, PacketData* bytes) {
      // One in three of each side and kind.
      if (++passed_[from][bytes->at(wire::offsets::kType)] % 3 != 1) return true;
      held_.push_back({from, *bytes});
      return false;
    };
    pair.run_for(base::micros(150));
    pair.tap = nullptr;
    ASSERT_GT(held_.size(), 20u);
  }
  static LinkFaults slow() {
    LinkFaults faults;
    faults.delay = base::micros(20);
    return faults;
  }
  // One packet of each side and kind.
  std::vector<Held> samples() const {
    std::vector<Held> out;
    for (int from = 0; from < 2; ++from) {
      for (const uint8_t type : {1, 2}) {
        for (auto it = held_.rbegin(); it != held_.rend(); ++it) {
          if (it->from != from || it->bytes[wire::offsets::kType] != type) continue;
          out.push_back(*it);
          break;
        }
      }
    }
    return out;
  }
  // Injects a packet that must have no effect but one count, or a hint to the engine.
  void expect_no_effect(Pair& pair, int to, const PacketData& bytes, const std::string& what) {
    const State before = state_of(pair.side(to));
    const uint64_t drops = counters_of(pair.side(to)).drops;
    const Verdict verdict = pair.inject(to, bytes);
    ASSERT_EQ(state_of(pair.side(to)), before) << what;
    const uint64_t counted = counters_of(pair.side(to)).drops - drops;
    const bool hint = verdict == Verdict::kHandshake || verdict == Verdict::kReset;
    ASSERT_EQ(counted, hint ? 0u : 1u) << what;
  }
  void expect_service_goes_on(Pair& pair) {
    ASSERT_TRUE(pair.run([&] { return pair.completed() == kCalls + 1; }));
    for (const auto& [tag, outcome] : pair.outcomes()) {
      EXPECT_EQ(outcome.code, base::Code::kOk) << tag;
      EXPECT_EQ(outcome.completions, 1) << tag;
      if (tag != 100) {
        EXPECT_TRUE(outcome.intact) << tag;
      }
    }
    EXPECT_EQ(pair.executed, kCalls);
    EXPECT_EQ(pair.oneways_received, 1u);
    EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
    for (int side = 0; side < 2; ++side) {
      EXPECT_TRUE(arena_is_free(pair.side(side), pair.config(side).arena_bytes));
    }
  }

  std::vector<Held> held_;
  std::map<uint8_t, uint64_t> passed_[2];
};

TEST_F(Attack, garbage_of_every_length_changes_nothing) {
  Pair pair;
  begin(pair);
  base::Prng prng(1);
  for (uint32_t length = 0; length < 1600; length += 1 + length / 64) {
    for (const uint8_t type : {0, 1, 2, 5, 255}) {
      PacketData bytes(length);
      for (auto& b : bytes) b = static_cast<uint8_t>(prng.next_u64());
      if (length > wire::offsets::kType) {
        bytes[wire::offsets::kDoffVersion] = 0x91;
        bytes[wire::offsets::kType] = type;
      }
      const int to = static_cast<int>(prng.uniform(2));
      expect_no_effect(pair, to, bytes, "garbage of " + std::to_string(length));
      // The same, addressed to the session.
      if (length < 24) continue;
      const auto& sample = held_.front().from == 1 - to ? held_.front() : held_.back();
      if (sample.from != 1 - to) continue;
      std::copy(sample.bytes.begin() + 4, sample.bytes.begin() + 8, bytes.begin() + 4);
      bytes[wire::offsets::kLane] = 0;
      bytes[wire::offsets::kEpoch] = 0;
      expect_no_effect(pair, to, bytes, "addressed garbage of " + std::to_string(length));
    }
  }
  expect_service_goes_on(pair);
}

TEST_F(Attack, packets_cut_or_lengthened_change_nothing) {
  Pair pair;
  begin(pair);
  for (const Held& sample : samples()) {
    for (size_t length = 0; length < sample.bytes.size(); ++length) {
      PacketData cut(sample.bytes.begin(), sample.bytes.begin() + static_cast<ptrdiff_t>(length));
      expect_no_effect(pair, 1 - sample.from, cut, "cut to " + std::to_string(length));
    }
    PacketData longer = sample.bytes;
    for (int i = 0; i < 20; ++i) {
      longer.push_back(0);
      expect_no_effect(pair, 1 - sample.from, longer, "longer by " + std::to_string(i + 1));
    }
  }
  expect_service_goes_on(pair);
}

// Verifies MUST-T19: any bit of any header, frame, payload or tag.
TEST_F(Attack, a_flipped_bit_anywhere_changes_nothing) {
  Pair pair;
  begin(pair);
  ASSERT_EQ(samples().size(), 4u);
  for (const Held& sample : samples()) {
    for (size_t at = 0; at < sample.bytes.size(); ++at) {
      const bool header = at < 80 || at + 16 >= sample.bytes.size();
      for (int bit = 0; bit < 8; bit += header ? 1 : 5) {
        PacketData bad = sample.bytes;
        bad[at] ^= static_cast<uint8_t>(1u << bit);
        expect_no_effect(pair, 1 - sample.from, bad,
                         "bit " + std::to_string(bit) + " of byte " + std::to_string(at));
      }
    }
  }
  expect_service_goes_on(pair);
}

TEST_F(Attack, reflected_packets_change_nothing) {
  for (const bool equal_ids : {false, true}) {
    held_.clear();
    Pair pair;
    pair.equal_session_ids = equal_ids;
    begin(pair);
    for (const Held& held : held_) expect_no_effect(pair, held.from, held.bytes, "reflected");
    expect_service_goes_on(pair);
  }
}

TEST_F(Attack, the_header_of_one_packet_with_the_body_of_another_changes_nothing) {
  Pair pair;
  begin(pair);
  for (const Held& head : held_) {
    for (const Held& body : held_) {
      if (&head == &body || head.from != body.from) continue;
      const size_t at = head.bytes[wire::offsets::kType] == 1 ? 48 : 32;
      if (at >= head.bytes.size() || at >= body.bytes.size()) continue;
      PacketData bytes(head.bytes.begin(), head.bytes.begin() + static_cast<ptrdiff_t>(at));
      bytes.insert(bytes.end(), body.bytes.begin() + static_cast<ptrdiff_t>(at), body.bytes.end());
      expect_no_effect(pair, 1 - head.from, bytes, "spliced");
    }
  }
  expect_service_goes_on(pair);
}

TEST_F(Attack, what_was_held_back_still_has_its_effect) {
  Pair pair;
  begin(pair);
  uint64_t accepted = 0;
  for (const Held& held : held_) {
    const uint64_t drops = counters_of(pair.side(1 - held.from)).drops;
    pair.inject(1 - held.from, held.bytes);
    accepted += counters_of(pair.side(1 - held.from)).drops == drops;
  }
  EXPECT_GT(accepted, held_.size() / 2) << "else the attacks above attack nothing";
  expect_service_goes_on(pair);
}

// All that was ever sent, again, from the first packet to the last and back: into the session
// while it lives, and into an endpoint that knows nothing of it.
TEST_F(Attack, a_recorded_session_replayed_changes_nothing) {
  Pair pair;
  std::vector<Held> recorded;
  pair.tap = [&](int from, PacketData* bytes) {
    recorded.push_back({from, *bytes});
    return true;
  };
  pair.connect();
  for (uint64_t tag = 1; tag <= 60; ++tag) {
    ASSERT_TRUE(pair.call(tag, static_cast<uint32_t>(tag * tag * 5)).ok());
    if (tag % 20 == 0) pair.client().submit(UpdateKeys{pair.lane(Pair::kClient)}, pair.now());
    pair.run_for(base::micros(30));
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 60; }));
  ASSERT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
  const std::vector<Held> all = recorded;
  pair.tap = nullptr;
  for (size_t i = 0; i < all.size(); ++i) {
    expect_no_effect(pair, 1 - all[i].from, all[i].bytes, "packet " + std::to_string(i));
    const Held& back = all[all.size() - 1 - i];
    expect_no_effect(pair, 1 - back.from, back.bytes, "backwards");
  }
  EXPECT_EQ(pair.executed, 60u);
  ASSERT_TRUE(pair.call(61, 1000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 61; }));
  pair.restart(Pair::kServer);
  for (const Held& held : all) {
    if (held.from != Pair::kClient) continue;
    EXPECT_EQ(pair.inject(Pair::kServer, held.bytes), Verdict::kUnknownSession);
  }
  EXPECT_EQ(pair.executed, 61u);
  EXPECT_TRUE(pair.server().idle());
}

// Verifies MUST-T12, MUST-C2: everything twice or more, at once and later, under every other
// fault; each request executes once, and no number is used twice.
TEST_F(Attack, duplication_and_replay_execute_nothing_twice) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Pair pair({}, {}, seed);
    WireWatch watch;
    base::Prng prng(seed);
    std::vector<Held> recorded;
    pair.tap = [&](int from, PacketData* bytes) {
      watch.see(from, *bytes);
      if (prng.uniform(4) == 0) recorded.push_back({from, *bytes});
      return true;
    };
    pair.connect();
    LinkFaults faults;
    faults.loss_ppm = 50000;
    faults.duplicate_ppm = 500000;
    faults.reorder_ppm = 300000;
    faults.corrupt_ppm = 20000;
    pair.set_faults(faults);
    uint64_t started = 0;
    const bool done = pair.run([&] {
      while (started < 150 && started - pair.completed() < 10) {
        const auto size = static_cast<uint32_t>(1 + prng.uniform(uint64_t{1} << prng.uniform(17)));
        if (!pair.call(++started, size, base::seconds(60)).ok()) break;
      }
      if (prng.uniform(100) == 0) {
        pair.client().submit(UpdateKeys{pair.lane(Pair::kClient)}, pair.now());
      }
      if (!recorded.empty() && prng.uniform(2) == 0) {
        const Held& old = recorded[prng.uniform(recorded.size())];
        pair.inject(1 - old.from, old.bytes);
      }
      return pair.completed() == 150;
    });
    ASSERT_TRUE(done) << seed;
    EXPECT_EQ(pair.executed, 150u) << seed;
    EXPECT_EQ(watch.repeats, 0u) << seed;
    EXPECT_GT(pair.client().stats().key_updates.value(), 0u);
    for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << tag;
    EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5))) << seed;
  }
}

// Verifies MUST-T17: what the application was shown never changes, however long it holds it.
TEST_F(Attack, delivered_bytes_never_change) {
  Pair pair;
  pair.connect();
  LinkFaults faults;
  faults.loss_ppm = 100000;
  faults.duplicate_ppm = 500000;
  faults.reorder_ppm = 300000;
  faults.corrupt_ppm = 50000;
  pair.set_faults(faults);
  struct Shown {
    ExchangeRef exchange;
    const uint8_t* data;
    PacketData copy;
  };
  std::vector<Shown> shown;
  uint64_t changed = 0;
  const auto answer = [&](size_t keep) {
    const uint8_t byte = 1;
    while (shown.size() > keep) {
      const Shown& oldest = shown.front();
      changed += !std::equal(oldest.copy.begin(), oldest.copy.end(), oldest.data);
      pair.server().submit(Respond{oldest.exchange, &byte, 1, false, 0}, pair.now());
      shown.erase(shown.begin());
    }
  };
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind != EventKind::kRequest) return;
    shown.push_back({event.exchange, event.data, {event.data, event.data + event.length}});
    answer(6);
  });
  uint64_t started = 0;
  ASSERT_TRUE(pair.run([&] {
    while (started < 120 && started - pair.completed() < 12) {
      ++started;
      const auto size = static_cast<uint32_t>(1 + started * 211);
      if (!pair.call(started, size, base::seconds(60)).ok()) return true;
    }
    if (started == 120) answer(0);
    return pair.completed() == 120;
  }));
  EXPECT_EQ(started, 120u);
  EXPECT_EQ(changed, 0u);
}

TEST_F(Attack, plaintext_is_never_on_the_wire) {
  for (const auto algorithm : {crypto::AeadAlgorithm::kAes128Gcm, crypto::AeadAlgorithm::kAes256Gcm,
                               crypto::AeadAlgorithm::kChaCha20Poly1305}) {
    Pair pair;
    WireWatch watch;
    pair.tap = [&](int from, PacketData* bytes) {
      watch.see(from, *bytes);
      return true;
    };
    pair.connect(7, 0, algorithm);
    LinkFaults faults;
    faults.loss_ppm = 50000;
    pair.set_faults(faults);
    const auto bytes = WireWatch::canaries(200000);
    uint64_t done = 0;
    pair.set_handler(Pair::kClient, [&](const Event& event) {
      if (event.kind != EventKind::kCallDone) return;
      EXPECT_EQ(event.code, base::Code::kOk);
      EXPECT_TRUE(std::equal(event.data, event.data + event.length, bytes.begin()));
      pair.client().submit(ReleaseMessage{event.exchange}, pair.now());
      ++done;
    });
    for (const uint32_t size : {16u, 200u, 500u, 600u, 5000u, 200000u}) {
      SendRequest command;
      command.lane = pair.lane(Pair::kClient);
      command.data = bytes.data();
      command.length = size;
      ASSERT_EQ(pair.client().submit(command, pair.now()), base::Code::kOk);
    }
    ASSERT_TRUE(pair.run([&] { return done == 6; }));
    EXPECT_EQ(watch.canaries_seen, 0u);
    EXPECT_EQ(watch.repeats, 0u);
    EXPECT_GT(watch.records(), 200u);
  }
}

// A peer that holds the keys may say what it likes: nothing breaks, and nobody else suffers.
TEST_F(Attack, well_sealed_rubbish_is_survived) {
  Pair pair;
  pair.connect();
  const crypto::Secret secret = session_secret(7);
  Peer peer(pair.primitives(), pair.backend(), secret, 0, true, crypto::AeadAlgorithm::kAes128Gcm,
            base::SessionId(2007));
  base::Prng prng(3);
  for (int i = 0; i < 20000; ++i) {
    const auto byte = [&] { return static_cast<uint8_t>(prng.next_u64()); };
    const auto word = [&] { return static_cast<uint32_t>(prng.next_u64() >> prng.uniform(64)); };
    const uint64_t id = prng.uniform(8) == 0 ? prng.next_u64() : prng.uniform(40);
    PacketData packet;
    switch (prng.uniform(10)) {
      case 0:
        packet = peer.bundle(wire::GrantFrame{byte(), id, word(), byte()},
                             wire::ResendFrame{byte(), id, word(), word(), byte()});
        break;
      case 1:
        packet = peer.bundle(wire::AckFrame{byte(), id}, wire::UnknownFrame{byte(), id},
                             wire::BusyFrame{byte(), id});
        break;
      case 2:
        packet = peer.bundle(wire::GoneFrame{byte(), id, byte()}, wire::NeedAckFrame{byte(), id});
        break;
      case 3:
        packet =
            peer.bundle(wire::ReleaseFrame{id, word()}, wire::PongFrame{word(), word(), word()},
                        wire::ProbeAckFrame{static_cast<uint16_t>(word())});
        break;
      case 4: {
        PacketData clear(prng.uniform(60));
        for (auto& b : clear) b = byte();
        packet = peer.sealed_bundle(clear, PacketData(prng.uniform(100)));
        break;
      }
      case 5:
        packet = peer.request(id, PacketData(1 + prng.uniform(500)), byte() & 0x0C,
                              prng.uniform(3) == 0 ? word() : 0);
        break;
      case 6:
        packet = peer.response(id, PacketData(1 + prng.uniform(500)));
        break;
      default: {
        DataSpec spec;
        spec.id = id;
        const auto size = 1 + static_cast<uint32_t>(prng.uniform(1300));
        spec.message_length = size + (prng.uniform(4) == 0 ? 0 : word() >> 1);
        spec.offset = static_cast<uint32_t>(prng.uniform(spec.message_length - size + 1));
        spec.initiator = prng.uniform(4) != 0;
        spec.one_way = prng.uniform(4) == 0;
        spec.floor_delta = prng.uniform(4) == 0 ? word() : 0;
        spec.response_credit = word();
        spec.id &= wire::RecordNumberSplit{}.id_mask();
        packet = peer.data(spec, PacketData(size));
      }
    }
    pair.inject(Pair::kServer, packet);
    if (i % 16 == 0) pair.run_for(base::micros(20));
  }
  EXPECT_GT(pair.server().stats().drop_malformed.value(), 100u);
  pair.connect(8);
  const uint64_t before = pair.completed();
  for (uint64_t tag = 1; tag <= 5; ++tag) ASSERT_TRUE(pair.call(tag, 3000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == before + 5; }, base::seconds(3)));
  for (uint64_t tag = 1; tag <= 5; ++tag) EXPECT_TRUE(pair.outcomes()[tag].intact) << tag;
}

}  // namespace
}  // namespace sluice::transport
