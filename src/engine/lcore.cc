// SPDX-License-Identifier: Apache-2.0
#include "engine/lcore.h"

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/prefetch.h"
#include "engine/interrupt_thread.h"

namespace sluice::engine {
namespace {

// Where the receive filter lies: the node's ports, one per lcore.
wire::FrameFilter make_filter(const NodeLayout& layout, bool esp) {
  wire::FrameFilter filter;
  filter.first_port = layout.base_port;
  filter.last_port = static_cast<uint16_t>(layout.base_port + layout.lcores - 1);
  filter.native_protocol = layout.native_protocol;
  filter.esp = esp;
  return filter;
}

// Source ports are entropy only; they stay out of the ranges of well-known services.
constexpr uint16_t kFirstSourcePort = 49152;
constexpr uint16_t source_port(uint16_t entropy) {
  return static_cast<uint16_t>(kFirstSourcePort | (entropy & 0x3fff));
}

std::unique_ptr<InlineContexts> make_contexts(const Lcore::Setup& setup,
                                              const std::vector<Route>* routes, LcoreStats* stats) {
  if (setup.sealing_ports.empty()) return nullptr;
  return std::make_unique<InlineContexts>(setup.sealing_ports, routes, stats);
}

// Runs a function of a waiting thread. The thread polls, since what it would sleep on could be
// gone before the lcore is done waking it.
class WaitingTask final : public LcoreTask {
 public:
  explicit WaitingTask(const std::function<void(Lcore&, LcoreContext&)>& work) : work_(work) {}
  void run(Lcore& lcore, LcoreContext& context) override { work_(lcore, context); }
  void finish(Lcore& /*lcore*/) override { done_.store(true, std::memory_order_release); }
  void wait() const {
    while (!done_.load(std::memory_order_acquire)) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

 private:
  const std::function<void(Lcore&, LcoreContext&)>& work_;
  std::atomic<bool> done_{false};
};

}  // namespace

Lcore::Lcore(const Setup& setup)
    : setup_(setup),
      routes_(limits::kMaxRoutes),
      inline_contexts_(make_contexts(setup, &routes_, &stats_)),
      unlike_(inline_contexts_ != nullptr || setup.endpoint.esp),
      endpoint_(setup.endpoint, setup.backend, setup.primitives, inline_contexts_.get()),
      context_{endpoint_, setup.index, base::Nanos{}},
      filter_(make_filter(*setup.layout, setup.endpoint.esp)),
      reset_bucket_(limits::kResetsPerSecond, limits::kBurst) {
  if (setup.idle.mode != IdleMode::kPoll) {
    sleeper_ = std::make_unique<Sleeper>(setup.idle);
    context_.doorbell = sleeper_->doorbell();
  }
  if (!setup.gated) return;
  gate_ = std::make_unique<Gate>(setup.endpoint.max_lanes, setup.endpoint.max_buffered_message,
                                 &stats_);
}

absl::StatusOr<std::unique_ptr<Lcore>> Lcore::create(const Setup& setup) {
  std::unique_ptr<Lcore> lcore(new Lcore(setup));
  struct Wanted {
    std::unique_ptr<PointerRing>* ring;
    const char* name;
    uint32_t capacity;
  };
  const Wanted wanted[] = {{&lcore->inject_ring_, "inject", limits::kInjectRing},
                           {&lcore->handover_ring_, "handover", limits::kHandoverRing},
                           {&lcore->task_ring_, "task", limits::kTaskRing}};
  for (const Wanted& each : wanted) {
    auto ring = PointerRing::create(each.name, each.capacity);
    if (!ring.ok()) return ring.status();
    *each.ring = *std::move(ring);
  }
  return lcore;
}

Lcore::~Lcore() {
  stop();
  for (size_t i = first_slot_; i < slot_frames_.size(); ++i) rte_pktmbuf_free(slot_frames_[i]);
  drain_rings();
}

void Lcore::connect(std::vector<std::unique_ptr<PortQueue>> queues, std::vector<Lcore*> siblings) {
  SLUICE_CHECK(queues.size() <= limits::kMaxPorts);
  queues_ = std::move(queues);
  siblings_ = std::move(siblings);
}

void Lcore::set_interrupts(std::vector<RxInterrupt> interrupts) {
  sleeper_->set_interrupts(std::move(interrupts));
}

absl::Status Lcore::start() {
  const std::lock_guard lock(mutex_);
  stop_.store(false, std::memory_order_relaxed);
  const int result = rte_eal_remote_launch(&Lcore::entry, this, setup_.eal_lcore);
  if (result != 0) {
    return absl::InternalError(
        absl::StrCat("lcore ", setup_.eal_lcore, " cannot be started: ", rte_strerror(-result)));
  }
  running_ = true;
  return absl::OkStatus();
}

void Lcore::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
    running_ = false;
  }
  stop_.store(true, std::memory_order_release);
  wake();
  rte_eal_wait_lcore(setup_.eal_lcore);
}

