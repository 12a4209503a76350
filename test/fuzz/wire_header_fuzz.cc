// SPDX-License-Identifier: Apache-2.0
//
// Sluice packets as they come out of a frame. A view that was granted must stay inside the packet,
// and its value, written again, must give back the bytes that carry meaning.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/control_frames.h"
#include "wire/header.h"
#include "wire/record_packet.h"

namespace {

using namespace sluice::wire;

void expect(bool condition) {
  if (!condition) __builtin_trap();
}

// The bytes a receiver does not read: header-length nibble, flags, checksum, reserved bits.
void normalise(uint8_t* header, size_t header_size) {
  header[offsets::kDoffVersion] = doff_version_byte(header_size);
  restore_native_header(header);
  header[offsets::kBits] &= kKnownBits;
}

template <typename Value>
void expect_same(const Value& value, const uint8_t* data) {
  uint8_t ours[Value::kSize];
  uint8_t theirs[Value::kSize];
  value.emit(ours);
  std::memcpy(theirs, data, Value::kSize);
  normalise(theirs, Value::kSize);
  expect(std::memcmp(ours, theirs, Value::kSize) == 0);
}

void check_data(const uint8_t* data, size_t size, size_t tag) {
  const auto view = DataView::parse(data, size, tag);
  if (!view) return;
  expect(view->payload_length() >= 1);
  expect(view->payload() + view->payload_length() + tag == data + size);
  expect(uint64_t{view->offset()} + view->payload_length() <= view->message_length());
  expect(aad_of_header(data).size() == kDataHeaderSize);
  expect_same(view->value(), data);
}

void check_bundle(const uint8_t* data, size_t size, size_t tag) {
  const auto view = BundleView::parse(data, size, tag);
  if (!view) return;
  expect(aad_of_header(data).size() == view->aad_length());
  expect(view->sealed() + view->sealed_length() + tag == data + size);
  BundleHeader value = view->value();
  uint8_t copy[kBundleHeaderSize];
  std::memcpy(copy, data, sizeof(copy));
  copy[offsets::kBundlePath] &= kPaths - 1;
  std::memset(copy + offsets::kSequence, 0, 4);
  expect_same(value, copy);
  (void)check_frames(view->frames(), view->sealed_length());
}

void check_record(const uint8_t* data, size_t size) {
  const auto view = RecordView::parse(data, size, {});
  if (!view) return;
  expect(!view->part().empty() && view->part().data() + view->part().size() == data + size);
  expect(uint64_t{view->place()} + view->part().size() <= view->record_length());
  const RecordHeader value = RecordHeader::read(data, {});
  expect(value.content() >= 1 && value.content() <= kMaxRecordContent);
  expect(uint64_t{value.message.offset} + value.content() <= value.message.message_length);
  uint8_t ours[kRecordHeaderSize];
  uint8_t theirs[kRecordHeaderSize];
  value.emit(ours, view->place());
  std::memcpy(theirs, data, sizeof(theirs));
  normalise(theirs, sizeof(theirs));
  sluice::base::store_be16(theirs + offsets::kRecordReserved, 0);
  expect(std::memcmp(ours, theirs, sizeof(ours)) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const size_t tag : {kTagBytes, size_t{0}}) {
    check_data(data, size, tag);
    check_bundle(data, size, tag);
  }
  check_record(data, size);
  if (const auto view = HandshakeView::parse(data, size)) {
    expect(view->fragment().data() + view->fragment().size() == data + size);
    expect(view->fragment_index() < view->fragment_count());
    expect(HandshakeHeader::parse(data, size) == view->value());
  }
  if (const auto reset = ResetPacket::parse(data, size)) {
    uint8_t again[ResetPacket::kSize];
    reset->emit(again);
    expect(ResetPacket::parse(again, sizeof(again)) == reset);
  }
  if (const auto common = CommonHeader::parse(data, size)) {
    uint8_t again[kCommonHeaderSize];
    common->emit(again, kCommonHeaderSize);
    expect(CommonHeader::parse(again, sizeof(again)) == common);
  }
  return 0;
}
