// SPDX-License-Identifier: Apache-2.0
//
// Golden bytes, written down from the layouts of the mlx5 interface and not from the code: each
// field at the bit that the interface says, and zero everywhere else.
#include "engine/connectx_format.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace sluice::engine::connectx {
namespace {

using Bytes = std::vector<uint8_t>;

// All zero but for the runs given, by where they begin.
Bytes golden(size_t size, const std::map<size_t, Bytes>& runs) {
  Bytes out(size);
  for (const auto& [at, run] : runs) std::copy(run.begin(), run.end(), out.begin() + at);
  return out;
}

template <size_t kSize>
Bytes bytes_of(const std::array<uint8_t, kSize>& array) {
  return {array.begin(), array.end()};
}

Bytes counting(uint8_t from, size_t size) {
  Bytes out;
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<uint8_t>(from + i));
  return out;
}

TEST(ConnectxCommands, query_capabilities) {
  EXPECT_EQ(bytes_of(query_capabilities(CapabilityPage::kGeneral)),
            golden(16, {{0, {0x01, 0x00}}, {6, {0x00, 0x01}}}));
  EXPECT_EQ(bytes_of(query_capabilities(CapabilityPage::kTls)),
            golden(16, {{0, {0x01, 0x00}}, {6, {0x00, 0x23}}}));
}

TEST(ConnectxCommands, capabilities_are_read_bit_by_bit) {
  const auto read = [](const Bytes& general, const Bytes& tls) {
    return read_capabilities(std::span<const uint8_t, kQueryReplyBytes>(general),
                             std::span<const uint8_t, kQueryReplyBytes>(tls));
  };
  const Bytes nothing(kQueryReplyBytes);
  const Capabilities none = read(nothing, nothing);
  EXPECT_FALSE(none.tls_transmit || none.keys || none.tls13_aes_128 || none.tls13_aes_256);
  // general_obj_types at 0x400, bit 12 of its 64; tls_tx at 0x481; log_max_dek at 0x5b3.
  const Bytes general =
      golden(kQueryReplyBytes, {{16 + 0x80 + 6, {0x10}}, {16 + 0x90, {0x40}}, {16 + 0xb6, {0xe9}}});
  const Capabilities all = read(general, golden(kQueryReplyBytes, {{16, {0x50}}}));
  EXPECT_TRUE(all.tls_transmit && all.keys && all.tls13_aes_128 && all.tls13_aes_256);
  EXPECT_EQ(all.log_max_keys, 9u);
  // TLS 1.2 alone, and a receive engine alone, are not what is wanted.
  EXPECT_FALSE(read(general, golden(kQueryReplyBytes, {{16, {0xa0}}})).tls13_aes_128);
  EXPECT_FALSE(read(golden(kQueryReplyBytes, {{16 + 0x90, {0x20}}}), nothing).tls_transmit);
  // A reply whose status is an error says nothing.
  Bytes refused = general;
  refused[0] = 3;
  EXPECT_FALSE(read(refused, nothing).tls_transmit);
}

TEST(ConnectxCommands, keys_stand_right_in_their_field) {
  const Bytes short_key = counting(0xa0, 16);
  EXPECT_EQ(bytes_of(create_key(short_key, 0x0abcde)),
            golden(528, {{0, {0x0a, 0x00}},              // CREATE_GENERAL_OBJECT
                         {6, {0x00, 0x0c}},              // of an encryption key
                         {16 + 11, {0x01}},              // for TLS
                         {16 + 13, {0x0a, 0xbc, 0xde}},  // in that domain
                         {16 + 64 + 16, short_key}}));
  const Bytes long_key = counting(0x40, 32);
  EXPECT_EQ(bytes_of(create_key(long_key, 1)), golden(528, {{0, {0x0a, 0x00}},
                                                            {6, {0x00, 0x0c}},
                                                            {16 + 10, {0x01}},  // of 256 bits
                                                            {16 + 11, {0x01}},
                                                            {16 + 15, {0x01}},
                                                            {16 + 64, long_key}}));
}

TEST(ConnectxCommands, tis_and_transport_domain) {
  EXPECT_EQ(bytes_of(alloc_transport_domain()), golden(16, {{0, {0x08, 0x16}}}));
  EXPECT_EQ(bytes_of(create_tis(0x010203, 0x0a0b0c)),
            golden(192, {{0, {0x09, 0x12}},
                         {32, {0x40}},                      // tls_en, bit 1
                         {32 + 37, {0x01, 0x02, 0x03}},     // transport_domain, bit 0x128
                         {32 + 45, {0x0a, 0x0b, 0x0c}}}));  // pd, bit 0x168
}

TEST(ConnectxCommands, replies) {
  Reply reply{};
  reply[8] = 0xff;  // What is above the 24 bits is not the number's.
  reply[9] = 0x12;
  reply[11] = 0x34;
  uint32_t number = 0;
  EXPECT_TRUE(read_reply(reply, &number));
  EXPECT_EQ(number, 0x120034u);
  reply[0] = 1;
  EXPECT_FALSE(read_reply(reply, &number));
  EXPECT_EQ(number, 0u);
}