bool Lcore::post(LcoreTask* task) {
  const std::lock_guard lock(mutex_);
  if (!running_ || !task_ring_->push(task)) return false;
  wake();
  return true;
}

bool Lcore::run_and_wait(const std::function<void(Lcore&, LcoreContext&)>& work) {
  WaitingTask task(work);
  if (!post(&task)) return false;
  task.wait();
  return true;
}

int Lcore::entry(void* self) {
  static_cast<Lcore*>(self)->run();
  return 0;
}

void Lcore::run() {
  PollingTurns turns(setup_.eal_lcore);
  now_ = std::max(now_, setup_.clock->now());
  skip_turn_time_ = true;
  context_.now = now_;
  setup_.application->on_start(context_);
  if (sleeper_ != nullptr) poll_and_rest(&turns);
  while (!stop_.load(std::memory_order_acquire)) {
    turn();
    turns.end_turn();
  }
  while (run_tasks()) {
  }
  transmit();
  for (const auto& queue : queues_) queue->flush(now_);
  setup_.application->on_stop(context_);
}

bool Lcore::turn() {
  const base::Nanos now = std::max(now_, setup_.clock->now());
  now_ = now;
  context_.now = now;
  bool busy = run_tasks();
  busy |= flush_ports();
  busy |= send_injected();
  busy |= receive();
  if (now >= endpoint_.next_deadline()) {
    endpoint_.on_deadline(now);
    busy = true;
  }
  busy |= deliver_events();
  busy |= setup_.application->poll(context_);
  if (busy || more_to_send_) transmit();
  note_turn(now, busy);
  return busy;
}

void Lcore::note_turn(base::Nanos now, bool busy) {
  stats_.loops.add();
  if (!skip_turn_time_) {
    const uint64_t length = (now - loop_start_).value();
    if (length > stats_.longest_loop.value()) [[unlikely]]
      stats_.longest_loop.set(length);
  }
  loop_start_ = now;
  skip_turn_time_ = false;
  if (busy) {
    stats_.busy_loops.add();
  } else if (setup_.yields) {
    stats_.yields.add();
    sched_yield();
    skip_turn_time_ = true;
  }
}

bool Lcore::run_tasks() {
  if (task_ring_->empty()) [[likely]]
    return false;
  std::array<void*, 16> tasks;
  const size_t count = task_ring_->pop(tasks);
  for (size_t i = 0; i < count; ++i) {
    auto* task = static_cast<LcoreTask*>(tasks[i]);
    task->run(*this, context_);
    stats_.tasks.add();
    task->finish(*this);
  }
  return count > 0;
}

bool Lcore::flush_ports() {
  bool sent = false;
  for (const auto& queue : queues_) sent |= queue->flush(now_);
  return sent;
}

bool Lcore::send_injected() {
  if (inject_ring_->empty()) [[likely]]
    return false;
  std::array<rte_mbuf*, limits::kBurst> frames;
  const size_t count = inject_ring_->pop({reinterpret_cast<void**>(frames.data()), frames.size()});
  for (size_t i = 0; i < count; ++i) send_on(frames[i]->port, {&frames[i], 1});
  return count > 0;
}

