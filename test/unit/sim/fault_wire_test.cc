// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_wire.h"

#include <gtest/gtest.h>

#include "base/byte_order.h"
#include "wire/header.h"
#include "wire/record_packet.h"

namespace sluice::sim {
namespace {

constexpr base::Nanos kNow = base::seconds(1);

class FaultWireTest : public testing::Test {
 protected:
  FaultWireTest() { plan_.delay = base::micros(5); }

  void always(FaultKind kind) { plan_.rate[static_cast<size_t>(kind)] = 1'000'000; }
  uint64_t fired(FaultKind kind) const { return counts_[static_cast<size_t>(kind)]; }
  FaultWire& wire() {
    if (!wire_) wire_.emplace(plan_, &counts_);
    return *wire_;
  }
  // A sealed packet of this number, as far as the wire can tell.
  static std::vector<uint8_t> sealed(uint64_t number, size_t size = 200) {
    std::vector<uint8_t> bytes(size, 0x11);
    wire::DataHeader header;
    header.record_number = number;
    header.message_length = header.granted = static_cast<uint32_t>(size);
    header.emit(bytes.data());
    return bytes;
  }
  std::vector<WirePacket> arrivals(base::Nanos by = base::seconds(9)) {
    std::vector<WirePacket> out;
    while (auto packet = wire().receive(by)) out.push_back(*std::move(packet));
    return out;
  }

  FaultPlan plan_;
  FaultCounts counts_{};
  std::optional<FaultWire> wire_;
};

TEST_F(FaultWireTest, without_faults_packets_arrive_unharmed_after_the_delay) {
  wire().send(0, sealed(1), 0, kNow);
  EXPECT_EQ(wire().next_arrival(), kNow + base::micros(5));
  EXPECT_FALSE(wire().receive(kNow).has_value());
  const auto got = arrivals();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].to, 1);
  EXPECT_EQ(got[0].bytes, sealed(1));
  EXPECT_TRUE(wire().watch().violation().empty());
}

TEST_F(FaultWireTest, what_endpoints_send_is_watched) {
  wire().send(0, sealed(1), 0, kNow);
  EXPECT_EQ(wire().watch().violation(), "");
  wire().send(0, sealed(1), 0, kNow);
  EXPECT_NE(wire().watch().violation(), "");
}

TEST_F(FaultWireTest, all_packets_of_a_record_are_changed_alike) {
  always(FaultKind::kCorruptHeader);
  std::vector<std::vector<uint8_t>> sent;
  wire::RecordHeader header;
  header.message.record_number = header.index = 5;
  header.message.message_length = header.message.granted = 1'000;
  header.length = static_cast<uint16_t>(wire::record_size(1'000));
  for (const uint32_t place : {0u, 539u}) {
    std::vector<uint8_t> bytes(wire::kRecordHeaderSize + 539, 0x11);
    header.emit(bytes.data(), place);
    wire().send(0, bytes, 0, kNow);
    sent.push_back(std::move(bytes));
  }
  EXPECT_EQ(wire().watch().violation(), "");
  const auto got = arrivals();
  ASSERT_EQ(got.size(), 2u);
  const size_t at = wire::offsets::kService;
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NE(base::load_be16(got[i].bytes.data() + at), 0u);
    EXPECT_EQ(base::load_be16(got[i].bytes.data() + at), base::load_be16(got[0].bytes.data() + at));
    std::vector<uint8_t> mended = got[i].bytes;
    base::store_be16(mended.data() + at, 0);
    EXPECT_EQ(mended, sent[i]);
  }
}

TEST_F(FaultWireTest, partitions_hold_in_the_direction_asked_for) {
  wire().partition(0, kNow + base::millis(1));
  EXPECT_FALSE(wire().open(kNow));
  wire().send(0, sealed(1), 0, kNow);
  wire().send(1, sealed(2), 0, kNow);
  ASSERT_EQ(arrivals().size(), 1u);
  wire().send(0, sealed(3), 0, kNow + base::millis(1));
  EXPECT_EQ(arrivals().size(), 1u);
  wire().partition(-1, kNow + base::seconds(9));
  wire().mend();
  EXPECT_TRUE(wire().open(kNow));
}

TEST_F(FaultWireTest, dead_paths_take_some_entropies_and_not_others) {
  wire().kill_paths(kNow + base::millis(1));
  for (uint16_t entropy = 0; entropy < 100; ++entropy) {
    wire().send(0, sealed(entropy), entropy, kNow);
  }
  const size_t passed = arrivals().size();
  EXPECT_GT(passed, 20u);
  EXPECT_LT(passed, 80u);
}

TEST_F(FaultWireTest, losses_duplicates_and_changes_are_counted) {
  always(FaultKind::kDuplicate);
  always(FaultKind::kCorruptBit);
  wire().send(0, sealed(1), 0, kNow);
  const auto got = arrivals();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_TRUE((got[0].bytes == sealed(1)) != (got[1].bytes == sealed(1)));
  EXPECT_EQ(fired(FaultKind::kDuplicate), 1u);
  EXPECT_EQ(fired(FaultKind::kCorruptBit), 1u);
}

TEST_F(FaultWireTest, lost_packets_never_arrive_until_all_is_mended) {
  always(FaultKind::kLoss);
  wire().send(0, sealed(1), 0, kNow);
  EXPECT_TRUE(arrivals().empty());
  wire().mend();
  wire().send(0, sealed(2), 0, kNow);
  EXPECT_EQ(arrivals().size(), 1u);
}

TEST_F(FaultWireTest, strangers_make_up_packets_of_every_kind) {
  for (const FaultKind kind : {FaultKind::kGarbage, FaultKind::kForgedReset}) always(kind);
  wire().send(0, sealed(1), 0, kNow);
  bool reset = false;
  for (const WirePacket& packet : arrivals()) {
    reset |= packet.bytes.size() > wire::offsets::kType &&
             packet.bytes[wire::offsets::kType] == static_cast<uint8_t>(wire::PacketType::kReset);
  }
  EXPECT_TRUE(reset);
  EXPECT_EQ(fired(FaultKind::kGarbage), 1u);
  EXPECT_EQ(wire().watch().violation(), "") << "what strangers send is not the endpoints' fault";
}

TEST_F(FaultWireTest, packets_of_ended_sessions_come_back) {
  always(FaultKind::kReplayOldSession);
  wire().send(0, sealed(1), 0, kNow);
  EXPECT_EQ(arrivals().size(), 1u);
  wire().session_ended();
  wire().send(0, sealed(2), 0, kNow);
  EXPECT_EQ(arrivals().size(), 2u);
  EXPECT_EQ(fired(FaultKind::kReplayOldSession), 1u);
}

}  // namespace
}  // namespace sluice::sim