TEST(ConnectxDescriptors, static_parameters) {
  Bytes out(192, 0xee);
  write_control({.index = 0x1234,
                 .opcode = Opcode::kUmr,
                 .modifier = 1,
                 .queue = 0xabcdef,
                 .segments = kStaticSegments,
                 .fence = true,
                 .tis = 0x010203},
                out.data());
  StaticParameters parameters{.record_number = 0x0102030405060708, .key = 0x0a0b0c};
  for (size_t i = 0; i < 12; ++i) parameters.iv[i] = static_cast<uint8_t>(0xc0 + i);
  write_static_parameters(parameters, out.data());
  EXPECT_EQ(out, golden(192, {{0, {0x01, 0x12, 0x34, 0x25}},   // opmod, index, UMR
                              {4, {0xab, 0xcd, 0xef, 0x0c}},   // SQ, 12 segments
                              {11, {0x20}},                    // fence
                              {12, {0x01, 0x02, 0x03, 0x00}},  // TIS
                              {16, {0x80}},                    // inline
                              {22, {0x00, 0x04}},              // BSF octowords
                              // The parameters, after an empty key segment.
                              {128, {0x8d, 0x00, 0x00, 0x01}},     // 2, TLS 1.3, 1; TLS
                              {136, {1, 2, 3, 4, 5, 6, 7, 8}},     // record number
                              {148, counting(0xc0, 4)},            // gcm_iv
                              {152, counting(0xc4, 8)},            // implicit_iv
                              {160, {0x00, 0x0a, 0x0b, 0x0c}}}));  // key
  StaticParameters read;
  ASSERT_TRUE(read_static_parameters(out.data(), &read));
  EXPECT_EQ(read.record_number, parameters.record_number);
  EXPECT_EQ(read.iv, parameters.iv);
  EXPECT_EQ(read.key, parameters.key);
  for (const size_t at : {16u, 23u, 128u, 131u}) {
    Bytes other = out;
    other[at] ^= 1;
    EXPECT_FALSE(read_static_parameters(other.data(), &read)) << at;
  }
}

TEST(ConnectxDescriptors, progress_parameters) {
  Bytes out(64, 0xee);
  write_control({.index = 0xffff,
                 .opcode = Opcode::kSetPsv,
                 .modifier = 1,
                 .queue = 5,
                 .segments = kProgressSegments},
                out.data());
  write_progress_parameters(0x0a0b0c, out.data());
  EXPECT_EQ(out, golden(64, {{0, {0x01, 0xff, 0xff, 0x20}},
                             {4, {0x00, 0x00, 0x05, 0x02}},
                             {17, {0x0a, 0x0b, 0x0c}}}));
  uint32_t tis = 0;
  EXPECT_TRUE(read_progress_parameters(out.data(), &tis));
  EXPECT_EQ(tis, 0x0a0b0cu);
  out[28] = 0x40;  // Another state of the record tracker.
  EXPECT_FALSE(read_progress_parameters(out.data(), &tis));
}

TEST(ConnectxDescriptors, a_segmented_frame) {
  const Bytes headers = counting(0x10, 94);
  const size_t segments = 1 + header_segments(headers.size()) + 1;
  EXPECT_EQ(header_segments(2), 1u);
  EXPECT_EQ(header_segments(18), 2u);
  EXPECT_EQ(header_segments(19), 3u);
  EXPECT_EQ(segments, 9u);
  Bytes out(segments * kSegment, 0xee);
  write_control({.index = 7,
                 .opcode = Opcode::kTso,
                 .queue = 0x800,
                 .segments = static_cast<uint8_t>(segments),
                 .report = true,
                 .tis = 3},
                out.data());
  write_headers({.bytes = headers, .mss = 1396, .ip_checksum = true, .l4_checksum = true},
                out.data() + 16);
  write_pointer({.length = 4078, .memory_key = 0x01020304, .address = 0x1122334455667788},
                out.data() + 128);
  EXPECT_EQ(out, golden(144, {{0, {0x00, 0x00, 0x07, 0x0e}},
                              {4, {0x00, 0x08, 0x00, 0x09}},
                              {11, {0x08}},                    // CQ_UPDATE
                              {14, {0x03}},                    // TIS << 8
                              {20, {0xc0, 0x00, 0x05, 0x74}},  // checksums; mss
                              {28, {0x00, 0x5e}},              // inline header size
                              {30, headers},
                              {128, {0x00, 0x00, 0x0f, 0xee, 1, 2, 3, 4}},
                              {136, {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}}}));
  const Control control = read_control(out.data());
  EXPECT_EQ(control.index, 7u);
  EXPECT_EQ(control.opcode, Opcode::kTso);
  EXPECT_EQ(control.queue, 0x800u);
  EXPECT_EQ(control.segments, segments);
  EXPECT_EQ(control.tis, 3u);
  EXPECT_TRUE(control.report);
  EXPECT_FALSE(control.fence);
  const Headers read = read_headers(out.data() + 16);
  EXPECT_EQ(Bytes(read.bytes.begin(), read.bytes.end()), headers);
  EXPECT_EQ(read.mss, 1396u);
  const DataPointer pointer = read_pointer(out.data() + 128);
  EXPECT_EQ(pointer.length, 4078u);
  EXPECT_EQ(pointer.memory_key, 0x01020304u);
  EXPECT_EQ(pointer.address, 0x1122334455667788u);
}

TEST(ConnectxCompletions, one) {
  Bytes out(64);
  write_completion({.index = 0x1234, .kind = CompletionKind::kFailed, .owner = true}, out.data());
  EXPECT_EQ(out, golden(64, {{60, {0x12, 0x34}}, {63, {0xd1}}}));
  const Completion read = read_completion(out.data());
  EXPECT_EQ(read.index, 0x1234u);
  EXPECT_EQ(read.kind, CompletionKind::kFailed);
  EXPECT_TRUE(read.owner);
}

}  // namespace
}  // namespace sluice::engine::connectx