void Lcore::notice_lane_down(transport::LaneRef lane, base::Code code) {
  setup_.control->push_notice(
      {.kind = Notice::Kind::kLaneDown, .lcore = setup_.index, .code = code, .lane = lane});
}

bool Lcore::deliver_events() {
  bool any = false;
  for (;;) {
    const size_t room = std::min(setup_.application->event_room(), kEvents);
    if (room == 0) return any;
    const size_t count = endpoint_.poll_events({events_.data(), room});
    if (count == 0) return any;
    any = true;
    if (gate_ != nullptr) [[unlikely]]
      hold_back(count);
    setup_.application->on_events(context_, {events_.data(), count});
    for (size_t i = 0; i < count; ++i) {
      if (events_[i].kind != transport::EventKind::kLaneDown) continue;
      notice_lane_down(events_[i].lane, events_[i].code);
    }
    if (count < room) return any;
  }
}

void Lcore::hold_back(size_t events) {
  if (gate_->filter(endpoint_, now_, {events_.data(), events})) setup_.control->doorbell().ring();
}

size_t Lcore::refill_slots() {
  if (first_slot_ < slots_.size() / 2) return slots_.size() - first_slot_;
  if (first_slot_ > 0 && rte_pktmbuf_alloc_bulk(setup_.pool, slot_frames_.data(),
                                                static_cast<unsigned>(first_slot_)) == 0) {
    for (size_t i = 0; i < first_slot_; ++i) {
      rte_mbuf* frame = slot_frames_[i];
      slots_[i] = {};
      slots_[i].data = rte_pktmbuf_mtod(frame, uint8_t*);
      slots_[i].capacity =
          std::min<uint32_t>(rte_pktmbuf_tailroom(frame), setup_.endpoint.max_packet);
    }
    first_slot_ = 0;
  }
  if (first_slot_ == slots_.size()) stats_.no_mbuf.add();
  return slots_.size() - first_slot_;
}

// The next packet is written without waiting for lines that its receiver read last.
void Lcore::prefetch_slot() const {
  if (first_slot_ == slots_.size()) return;
  base::prefetch(slot_frames_[first_slot_]);
  base::prefetch(slots_[first_slot_].data - base::kCacheLine, kPrefetchSlotBytes);
}

void Lcore::transmit() {
  more_to_send_ = false;
  for (size_t round = 0; round < limits::kMaxTransmitRounds; ++round) {
    for (const auto& queue : queues_) {
      if (!queue->blocked()) continue;
      more_to_send_ = true;
      return;
    }
    const size_t offered = refill_slots();
    if (offered == 0) {
      more_to_send_ = true;
      return;
    }
    const size_t filled = endpoint_.poll_tx({slots_.data() + first_slot_, offered}, now_);
    if (unlike_) [[unlikely]] {
      prepare_pieces(first_slot_, filled);
    } else {
      for (size_t i = first_slot_; i < first_slot_ + filled; ++i) {
        prepare_frame(slot_frames_[i], slots_[i], outboxes_.data());
      }
    }
    first_slot_ += filled;
    if (filled != 0) prefetch_slot();
    for (size_t port = 0; filled > 0 && port < queues_.size(); ++port) {
      Outbox& outbox = outboxes_[port];
      if (outbox.count > 0) send_on(port, {outbox.frames.data(), outbox.count});
      outbox.count = 0;
    }
    if (filled < offered) return;
  }
  more_to_send_ = true;
}

