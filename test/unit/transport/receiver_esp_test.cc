// SPDX-License-Identifier: Apache-2.0
//
// ESP as a receiver takes it, and every reason for which it does not.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "test/unit/transport/esp_bench.h"
#include "test/unit/transport/pair.h"

namespace sluice::transport {
namespace {

constexpr uint32_t kSpi = Roles::kLocalBase + 4 * Roles::kLane;

// Verifies MUST-S5: small and long requests, frames, and what comes out of order or twice.
TEST(ReceiverEsp, delivers_what_comes_as_esp) {
  Roles r(esp_config());
  const PacketData small = pattern(33);
  r.give_esp({as_esp(r, r.peer.request(1, small))});
  auto events = r.polled();
  ASSERT_EQ(events.size(), 2u);  // The lane is up, and the request is there.
  EXPECT_EQ(PacketData(events[1].data, events[1].data + events[1].length), small);
  const PacketData bytes = pattern(2500);
  std::vector<PacketData> packets;
  for (const uint32_t offset : {2000u, 0u, 1000u, 0u}) {
    DataSpec spec;
    spec.id = 2;
    spec.offset = offset;
    spec.message_length = 2500;
    const size_t size = std::min<size_t>(1000, 2500 - offset);
    packets.push_back(
        as_esp(r, r.peer.data(spec, {bytes.begin() + offset, bytes.begin() + offset + size})));
  }
  r.give_esp(packets);
  events = r.polled();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(PacketData(events[0].data, events[0].data + events[0].length), bytes);
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), 4u);
  EXPECT_EQ(r.ctx.stats.drop_duplicate.value(), 1u);
  EXPECT_GT(r.ctx.stats.rx_bytes.value(), bytes.size());
}

// Verifies MUST-S5: a peer may send a packet as §3 has it, and both kinds may come in one burst.
TEST(ReceiverEsp, plain_packets_are_taken_too) {
  Roles r(esp_config());
  r.give(r.peer.request(1, pattern(20)));
  r.give_esp({as_esp(r, r.peer.request(2, pattern(20)))});
  EXPECT_EQ(r.polled().size(), 3u);
}

// Nothing of the lane has changed but counters.
struct Snapshot {
  explicit Snapshot(const Roles& r)
      : heard(r.lane->heard),
        last(r.lane->last_heard),
        epoch(r.lane->receive.epoch()),
        highest(r.lane->peer_ids.highest()),
        exchanges(r.ctx.exchanges.in_use()) {}
  bool heard;
  base::Nanos last;
  base::Epoch epoch;
  uint64_t highest;
  size_t exchanges;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

// Gives the packet, which is dropped for the reason that `counter` counts and changes nothing.
void expect_drop(Roles& r, const PacketData& packet, const Counter& counter) {
  const Snapshot before(r);
  const uint64_t counted = counter.value();
  r.pass(base::micros(1));
  r.give_esp({packet});
  EXPECT_EQ(counter.value(), counted + 1);
  EXPECT_EQ(Snapshot(r), before);
}

// The same of a packet that the key does not fit: its number is then any, and so may be the reason.
void expect_nothing(Roles& r, const PacketData& packet) {
  const Snapshot before(r);
  const uint64_t received = r.ctx.stats.rx_esp.value();
  r.pass(base::micros(1));
  r.give_esp({packet});
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), received);
  EXPECT_EQ(Snapshot(r), before);
}

// Verifies MUST-S3
TEST(ReceiverEsp, drops_lengths_that_esp_cannot_have) {
  Roles r(esp_config());
  PacketData packet = as_esp(r, r.peer.bundle(wire::PingFrame{1}));
  packet.push_back(0);
  expect_drop(r, packet, r.ctx.stats.drop_esp_length);
  packet.resize(wire::kEspPacketMin - 4);
  expect_drop(r, packet, r.ctx.stats.drop_esp_length);
  packet.resize(1);
  expect_drop(r, packet, r.ctx.stats.drop_esp_length);
}

