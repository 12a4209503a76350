// SPDX-License-Identifier: Apache-2.0
//
// What an observer sees of a padded session, and what the applications at its ends do.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "test/unit/transport/pair.h"
#include "wire/control_frames.h"
#include "wire/header.h"
#include "wire/padding.h"
#include "wire/record_packet.h"

namespace sluice::transport {
namespace {

// A packet as it was seen: when, from whom, its size, and all of its bytes that are in clear.
struct Seen {
  base::Nanos at;
  int from;
  size_t size;
  std::vector<uint8_t> clear;
  friend bool operator==(const Seen&, const Seen&) = default;
};

size_t clear_size(const std::vector<uint8_t>& packet) {
  switch (static_cast<wire::PacketType>(packet[wire::offsets::kType])) {
    case wire::PacketType::kData:
      return wire::kDataHeaderSize;
    case wire::PacketType::kRecord:
      return wire::kRecordHeaderSize;
    default:
      return wire::BundleView::parse(packet.data(), packet.size())->aad_length();
  }
}

enum class Use { kCall, kOneWay, kStream, kNamed };

EndpointConfig padded_config(bool records) {
  EndpointConfig config;
  config.padding = true;
  config.record_mode = records;
  return config;
}

// All that is seen of one message of `length`, and of a response as long.
std::vector<Seen> observe(Use use, uint32_t length, bool records, bool lossy) {
  Pair pair(padded_config(records), padded_config(records));
  std::vector<Seen> seen;
  pair.tap = [&](int from, std::vector<uint8_t>* packet) {
    const auto clear = static_cast<ptrdiff_t>(clear_size(*packet));
    seen.push_back({pair.now(), from, packet->size(), {packet->begin(), packet->begin() + clear}});
    return true;
  };
  if (lossy) pair.faults(Pair::kClient).loss_ppm = pair.faults(Pair::kServer).loss_ppm = 100'000;
  pair.connect();
  std::vector<uint8_t> memory(length);
  Landing landing;
  if (use == Use::kStream) landing = {LandingMode::kStream, 1u << 20, nullptr};
  if (use == Use::kNamed) landing = {LandingMode::kNamed, length, memory.data()};
  if (use == Use::kOneWay) {
    EXPECT_TRUE(pair.send_one_way(1, length).ok());
  } else {
    EXPECT_TRUE(pair.call(1, length, base::seconds(10), landing).ok());
  }
  EXPECT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kOk);
  const bool shown = use == Use::kCall || use == Use::kNamed;
  EXPECT_EQ(pair.outcomes()[1].intact, shown);
  pair.run_for(base::millis(100));
  return seen;
}

// Verifies MUST-L1: the same packets at the same times, of the same sizes, with the same bytes in
// clear, to the last one; with losses too, since what is sent again shows nothing either.
TEST(LengthConcealment, lengths_of_one_bucket_look_the_same) {
  const std::pair<uint32_t, uint32_t> buckets[] = {
      {1, 60},      {61, 124},      {253, 508},       {509, 540},        {1085, 1148},
      {1149, 1212}, {9'213, 9'724}, {61'437, 63'484}, {262'141, 270'332}};
  for (const auto& [shortest, longest] : buckets) {
    ASSERT_EQ(wire::padded_length(shortest), wire::padded_length(longest)) << shortest;
    ASSERT_NE(wire::padded_length(longest), wire::padded_length(longest + 1)) << longest;
    for (const Use use : {Use::kCall, Use::kOneWay, Use::kStream, Use::kNamed}) {
      for (const bool records : {false, true}) {
        for (const bool lossy : {false, true}) {
          SCOPED_TRACE(testing::Message() << shortest << " use " << static_cast<int>(use)
                                          << (records ? " records" : "") << (lossy ? " loss" : ""));
          EXPECT_EQ(observe(use, shortest, records, lossy), observe(use, longest, records, lossy));
        }
      }
    }
    // Else this would hold of anything.
    EXPECT_NE(observe(Use::kCall, longest, false, false),
              observe(Use::kCall, longest + 1, false, false));
  }
}

// Verifies MUST-L4: what a side takes is the padded message.
TEST(LengthConcealment, limits_are_about_what_is_sent) {
  EndpointConfig config = padded_config(false);
  config.max_message = 2048;
  Pair pair(config, config);
  pair.connect();
  EXPECT_EQ(pair.call(1, 2045).code, base::Code::kTooLarge);
  EXPECT_EQ(pair.send_one_way(2, 2045).code, base::Code::kTooLarge);
  EXPECT_TRUE(pair.call(3, 2044).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  EXPECT_TRUE(pair.outcomes()[3].intact);
  SendRequest command;
  command.lane = pair.lane(Pair::kClient);
  command.data = reinterpret_cast<const uint8_t*>("");
  command.length = UINT32_MAX;  // Its bucket is more than 32 bits hold.
  EXPECT_EQ(pair.client().submit(command, pair.now()), base::Code::kTooLarge);
}

// Every size around what packets, records and buckets hold, both ways, with faults.
TEST(LengthConcealment, messages_of_any_size_arrive) {
  for (const bool records : {false, true}) {
    for (const bool faults : {false, true}) {
      Pair pair(padded_config(records), padded_config(records));
      LinkFaults link;
      if (faults) {
        link.loss_ppm = link.duplicate_ppm = link.reorder_ppm = link.corrupt_ppm = 10'000;
      }
      pair.set_faults(link);
      pair.connect();
      uint64_t tag = 0;
      std::vector<std::vector<uint8_t>> memory(60);
      for (const uint32_t size :
           {1u,      59u,     60u,     61u,     252u,    256u,    257u,     508u,
            509u,    1130u,   1132u,   1136u,   1137u,   1389u,   2776u,    15'278u,
            15'279u, 16'328u, 16'329u, 30'556u, 65'532u, 65'536u, 100'001u, 1'000'000u}) {
        memory[tag].resize(size);
        const Landing named{LandingMode::kNamed, size, memory[tag].data()};
        ASSERT_TRUE(pair.call(++tag, size).ok());
        ASSERT_TRUE(pair.call(++tag, size, base::seconds(10), named).ok());
      }
      ASSERT_TRUE(pair.run([&] { return pair.completed() == tag; }, base::seconds(20)));
      for (const auto& [which, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << which;
      EXPECT_EQ(pair.client().stats().drop_padding.value(), 0u);
      EXPECT_EQ(pair.server().stats().drop_padding.value(), 0u);
    }
  }
}

// Verifies MUST-L5: requests of a hello, which the control thread has padded, and their repetition.
TEST(LengthConcealment, early_requests_are_padded_messages) {
  Pair pair(padded_config(false), padded_config(false));
  pair.connect();
  for (uint64_t id = 1; id <= 2; ++id) {
    const uint32_t length = id == 1 ? 10 : 1024;
    const std::vector<uint8_t> early = wire::padded_message(content(id, length));
    ASSERT_EQ(pair.server().submit(TakeEarly{.lane = pair.lane(Pair::kServer),
                                             .id = id,
                                             .service = 1,
                                             .data = early.data(),
                                             .length = static_cast<uint16_t>(early.size())},
                                   pair.now()),
              base::Code::kOk);
    ASSERT_TRUE(pair.call(id, length, base::seconds(10), {}, 1, id).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 2; }));
  EXPECT_TRUE(pair.outcomes()[1].intact);
  EXPECT_TRUE(pair.outcomes()[2].intact);
  EXPECT_EQ(pair.executed, 2u);
}

// A key update in the middle of padded messages, and attempts that run out.
TEST(LengthConcealment, goes_on_through_key_updates) {
  Pair pair(padded_config(true), padded_config(true));
  LinkFaults link;
  link.loss_ppm = 50'000;
  pair.set_faults(link);
  pair.connect();
  for (uint32_t i = 1; i <= 40; ++i) {
    ASSERT_TRUE(pair.call(i, i * 2003).ok());
    if (i % 10 == 0) pair.client().submit(UpdateKeys{pair.lane(Pair::kClient)}, pair.now());
    pair.run_for(base::micros(50));
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 40; }));
  for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << tag;
  EXPECT_GT(pair.client().stats().key_updates.value(), 0u);
}

}  // namespace
}  // namespace sluice::transport