void Lcore::prepare_frame(rte_mbuf* frame, const transport::TxPacket& packet, Outbox* outboxes) {
  const bool known = packet.route < routes_.size() && routes_[packet.route].valid;
  if (!known) [[unlikely]] {
    stats_.drop_route.add();
    rte_pktmbuf_free(frame);
    return;
  }
  const Route& route = routes_[packet.route];
  const size_t header = route.frame.prepend(packet.data, packet.length, source_port(packet.entropy),
                                            packet.priority, route.checksum_offload);
  frame->data_off = static_cast<uint16_t>(frame->data_off - header);
  frame->data_len = static_cast<uint16_t>(header + packet.length);
  frame->pkt_len = frame->data_len;
  frame->port = route.port;
  if (route.checksum_offload) {
    frame->l2_len = route.frame.l2_size() & 0x7f;
    frame->l3_len = route.frame.l3_size() & 0x1ff;
    frame->ol_flags |=
        RTE_MBUF_F_TX_UDP_CKSUM | (route.frame.v4() ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
  }
  Outbox& outbox = outboxes[route.port];
  outbox.frames[outbox.count++] = frame;
}

void Lcore::prepare_pieces(size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) {
    if (slots_[i].piece == transport::kWholeEsp) {
      prepare_esp(slot_frames_[i], slots_[i]);
    } else if (slots_[i].piece != 0) {
      prepare_piece(slot_frames_[i], slots_[i]);
    } else {
      prepare_frame(slot_frames_[i], slots_[i], outboxes_.data());
    }
  }
  stats_.drop_inline.add(chain_.take_given_up());
}

// What is dropped here is plaintext that nobody can seal: its bytes are asked for again, and then
// go in packet mode.
void Lcore::prepare_piece(rte_mbuf* frame, const transport::TxPacket& piece) {
  if (piece.route >= routes_.size() || !routes_[piece.route].valid) {
    chain_.give_up();
    stats_.drop_route.add();
    rte_pktmbuf_free(frame);
    return;
  }
  const Route& route = routes_[piece.route];
  rte_mbuf* const record = chain_.add(frame, piece, route, source_port(piece.entropy));
  if (record == nullptr) return;
  const auto* header = rte_pktmbuf_mtod_offset(record, const uint8_t*, route.frame.header_size());
  if (!inline_contexts_->mark(record, piece.context, header, route.port)) {
    stats_.drop_inline.add();
    rte_pktmbuf_free(record);
    return;
  }
  Outbox& outbox = outboxes_[route.port];
  outbox.frames[outbox.count++] = record;
}

// A packet whose data begins before the buffer's, in what was its headroom.
void Lcore::prepare_esp(rte_mbuf* frame, const transport::TxPacket& packet) {
  if (packet.route >= routes_.size() || !routes_[packet.route].valid) {
    stats_.drop_route.add();
    rte_pktmbuf_free(frame);
    return;
  }
  const Route& route = routes_[packet.route];
  const size_t header = route.frame.prepend_esp(packet.data, packet.length, packet.priority);
  frame->data_off = static_cast<uint16_t>(frame->data_off - header - wire::kEspHeaderSize);
  frame->data_len = static_cast<uint16_t>(header + packet.length);
  frame->pkt_len = frame->data_len;
  frame->port = route.port;
  if (packet.context != crypto::kNoInlineContext) {
    frame->l2_len = route.frame.l2_size() & 0x7f;
    frame->l3_len = route.frame.l3_size() & 0x1ff;
    frame->ol_flags |= route.frame.v4() ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
    if (inline_contexts_ == nullptr ||
        !inline_contexts_->mark_esp(frame, packet.context, route.port)) {
      stats_.drop_inline.add();
      rte_pktmbuf_free(frame);
      return;
    }
  }
  Outbox& outbox = outboxes_[route.port];
  outbox.frames[outbox.count++] = frame;
}

void Lcore::send_on(size_t port, std::span<rte_mbuf*> frames) {
  PortQueue& queue = *queues_[port];
  if (queue.can_send()) [[likely]] {
    queue.send(frames, now_);
    return;
  }
  Lcore* sender = siblings_[setup_.index % setup_.layout->ports[port].senders];
  for (rte_mbuf* frame : frames) {
    if (sender->inject(frame)) continue;
    stats_.drop_stuck.add();
    rte_pktmbuf_free(frame);
  }
}

void Lcore::drain_rings() {
  std::array<void*, 32> entries;
  for (PointerRing* ring : {inject_ring_.get(), handover_ring_.get()}) {
    if (ring == nullptr) continue;
    for (size_t count = ring->pop(entries); count > 0; count = ring->pop(entries)) {
      for (size_t i = 0; i < count; ++i) rte_pktmbuf_free(static_cast<rte_mbuf*>(entries[i]));
    }
  }
}

}  // namespace sluice::engine
