// SPDX-License-Identifier: Apache-2.0
#include "engine/port_queue.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::engine {
namespace {

void* copy_frame(void* context, void* packet) {
  auto* frame = static_cast<rte_mbuf*>(packet);
  return rte_pktmbuf_copy(frame, static_cast<rte_mempool*>(context), 0, UINT32_MAX);
}

void drop_frame(void* /*context*/, void* packet) {
  rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
}

void flip_bit(void* /*context*/, void* packet, uint64_t random) {
  auto* frame = static_cast<rte_mbuf*>(packet);
  const uint32_t first = RTE_ETHER_HDR_LEN;
  if (frame->data_len <= first) return;
  const uint64_t bit = (random >> 3) % (frame->data_len - first);
  rte_pktmbuf_mtod(frame, uint8_t*)[first + bit] ^= static_cast<uint8_t>(1u << (random & 7));
}

}  // namespace

std::unique_ptr<FaultInjector> make_fault_injector(rte_mempool* pool, const FaultConfig& config) {
  auto injector = std::make_unique<FaultInjector>(
      FaultOps{.context = pool, .copy = copy_frame, .drop = drop_frame, .flip = flip_bit});
  injector->configure(config);
  return injector;
}

PortQueue::PortQueue(const Setup& setup) : setup_(setup) {}

PortQueue::~PortQueue() {
  for (size_t i = 0; i < pending_count_; ++i) rte_pktmbuf_free(pending_[pending_head_ + i]);
  if (rx_faults_) rx_faults_->flush();
  if (tx_faults_) tx_faults_->flush();
}

void PortQueue::install_faults(bool transmit, std::unique_ptr<FaultInjector> injector) {
  auto& place = transmit ? tx_faults_ : rx_faults_;
  SLUICE_CHECK(place == nullptr);
  place = std::move(injector);
}

void PortQueue::record(std::span<rte_mbuf*> frames, base::Nanos now) {
  for (const rte_mbuf* frame : frames) {
    const uint32_t captured = std::min(frame->pkt_len, kCaptureSnap);
    if (!setup_.capture->begin(setup_.wall_base + now.value(), frame->pkt_len, captured)) continue;
    uint32_t left = captured;
    for (const rte_mbuf* part = frame; part != nullptr && left > 0; part = part->next) {
      const uint32_t size = std::min<uint32_t>(left, part->data_len);
      setup_.capture->add(rte_pktmbuf_mtod(part, const uint8_t*), size);
      left -= size;
    }
    setup_.capture->commit();
  }
}

// The count is read first: whoever unmaps after this look waits for the turn that looks.
bool PortQueue::look_at_link() {
  const uint32_t unmaps = unmap_count();
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(setup_.port_id, &link) != 0 || link.link_status != RTE_ETH_LINK_UP) {
    return false;
  }
  seen_unmaps_ = unmaps;
  return true;
}

size_t PortQueue::receive(std::span<rte_mbuf*> out, base::Nanos now) {
  SLUICE_DCHECK(out.size() >= kReceiveSlots);
  if (!plugged()) [[unlikely]]
    return 0;
  size_t count = 0;
  for (size_t turn = 0; turn < setup_.rx_queues.size() && count == 0; ++turn) {
    const uint16_t queue = setup_.rx_queues[next_rx_];
    next_rx_ = next_rx_ + 1 == setup_.rx_queues.size() ? 0 : next_rx_ + 1;
    count =
        rte_eth_rx_burst(setup_.port_id, queue, out.data(), static_cast<uint16_t>(limits::kBurst));
  }
  if (setup_.capture != nullptr && count > 0) [[unlikely]]
    record(out.first(count), now);
  if (rx_faults_ != nullptr && rx_faults_->active()) [[unlikely]] {
    count = rx_faults_->apply(reinterpret_cast<void**>(out.data()), count, out.size(), now);
  }
  return count;
}

void PortQueue::send(std::span<rte_mbuf*> frames, base::Nanos now) {
  SLUICE_CHECK(frames.size() <= kMaxSend);
  std::array<rte_mbuf*, 2 * kMaxSend> made;
  std::array<rte_mbuf*, 4 * kMaxSend> altered;
  std::span<rte_mbuf*> out = frames;
  if (setup_.model != nullptr) [[unlikely]] {
    const auto queue = static_cast<uint16_t>(setup_.tx_queue);
    out = {made.data(), setup_.model->transmit(queue, frames, made, setup_.pool)};
  }
  if (tx_faults_ != nullptr && tx_faults_->active()) [[unlikely]] {
    std::copy(out.begin(), out.end(), altered.begin());
    const size_t count = tx_faults_->apply(reinterpret_cast<void**>(altered.data()), out.size(),
                                           altered.size(), now);
    out = {altered.data(), count};
  }
  if (setup_.capture != nullptr && !out.empty()) [[unlikely]]
    record(out, now);
  uint64_t bytes = 0;
  for (const rte_mbuf* frame : out) bytes += frame->pkt_len;
  size_t sent = 0;
  if (pending_count_ == 0 && plugged()) {
    sent = rte_eth_tx_burst(setup_.port_id, static_cast<uint16_t>(setup_.tx_queue), out.data(),
                            static_cast<uint16_t>(out.size()));
  }
  setup_.stats->tx_frames.add(out.size());
  setup_.stats->tx_bytes.add(bytes);
  if (sent == out.size()) return;
  if (pending_count_ == 0) {
    pending_head_ = 0;
    blocked_since_ = now;
    setup_.stats->tx_blocked.add();
  }
  for (size_t i = sent; i < out.size(); ++i) {
    if (pending_head_ + pending_count_ < kPendingSlots) {
      pending_[pending_head_ + pending_count_++] = out[i];
    } else {
      setup_.stats->drop_stuck.add();
      rte_pktmbuf_free(out[i]);
    }
  }
}

void PortQueue::push_out(base::Nanos now) {
  uint16_t sent = 0;
  if (plugged()) {
    sent = rte_eth_tx_burst(setup_.port_id, static_cast<uint16_t>(setup_.tx_queue),
                            pending_.data() + pending_head_,
                            static_cast<uint16_t>(std::min(pending_count_, kMaxSend)));
  }
  pending_head_ += sent;
  pending_count_ -= sent;
  if (sent > 0) {
    blocked_since_ = now;
  } else if (base::elapsed(blocked_since_, now) > limits::kPortPatience) {
    setup_.stats->drop_stuck.add(pending_count_);
    for (size_t i = 0; i < pending_count_; ++i) rte_pktmbuf_free(pending_[pending_head_ + i]);
    pending_count_ = 0;
  }
}

bool PortQueue::at_rest() const {
  const auto holds = [](const auto& faults) { return faults != nullptr && faults->held() > 0; };
  return pending_count_ == 0 && !holds(rx_faults_) && !holds(tx_faults_);
}

bool PortQueue::flush(base::Nanos now) {
  const size_t before = pending_count_;
  if (before > 0) [[unlikely]]
    push_out(now);
  if (tx_faults_ != nullptr && tx_faults_->held() > 0 && pending_count_ == 0) [[unlikely]] {
    send({}, now);
  }
  return pending_count_ != before;
}

}  // namespace sluice::engine