// Verifies MUST-S5: no SPI but the lane's leads anywhere, and none draws a RESET.
TEST(ReceiverEsp, drops_other_spis) {
  Roles r(esp_config());
  const PacketData good = as_esp(r, r.peer.bundle(wire::PingFrame{1}));
  for (const uint32_t spi : {0u, 1u, kSpi - 4, kSpi + 4, kSpi + wire::kEspSpis, ~0u}) {
    PacketData packet = good;
    base::store_be32(packet.data(), spi);
    expect_drop(r, packet, r.ctx.stats.drop_spi);
  }
  // A lane without ESP has no SPI.
  Roles plain(bench_config());
  expect_drop(plain, good, plain.ctx.stats.drop_spi);
}

// Verifies MUST-S5: a packet of one lane that names another one's SPI is opened by that one's key.
TEST(ReceiverEsp, drops_what_another_lane_was_sent) {
  Roles r(esp_config());
  InstallLane command = r.lane_command();
  command.lane = Roles::kLane + 1;
  crypto::derive_lane_secrets(*r.ctx.primitives, session_secret(7), true, command.lane,
                              &command.secrets);
  ASSERT_EQ(r.lifecycle.open_lane(command, r.now, nullptr), base::Code::kOk);
  PacketData packet = as_esp(r, r.peer.bundle(wire::PingFrame{1}));
  base::store_be32(packet.data(), kSpi + 4);
  expect_nothing(r, packet);
}

// Verifies MUST-S5: of the four epochs that an SPI can name, those that have no key.
TEST(ReceiverEsp, drops_epochs_without_a_key) {
  Roles r(esp_config());
  const PacketData good = as_esp(r, r.peer.bundle(wire::PingFrame{1}));
  for (const uint32_t epoch : {2u, 3u}) {
    PacketData packet = good;
    base::store_be32(packet.data(), kSpi + epoch);
    expect_drop(r, packet, r.ctx.stats.drop_epoch);
  }
  PacketData packet = good;
  base::store_be32(packet.data(),
                   kSpi + 1);  // The next epoch's key is there, and does not open it.
  expect_nothing(r, packet);
}

// Verifies MUST-S5: the previous, the current and the next epoch are told apart, and taken.
TEST(ReceiverEsp, follows_the_epochs_of_its_peer) {
  Roles r(esp_config());
  for (uint64_t epoch = 0; epoch < 9; ++epoch) {
    r.peer.set_send_epoch(epoch);
    const PacketData late = as_esp(r, r.peer.bundle(wire::PingFrame{1}), epoch);
    r.peer.set_send_epoch(epoch);
    r.give_esp({as_esp(r, r.peer.bundle(wire::PingFrame{2}), epoch)});
    EXPECT_EQ(r.lane->receive.epoch().value(), epoch);
    r.peer.set_send_epoch(epoch + 1);
    r.give_esp({as_esp(r, r.peer.bundle(wire::PingFrame{3}), epoch + 1)});
    EXPECT_EQ(r.lane->receive.epoch().value(), epoch + 1);
    const uint64_t before = r.ctx.stats.rx_esp.value();
    r.give_esp({late});
    EXPECT_EQ(r.ctx.stats.rx_esp.value(), before + 1) << "overtaken, and still good";
  }
}

// Verifies MUST-S5: whatever bit of it changes on its way, nothing comes of it.
TEST(ReceiverEsp, drops_what_was_changed) {
  Roles r(esp_config());
  const PacketData good = as_esp(r, r.peer.request(1, pattern(10)));
  const Snapshot before(r);
  for (size_t at = 0; at < good.size(); ++at) {
    for (const uint8_t bit : {0x01, 0x80}) {
      PacketData packet = good;
      packet[at] ^= bit;
      r.give_esp({packet});
      EXPECT_EQ(Snapshot(r), before) << at;
    }
  }
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), 0u);
  r.give_esp({good});
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), 1u);
}

