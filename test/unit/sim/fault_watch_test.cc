// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/control_frames.h"
#include "wire/esp.h"
#include "wire/header.h"
#include "wire/record_number.h"
#include "wire/record_packet.h"

namespace sluice::sim {
namespace {

std::vector<uint8_t> data(uint64_t number, uint32_t offset = 0, uint32_t granted = 1'000) {
  std::vector<uint8_t> bytes(wire::kDataHeaderSize + 100 + wire::kTagBytes, 0x11);
  wire::DataHeader header;
  header.session = 7;
  header.record_number = number;
  header.offset = offset;
  header.message_length = 1'000;
  header.granted = granted;
  header.emit(bytes.data());
  return bytes;
}

template <class FrameType>
std::vector<uint8_t> bundle(uint64_t counter, const FrameType& frame) {
  std::vector<uint8_t> bytes(wire::kBundleHeaderSize + FrameType::kSize + wire::kTagBytes, 0x22);
  wire::BundleHeader header;
  header.session = 7;
  header.record_number = wire::counter_number(counter);
  header.clear_length = FrameType::kSize;
  header.emit(bytes.data());
  frame.emit(bytes.data() + wire::kBundleHeaderSize);
  return bytes;
}

TEST(FaultWatch, a_number_sealed_twice_is_a_violation) {
  FaultWatch watch;
  watch.inspect(0, data(1));
  watch.inspect(0, data(2));
  EXPECT_EQ(watch.violation(), "");
  watch.inspect(0, data(1));
  EXPECT_EQ(watch.violation(), "a record number sealed twice under one key");
}

TEST(FaultWatch, a_length_that_is_no_bucket_is_a_violation_where_there_should_be_buckets) {
  FaultWatch plain;
  plain.inspect(0, data(1));
  EXPECT_EQ(plain.violation(), "");
  FaultWatch watch;
  watch.expect_padding();
  wire::MsgFrame frame{};
  frame.length = 64;
  std::vector<uint8_t> message = bundle(1, frame);
  message.resize(message.size() + frame.length);
  watch.inspect(0, message);
  EXPECT_EQ(watch.violation(), "");
  watch.inspect(0, data(1));
  EXPECT_EQ(watch.violation(), "a length that is no bucket");
  FaultWatch frames;
  frames.expect_padding();
  frame.length = 65;
  message = bundle(1, frame);
  message.resize(message.size() + frame.length);
  frames.inspect(0, message);
  EXPECT_EQ(frames.violation(), "a length that is no bucket");
}

// A packet of a record of 1,000 bytes.
std::vector<uint8_t> piece(uint64_t number, uint32_t place, uint32_t size, uint32_t granted = 1'000,
                           uint16_t service = 1) {
  std::vector<uint8_t> bytes(wire::kRecordHeaderSize + size, 0x33);
  wire::RecordHeader header;
  header.message.session = 7;
  header.message.record_number = number;
  header.message.message_length = 1'000;
  header.message.granted = granted;
  header.message.service = service;
  header.index = static_cast<uint32_t>(number);
  header.length = static_cast<uint16_t>(wire::record_size(1'000));
  header.emit(bytes.data(), place);
  return bytes;
}

TEST(FaultWatch, packets_of_a_record_share_its_number_once) {
  FaultWatch watch;
  watch.inspect(0, piece(1, 0, 500));
  watch.inspect(0, data(2));
  watch.inspect(0, piece(1, 500, 578));
  watch.inspect(0, piece(3, 0, 500));
  EXPECT_EQ(watch.violation(), "");
  EXPECT_EQ(watch.records(), 2u);
  const std::vector<std::vector<uint8_t>> wrongs = {
      piece(1, 0, 500),              // The record again.
      piece(2, 0, 500),              // The number of a packet.
      piece(1, 500, 578),            // Its second half again.
      piece(3, 400, 500),            // Overlapping.
      piece(3, 500, 100, 1'000, 2),  // Another header.
      piece(4, 500, 100),            // Without its beginning.
      piece(5, 0, 100, 999),         // Beyond the grant.
      data(3),                       // A packet with the number of a record.
  };
  for (const auto& wrong : wrongs) {
    FaultWatch copy = watch;
    copy.inspect(0, wrong);
    EXPECT_NE(copy.violation(), "");
  }
}

TEST(FaultWatch, plaintext_is_a_violation_wherever_it_lies) {
  for (const size_t at : {wire::kDataHeaderSize, wire::kDataHeaderSize + 3}) {
    FaultWatch watch;
    std::vector<uint8_t> bytes = data(1);
    bytes[at - 1] = kPlaintextMarker[0];
    std::copy(std::begin(kPlaintextMarker), std::end(kPlaintextMarker),
              bytes.begin() + static_cast<ptrdiff_t>(at));
    watch.inspect(0, bytes);
    EXPECT_EQ(watch.violation(), "plaintext on the wire");
  }
  FaultWatch watch;
  std::vector<uint8_t> bytes = data(1);
  std::copy(std::begin(kPlaintextMarker), std::end(kPlaintextMarker) - 1, bytes.end() - 7);
  watch.inspect(0, bytes);
  EXPECT_EQ(watch.violation(), "");
}

TEST(FaultWatch, bytes_beyond_their_grant_are_a_violation) {
  FaultWatch watch;
  watch.inspect(0, data(1, 400, 500));
  EXPECT_EQ(watch.violation(), "");
  watch.inspect(0, data(2, 401, 500));
  EXPECT_EQ(watch.violation(), "bytes sent beyond their grant");
}

TEST(FaultWatch, who_has_shown_to_know_a_call_may_not_deny_it) {
  FaultWatch watch;
  watch.inspect(1, bundle(1, wire::UnknownFrame{0, 4}));
  watch.inspect(1, bundle(2, wire::AckFrame{0, 4}));
  watch.inspect(1, bundle(3, wire::AckRunFrame{10, 3}));
  watch.inspect(1, bundle(4, wire::UnknownFrame{0, 13}));
  EXPECT_EQ(watch.violation(), "");
  watch.inspect(1, bundle(5, wire::UnknownFrame{0, 12}));
  EXPECT_EQ(watch.violation(), "an UNKNOWN for a call that its sender knew");
}

TEST(FaultWatch, what_was_never_sent_to_a_side_has_to_stay_out) {
  FaultWatch watch;
  watch.inspect(0, data(1));
  EXPECT_FALSE(watch.examine(1, data(1)).wrong);
  EXPECT_TRUE(watch.examine(0, data(1)).wrong);
  EXPECT_TRUE(watch.examine(1, data(2)).wrong);
  std::vector<uint8_t> changed = data(1);
  changed.back() ^= 1;
  EXPECT_TRUE(watch.examine(1, changed).wrong);
}

TEST(FaultWatch, bundles_are_let_in_once) {
  FaultWatch watch;
  const auto once = bundle(1, wire::PingFrame{1});
  watch.inspect(0, once);
  watch.inspect(0, data(1));
  EXPECT_FALSE(watch.examine(1, once).wrong);
  watch.note_accepted(watch.examine(1, once));
  watch.note_accepted(watch.examine(1, data(1)));
  EXPECT_TRUE(watch.examine(1, once).wrong);
  EXPECT_FALSE(watch.examine(1, data(1)).wrong) << "its place in the message tells";
}

std::vector<uint8_t> esp(uint64_t iv, uint32_t spi = 512) {
  std::vector<uint8_t> bytes(wire::kEspPacketMin, 0x33);
  wire::EspHeader{spi, 1, iv}.emit(bytes.data());
  return bytes;
}

// Of ESP it sees nonces, plaintext, and what was sent.
TEST(FaultWatch, looks_at_esp_from_outside) {
  FaultWatch watch;
  watch.inspect_esp(0, esp(1));
  watch.inspect_esp(0, esp(2));
  watch.inspect_esp(1, esp(1, 513));
  EXPECT_EQ(watch.violation(), "");
  EXPECT_EQ(watch.esp(), 3u);
  EXPECT_FALSE(watch.examine(1, esp(1), true).wrong);
  EXPECT_TRUE(watch.examine(0, esp(1), true).wrong);
  EXPECT_TRUE(watch.examine(1, esp(3), true).wrong);
  watch.inspect_esp(0, esp(1));
  EXPECT_EQ(watch.violation(), "a record number sealed twice under one key");
  FaultWatch clear;
  std::vector<uint8_t> marked = esp(1);
  std::copy(std::begin(kPlaintextMarker), std::end(kPlaintextMarker), marked.begin() + 30);
  clear.inspect_esp(0, marked);
  EXPECT_EQ(clear.violation(), "plaintext on the wire");
  FaultWatch odd;
  odd.inspect_esp(0, std::vector<uint8_t>(wire::kEspPacketMin + 1));
  EXPECT_EQ(odd.violation(), "a packet that nobody can read");
}

TEST(FaultWatch, the_hash_depends_on_every_packet_and_their_order) {
  FaultWatch one;
  FaultWatch two;
  one.inspect(0, data(1));
  one.inspect(0, data(2));
  two.inspect(0, data(2));
  two.inspect(0, data(1));
  EXPECT_NE(one.hash(), two.hash());
}

}  // namespace
}  // namespace sluice::sim
