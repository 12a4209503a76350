// SPDX-License-Identifier: Apache-2.0
#include "engine/channel.h"

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <ctime>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "engine/limits.h"

namespace sluice::engine {
namespace {

// DPDK's names are unique in the process and at most 27 characters long. Those of cables, which the
// user names, have an underscore before their number (port.cc).
std::string unique_ring_name(const std::string& name) {
  static std::atomic<uint32_t> serial{0};
  return absl::StrCat(name.substr(0, 12), ".", serial.fetch_add(1));
}

absl::Status ring_error(const std::string& name) {
  return absl::ResourceExhaustedError(
      absl::StrCat("no memory for the ring ", name, " (", rte_strerror(rte_errno),
                   "): raise -m, or use fewer lcores or descriptors"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PointerRing>> PointerRing::create(const std::string& name,
                                                                 uint32_t capacity) {
  rte_ring* ring = rte_ring_create(unique_ring_name(name).c_str(), std::bit_ceil(capacity),
                                   static_cast<int>(SOCKET_ID_ANY), RING_F_SC_DEQ);
  if (ring == nullptr) return ring_error(name);
  return std::unique_ptr<PointerRing>(new PointerRing(ring));
}

PointerRing::~PointerRing() { rte_ring_free(ring_); }

bool PointerRing::push(void* pointer) { return rte_ring_mp_enqueue(ring_, pointer) == 0; }

size_t PointerRing::pop(std::span<void*> out) {
  return rte_ring_sc_dequeue_burst(ring_, out.data(), static_cast<unsigned>(out.size()), nullptr);
}

bool PointerRing::empty() const { return rte_ring_empty(ring_) != 0; }

Doorbell::Doorbell() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { SLUICE_CHECK(event_ >= 0); }

Doorbell::~Doorbell() { ::close(event_); }

void Doorbell::ring() {
  // Pairs with the fence in prepare(): either the sleeper sees the work, or this sees the sleeper.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!sleeping_.load(std::memory_order_relaxed)) return;
  if (!sleeping_.exchange(false, std::memory_order_acq_rel)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof(one));
}

void Doorbell::prepare() {
  sleeping_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Doorbell::wait(base::Nanos longest) {
  pollfd own = file();
  wait({&own, 1}, longest);
}

bool Doorbell::wait(std::span<pollfd> files, base::Nanos longest) {
  const timespec timeout{static_cast<time_t>(longest.value() / 1'000'000'000u),
                         static_cast<long>(longest.value() % 1'000'000'000u)};
  if (ppoll(files.data(), files.size(), &timeout, nullptr) < 0) {
    for (pollfd& each : files) each.revents = 0;  // A signal; poll() has written nothing.
  }
  sleeping_.store(false, std::memory_order_relaxed);
  uint64_t count = 0;
  return ::read(event_, &count, sizeof(count)) == sizeof(count);
}

absl::StatusOr<std::unique_ptr<ControlChannel>> ControlChannel::create(const std::string& name,
                                                                       uint32_t notices) {
  std::unique_ptr<ControlChannel> channel(new ControlChannel());
  auto packets = PointerRing::create(name, limits::kControlRing);
  if (!packets.ok()) return packets.status();
  channel->packets_ = *std::move(packets);
  channel->notices_ =
      rte_ring_create_elem(unique_ring_name(name).c_str(), sizeof(Notice), std::bit_ceil(notices),
                           static_cast<int>(SOCKET_ID_ANY), RING_F_SC_DEQ);
  if (channel->notices_ == nullptr) return ring_error(name);
  return channel;
}

ControlChannel::~ControlChannel() { rte_ring_free(notices_); }

bool ControlChannel::push_packet(rte_mbuf* frame) {
  if (!packets_->push(frame)) return false;
  doorbell_.ring();
  return true;
}

void ControlChannel::push_notice(const Notice& notice) {
  while (rte_ring_mp_enqueue_elem(notices_, const_cast<Notice*>(&notice), sizeof(notice)) != 0) {
    doorbell_.ring();
    rte_pause();
  }
  doorbell_.ring();
}

size_t ControlChannel::pop_packets(std::span<rte_mbuf*> out) {
  return packets_->pop({reinterpret_cast<void**>(out.data()), out.size()});
}

size_t ControlChannel::pop_notices(std::span<Notice> out) {
  return rte_ring_sc_dequeue_burst_elem(notices_, out.data(), sizeof(Notice),
                                        static_cast<unsigned>(out.size()), nullptr);
}

bool ControlChannel::empty() const { return packets_->empty() && rte_ring_empty(notices_) != 0; }

}  // namespace sluice::engine