// Verifies MUST-S5: by §6.4 and not by the sequence number.
TEST(ReceiverEsp, drops_replays_by_the_record_number) {
  Roles r(esp_config());
  Association sa(false, 0);
  const PacketData plain = r.peer.bundle(wire::PingFrame{1});
  const PacketData first = as_esp(r, plain);
  r.give_esp({first, first});
  EXPECT_EQ(r.ctx.stats.drop_replay.value(), 1u) << "in one burst";
  expect_drop(r, first, r.ctx.stats.drop_replay);
  // The same record under another sequence number is the same; another one under the same is not.
  const PacketData inside = with_trailer(inside_of(r, plain));
  const uint64_t number = base::load_be64(plain.data() + wire::offsets::kRecordNumber);
  expect_drop(r, sa.seal({kSpi, 77, sa.iv_of(number)}, inside), r.ctx.stats.drop_replay);
  const uint64_t before = r.ctx.stats.rx_esp.value();
  r.give_esp({as_esp(r, r.peer.bundle(wire::PingFrame{1}))});
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), before + 1);
}

// Verifies MUST-S5: a DATA packet that comes again shows no sign of life, while its message is
// under way and after: whoever recorded it could keep a lane alive else whose peer is gone.
TEST(ReceiverEsp, data_that_comes_again_changes_nothing) {
  Roles r(esp_config());
  const PacketData bytes = pattern(2000);
  const auto part = [&](uint32_t offset) {
    DataSpec spec;
    spec.offset = offset;
    spec.message_length = 2000;
    return as_esp(r, r.peer.data(spec, {bytes.begin() + offset, bytes.begin() + offset + 1000}));
  };
  const PacketData first = part(0);
  r.give_esp({first});
  expect_drop(r, first, r.ctx.stats.drop_duplicate);
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), 1u);
  const PacketData second = part(1000);
  r.give_esp({second, first, second});
  EXPECT_EQ(r.ctx.stats.rx_esp.value(), 2u);
  EXPECT_EQ(r.ctx.stats.drop_duplicate.value(), 3u);
  expect_drop(r, first, r.ctx.stats.drop_duplicate);
  // The response to a call that nobody has made, or that is over.
  DataSpec response;
  response.initiator = false;
  response.id = 1;
  expect_drop(r, as_esp(r, r.peer.data(response, pattern(10))), r.ctx.stats.drop_late);
  EXPECT_EQ(r.ctx.stats.drop_tag.value(), 0u);
}

// Verifies MUST-S3
TEST(ReceiverEsp, drops_other_trailers) {
  Roles r(esp_config());
  Association sa(false, 0);
  const auto sealed = [&](const std::function<void(PacketData*)>& change) {
    const PacketData plain = r.peer.bundle(wire::PingFrame{1});
    PacketData inside = with_trailer(inside_of(r, plain));
    change(&inside);
    const uint64_t number = base::load_be64(plain.data() + wire::offsets::kRecordNumber);
    return sa.seal({kSpi, 1, sa.iv_of(number)}, inside);
  };
  expect_drop(r, sealed([](PacketData* p) { p->back() = wire::kProtocolUdp; }),
              r.ctx.stats.drop_esp_trailer);
  expect_drop(r, sealed([](PacketData* p) { (*p)[p->size() - 2] = 200; }),
              r.ctx.stats.drop_esp_trailer);
  expect_drop(r, sealed([](PacketData* p) { (*p)[p->size() - 2] ^= 2; }),
              r.ctx.stats.drop_esp_trailer);
}

