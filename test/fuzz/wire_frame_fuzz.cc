// SPDX-License-Identifier: Apache-2.0
//
// Frames off the wire: Ethernet to UDP, ARP and neighbour discovery. What parses must lie inside
// the frame, and an answer to any question must be a frame that parses.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/frame.h"
#include "wire/neighbour.h"

namespace {

using sluice::wire::FrameKind;

void expect(bool condition) {
  if (!condition) __builtin_trap();
}

void answer(const sluice::wire::NeighbourEvent& question) {
  uint8_t out[sluice::wire::kMaxNeighbourFrameSize];
  const sluice::wire::MacAddress own = {{2, 0, 0, 0, 0, 1}};
  const size_t size = sluice::wire::emit_neighbour_reply(out, own, question);
  expect(size <= sizeof(out));
  const sluice::wire::ParsedFrame parsed = sluice::wire::parse_frame(out, size);
  expect(parsed.kind == FrameKind::kArp || parsed.kind == FrameKind::kNdp ||
         parsed.kind == FrameKind::kMalformed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  sluice::wire::FrameFilter filter;
  filter.verify_ip_checksum = (data[0] & 1) != 0;
  filter.verify_l4_checksum = (data[0] & 2) != 0;
  ++data;
  --size;
  const sluice::wire::ParsedFrame parsed = sluice::wire::parse_frame(data, size, filter);
  expect((parsed.kind == FrameKind::kMalformed) ==
         (parsed.error != sluice::wire::FrameFault::kNone));
  expect(parsed.payload_offset <= size && parsed.payload_length <= size - parsed.payload_offset);
  const auto event = sluice::wire::parse_neighbour(data, size, parsed);
  if (event && event->asks) answer(*event);
  return 0;
}
