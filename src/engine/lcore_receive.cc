// SPDX-License-Identifier: Apache-2.0
//
// The receiving half of an lcore's loop: from frames to the endpoint, to another lcore, or to the
// control thread.
#include <rte_mbuf.h>

#include <algorithm>

#include "base/byte_order.h"
#include "base/prefetch.h"
#include "engine/lcore.h"
#include "wire/header.h"

namespace sluice::engine {
namespace {

using transport::Verdict;

// Frames ahead of the one being read that are being loaded.
constexpr size_t kPrefetchAhead = 3;
// Of a frame's bytes, from the line before the one where drivers let its data begin: the headers
// of a frame of this library lie in it.
constexpr size_t kPrefetchBytes = 256;

// Starts to load a frame that another core may have written last. Where its data begins is in the
// first line of its descriptor, which is as far away: it is guessed instead, by how pools lay
// buffers out, so that all lines come at once and not one after the other.
void prefetch_frame(const rte_mbuf* frame) {
  base::prefetch(frame);
  base::prefetch(&frame->next);
  const auto* const buffer = reinterpret_cast<const uint8_t*>(frame + 1);
  base::prefetch(buffer + RTE_PKTMBUF_HEADROOM - base::kCacheLine, kPrefetchBytes);
}

bool owns(const NodeLayout::PortFacts& port, const wire::IpAddress& address) {
  return std::find(port.addresses.begin(), port.addresses.end(), address) != port.addresses.end();
}

}  // namespace

bool Lcore::receive() {
  std::array<rte_mbuf*, PortQueue::kReceiveSlots> frames;
  bool any = false;
  for (size_t port = 0; port < queues_.size(); ++port) {
    const size_t count = queues_[port]->receive(frames, now_);
    if (count == 0) continue;
    any = true;
    stats_.rx_frames.add(count);
    for (size_t i = 0; i < std::min(count, kPrefetchAhead); ++i) prefetch_frame(frames[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + kPrefetchAhead < count) prefetch_frame(frames[i + kPrefetchAhead]);
      sort_frame(frames[i], static_cast<uint8_t>(port));
      if (batch_.weight >= limits::kPartWeight && i + 1 < count) answer_part();
    }
    if (batch_.count > 0) deliver_batch();
  }
  if (!handover_ring_->empty()) [[unlikely]] {
    const size_t count =
        handover_ring_->pop({reinterpret_cast<void**>(frames.data()), frames.size()});
    stats_.steered_in.add(count);
    for (size_t i = 0; i < count; ++i) {
      sort_frame(frames[i], static_cast<uint8_t>(frames[i]->port));
    }
    if (batch_.count > 0) deliver_batch();
    any |= count > 0;
  }
  return any;
}

void Lcore::sort_frame(rte_mbuf* frame, uint8_t port) {
  frame->port = port;
  if (frame->nb_segs > 1 && rte_pktmbuf_linearize(frame) != 0) [[unlikely]] {
    stats_.drop_segments.add();
    rte_pktmbuf_free(frame);
    return;
  }
  stats_.rx_bytes.add(frame->pkt_len);
  auto* data = rte_pktmbuf_mtod(frame, uint8_t*);
  const wire::ParsedFrame parsed = wire::parse_frame(data, frame->data_len, filter_);
  transport::Counter* drop = nullptr;
  switch (parsed.kind) {
    case wire::FrameKind::kSluiceUdp:
    case wire::FrameKind::kSluiceNative: {
      if (!owns(setup_.layout->ports[port], parsed.destination)) {
        drop = &stats_.drop_address;
        break;
      }
      const uint32_t lcore = static_cast<uint32_t>(parsed.destination_port) - filter_.first_port;
      if (lcore != setup_.index) return steer(frame, lcore);
      transport::RxPacket& packet = batch_.packets[batch_.count];
      packet.data = data + parsed.payload_offset;
      packet.length = parsed.payload_length;
      packet.congestion_experienced =
          parsed.ecn == static_cast<uint8_t>(wire::Ecn::kCongestionExperienced);
      packet.verdict = Verdict::kConsumed;
      if (parsed.kind == wire::FrameKind::kSluiceNative &&
          packet.length >= wire::kCommonHeaderSize) {
        wire::restore_native_header(packet.data);
      }
      batch_.frames[batch_.count++] = frame;
      batch_.weight +=
          wire::looks_like_bundle(packet.data, packet.length) ? limits::kBundleWeight : 1;
      return;
    }
    case wire::FrameKind::kSluiceEsp:
      if (owns(setup_.layout->ports[port], parsed.destination)) return sort_esp(frame, parsed);
      drop = &stats_.drop_address;
      break;
    case wire::FrameKind::kArp:
    case wire::FrameKind::kNdp:
      frame->hash.usr = static_cast<uint32_t>(Verdict::kConsumed);
      return pass_to_control(frame);
    case wire::FrameKind::kOther:
      drop = &stats_.drop_other;
      break;
    case wire::FrameKind::kMalformed:
      drop = &stats_.drop_malformed;
      break;
  }
  if (drop != nullptr) drop->add();
  rte_pktmbuf_free(frame);
}

// Its lcore is that of the lane which the SPI names.
void Lcore::sort_esp(rte_mbuf* frame, const wire::ParsedFrame& parsed) {
  uint8_t* const begin = rte_pktmbuf_mtod_offset(frame, uint8_t*, parsed.payload_offset);
  if (parsed.payload_length >= sizeof(uint32_t)) {
    const uint32_t lcore = setup_.spi_lcores->lcore_of(base::load_be32(begin), setup_.index);
    if (lcore != setup_.index) return steer(frame, lcore);
  }
  transport::RxPacket& packet = batch_.packets[batch_.count];
  packet.data = begin;
  packet.length = 0;
  packet.esp_length = static_cast<uint16_t>(parsed.payload_length);
  packet.congestion_experienced =
      parsed.ecn == static_cast<uint8_t>(wire::Ecn::kCongestionExperienced);
  packet.verdict = Verdict::kConsumed;
  batch_.frames[batch_.count++] = frame;
  batch_.weight += limits::kBundleWeight;  // It may be one.
}

void Lcore::steer(rte_mbuf* frame, uint32_t to) {
  if (siblings_[to]->hand_over(frame)) {
    stats_.steered_out.add();
    return;
  }
  stats_.drop_steering.add();
  rte_pktmbuf_free(frame);
}

void Lcore::pass_to_control(rte_mbuf* frame) {
  if (setup_.control->push_packet(frame)) {
    stats_.to_control.add();
    return;
  }
  stats_.drop_control.add();
  rte_pktmbuf_free(frame);
}

// What the first packets of a burst brought goes to the application and back to the wire before
// the others are read.
void Lcore::answer_part() {
  deliver_batch();
  if (!endpoint_.has_events()) return;
  deliver_events();
  setup_.application->poll(context_);
  transmit();
}

void Lcore::deliver_batch() {
  endpoint_.on_rx({batch_.packets.data(), batch_.count}, now_);
  size_t to_free = 0;
  for (size_t i = 0; i < batch_.count; ++i) {
    rte_mbuf* frame = batch_.frames[i];
    const Verdict verdict = batch_.packets[i].verdict;
    if (verdict == Verdict::kConsumed) [[likely]] {
      batch_.frames[to_free++] = frame;
      continue;
    }
    if (verdict == Verdict::kUnknownSession && !reset_bucket_.take(now_)) {
      stats_.limit_reset_rate.add();
      batch_.frames[to_free++] = frame;
      continue;
    }
    if (verdict == Verdict::kUnknownSession) stats_.resets_asked.add();
    frame->hash.usr = static_cast<uint32_t>(verdict);
    pass_to_control(frame);
  }
  rte_pktmbuf_free_bulk(batch_.frames.data(), static_cast<unsigned>(to_free));
  batch_.count = 0;
  batch_.weight = 0;
}

}  // namespace sluice::engine