// Verifies MUST-S5: the header inside says what led to the key, and is that of a packet. Who seals
// otherwise has the keys, and is still not believed.
TEST(ReceiverEsp, drops_headers_that_disagree) {
  using wire::offsets::kBits;
  using wire::offsets::kDoffVersion;
  using wire::offsets::kEpoch;
  using wire::offsets::kLane;
  using wire::offsets::kRecordNumber;
  using wire::offsets::kSession;
  using wire::offsets::kType;
  Roles r(esp_config());
  Association sa(false, 0);
  const auto sealed = [&](const PacketData& plain, const std::function<void(PacketData*)>& change) {
    PacketData inside = inside_of(r, plain);
    change(&inside);
    const uint64_t number = base::load_be64(plain.data() + kRecordNumber);
    return sa.seal({kSpi, 1, sa.iv_of(number)}, with_trailer(inside));
  };
  const auto bundle = [&] { return r.peer.bundle(wire::PingFrame{1}); };
  const auto data = [&] { return r.peer.data({}, pattern(100)); };
  for (const size_t at : {kRecordNumber + 7, kSession + 3, kLane, kEpoch, kType, kDoffVersion}) {
    const auto change = [at](PacketData* p) { (*p)[at] ^= 1; };
    expect_drop(r, sealed(bundle(), change), r.ctx.stats.drop_esp_header);
    expect_drop(r, sealed(data(), change), r.ctx.stats.drop_esp_header);
  }
  expect_drop(r, sealed(data(), [](PacketData* p) { (*p)[kBits] ^= wire::kBitInitiator; }),
              r.ctx.stats.drop_esp_header);
  expect_drop(r, sealed(data(), [](PacketData* p) { (*p)[kType] = 5; }),
              r.ctx.stats.drop_esp_header);
  expect_drop(r, sealed(data(), [](PacketData* p) { (*p)[wire::offsets::kSequence] = 1; }),
              r.ctx.stats.drop_esp_header);
  expect_drop(r, sealed(bundle(), [](PacketData* p) { (*p)[wire::offsets::kClearLength] = 1; }),
              r.ctx.stats.drop_esp_header);
}

EndpointConfig pair_config() {
  EndpointConfig config;
  config.esp = true;
  return config;
}

// Verifies MUST-S5: under all that a network does, with key updates on the way.
TEST(Esp, calls_hold_from_end_to_end) {
  for (const uint64_t seed : {1, 2, 3}) {
    Pair pair(pair_config(), pair_config(), seed);
    LinkFaults faults;
    faults.loss_ppm = 20'000;
    faults.duplicate_ppm = 20'000;
    faults.reorder_ppm = 100'000;
    faults.corrupt_ppm = 10'000;
    pair.set_faults(faults);
    pair.connect();
    const uint64_t calls = 60;
    for (uint64_t tag = 1; tag <= calls; ++tag) {
      ASSERT_TRUE(pair.call(tag, tag % 10 == 0 ? 120'000 : static_cast<uint32_t>(tag * 37)).ok());
      if (tag % 7 == 0) {
        for (const int side : {Pair::kClient, Pair::kServer}) {
          pair.side(side).submit(UpdateKeys{pair.lane(side)}, pair.now());
        }
      }
      pair.run_for(base::micros(50));
    }
    ASSERT_TRUE(pair.run([&] { return pair.completed() == calls; }));
    for (const auto& [tag, outcome] : pair.outcomes()) {
      EXPECT_TRUE(outcome.intact) << tag;
      EXPECT_EQ(outcome.completions, 1);
    }
    EXPECT_EQ(pair.executed, calls);
    EXPECT_EQ(pair.esp_packets_carried(), pair.packets_carried());
    EXPECT_GT(pair.client().stats().key_updates.value(), 2u);
    EXPECT_GT(pair.server().stats().drop_tag.value(), 0u);
  }
}

// Padded messages are padded inside ESP as they are outside.
TEST(Esp, carries_padded_messages) {
  EndpointConfig config = pair_config();
  config.padding = true;
  Pair pair(config, config);
  pair.connect();
  for (uint64_t tag = 1; tag <= 20; ++tag) {
    ASSERT_TRUE(pair.call(tag, static_cast<uint32_t>(tag * 333)).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 20; }));
  for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << tag;
}

}  // namespace
}  // namespace sluice::transport
