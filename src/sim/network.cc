// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "sim/fabric.h"
#include "sim/faults.h"
#include "sim/nic.h"

namespace sluice::sim {
namespace {

constexpr uint8_t kind_of(EventKind kind) { return static_cast<uint8_t>(kind); }

}  // namespace

class Network::Impl {
 public:
  Impl(const Topology& topology, const NetworkConfig& config)
      : topology_(topology),
        config_(config),
        fabric_(topology_, config_),
        faults_(topology_),
        hosts_(topology.hosts) {
    nics_.reserve(topology.hosts);
    for (uint32_t h = 0; h < topology.hosts; ++h) nics_.emplace_back(config.hosts, config.seed, h);
    std::vector<bool> has_hosts(topology.switches);
    for (const Port& port : fabric_.ports()) {
      if (port.to_host) has_hosts[port.node - topology.hosts] = true;
    }
    for (uint32_t s = 0; s < topology.switches; ++s) {
      if (has_hosts[s]) leaves_.push_back(s);
    }
    samples_.reserve(size_t{config.max_samples} * leaves_.size());
    start_window();
  }

  void attach(uint32_t host, HostPort* port) {
    SLUICE_CHECK(host < hosts_.size());
    hosts_[host] = port;
  }
  bool send(uint32_t host, PacketHandle handle);
  void wake_at(uint32_t host, Picos at, uint64_t cookie) {
    SLUICE_CHECK(at >= now_ && host < hosts_.size());
    fabric_.queue().push(at, kind_of(EventKind::kWake), host, cookie);
  }
  void run_until(Picos until);
  void schedule(Picos at, const Fault& fault) {
    SLUICE_CHECK(at >= now_);
    fabric_.queue().push(at, kind_of(EventKind::kFault), static_cast<uint32_t>(schedule_.size()),
                         0);
    schedule_.push_back(fault);
  }

  void start_window() {
    fabric_.start_window(now_);
    samples_.clear();
    next_sample_ = config_.max_samples == 0 ? Picos::max() : now_ + config_.sample_period;
  }
  bool conserved() const;
  uint64_t in_flight() const;

 private:
  friend class Network;

  Topology topology_;
  NetworkConfig config_;
  Fabric fabric_;
  FaultState faults_;
  std::vector<HostPort*> hosts_;
  std::vector<Nic> nics_;
  std::vector<Fault> schedule_;
  std::vector<uint32_t> leaves_;
  std::vector<uint32_t> samples_;
  Picos next_sample_;
  Picos now_;
  uint64_t hash_ = 0;
  bool running_ = false;

 private:
  void handle(const Event& event);
  void receive(PacketHandle handle, uint32_t host);
  void deliver(PacketHandle handle, uint32_t host);
  void after_ring_shrank(PortId id);
  void sample_before(Picos time);
};

bool Network::Impl::send(uint32_t host, PacketHandle handle) {
  Packet& packet = fabric_.pool()[handle];
  SLUICE_CHECK(host < hosts_.size() && packet.dst < hosts_.size() && packet.wire_bytes != 0);
  Nic& nic = nics_[host];
  const QueueGauge& ring = fabric_.host_port(host).gauge;
  if (!nic.admit(ring.bytes(), packet.wire_bytes)) return false;
  packet.born = now_;
  NetworkTotals& totals = fabric_.totals();
  ++totals.sent_packets;
  totals.sent_bytes += packet.wire_bytes;
  fabric_.send(host, handle, now_);
  nic.entered(ring.bytes());
  return true;
}

void Network::Impl::run_until(Picos until) {
  SLUICE_CHECK(!running_ && until >= now_);
  running_ = true;
  EventQueue& queue = fabric_.queue();
  uint64_t events = 0;
  for (Event event; queue.pop(until, &event); ++events) {
    if (event.time > next_sample_) [[unlikely]]
      sample_before(event.time);
    now_ = event.time;
    hash_ = base::folded_multiply(hash_ ^ now_.value() ^ std::rotl(event.b, 40),
                                  0x9E3779B97F4A7C15u ^ (uint64_t{event.a} << 8 | event.kind()));
    handle(event);
  }
  fabric_.totals().events += events;
  running_ = false;
  if (until == Picos::max()) return;
  if (until >= next_sample_) sample_before(after(until, Picos(1)));
  now_ = until;
}

void Network::Impl::handle(const Event& event) {
  switch (static_cast<EventKind>(event.kind())) {
    case EventKind::kArrival:
      if (const uint32_t host = fabric_.on_arrival(event); host != kNoHost) {
        receive(event.a, host);
      }
      return;
    case EventKind::kPortFree:
      fabric_.on_port_free(event.a, now_);
      if (fabric_.ports()[event.a].from_host) after_ring_shrank(event.a);
      return;
    case EventKind::kDeliver: {
      const uint32_t host = static_cast<uint32_t>(event.b);
      nics_[host].waited(fabric_.pool()[event.a].wire_bytes);
      return deliver(event.a, host);
    }
    case EventKind::kWake:
      SLUICE_CHECK(hosts_[event.a] != nullptr);
      return hosts_[event.a]->on_wake(now_, event.b);
    case EventKind::kFault:
      if (faults_.apply(schedule_[event.a], &fabric_) && config_.detection_delay) {
        fabric_.queue().push(after(now_, *config_.detection_delay), kind_of(EventKind::kDetect), 0,
                             0);
      }
      return;
    case EventKind::kDetect:
      return fabric_.reroute();
  }
}

// A packet has come to the host's door; the host's processor may keep it for a while.
void Network::Impl::receive(PacketHandle handle, uint32_t host) {
  Nic& nic = nics_[host];
  const Picos ready = nic.ready_at(now_, &fabric_.totals().stalls);
  if (ready == now_ && !nic.is_waiting()) return deliver(handle, host);
  nic.will_wait(fabric_.pool()[handle].wire_bytes);
  fabric_.queue().push(ready, kind_of(EventKind::kDeliver), handle, host);
}

void Network::Impl::deliver(PacketHandle handle, uint32_t host) {
  NetworkTotals& totals = fabric_.totals();
  ++totals.delivered_packets;
  totals.delivered_bytes += fabric_.pool()[handle].wire_bytes;
  SLUICE_CHECK(hosts_[host] != nullptr);
  hosts_[host]->on_packet(handle, now_);
}

void Network::Impl::after_ring_shrank(PortId id) {
  const Port& port = fabric_.ports()[id];
  if (nics_[port.node].take_owed_call(port.gauge.bytes())) hosts_[port.node]->on_ring_room(now_);
}

// Writes down every sample that is due before `time`; nothing has changed since it was due.
void Network::Impl::sample_before(Picos time) {
  while (next_sample_ < time) {
    for (const uint32_t leaf : leaves_) {
      const uint64_t bytes = fabric_.switch_state(leaf).downlinks;
      samples_.push_back(static_cast<uint32_t>(std::min<uint64_t>(bytes, UINT32_MAX)));
    }
    const bool full = samples_.size() == size_t{config_.max_samples} * leaves_.size();
    next_sample_ = full ? Picos::max() : next_sample_ + config_.sample_period;
  }
}

uint64_t Network::Impl::in_flight() const {
  const NetworkTotals& totals = fabric_.totals();
  uint64_t gone = totals.delivered_packets;
  for (const uint64_t dropped : totals.dropped_packets) gone += dropped;
  return totals.sent_packets - gone;
}

bool Network::Impl::conserved() const {
  const NetworkTotals& totals = fabric_.totals();
  uint64_t packets = totals.delivered_packets + fabric_.packets_inside();
  uint64_t bytes = totals.delivered_bytes + totals.trimmed_bytes + fabric_.bytes_inside();
  for (uint32_t cause = 0; cause < kDropCauses; ++cause) {
    packets += totals.dropped_packets[cause];
    bytes += totals.dropped_bytes[cause];
  }
  for (const Nic& nic : nics_) {
    packets += nic.waiting();
    bytes += nic.waiting_bytes();
  }
  return packets == totals.sent_packets && bytes == totals.sent_bytes;
}

Network::Network(const Topology& topology, const NetworkConfig& config) {
  SLUICE_CHECK(validate(topology).ok() && validate(config).ok());
  impl_ = std::make_unique<Impl>(topology, config);
}
Network::~Network() = default;

void Network::attach(uint32_t host, HostPort* port) { impl_->attach(host, port); }
void Network::set_host(uint32_t host, const HostModel& model) {
  impl_->nics_[host].set_model(model);
}

bool Network::ranked() const { return impl_->config_.switches.discipline == Discipline::kRanked; }
const HostModel& Network::host_model(uint32_t host) const { return impl_->nics_[host].model(); }

bool Network::send(uint32_t host, PacketHandle packet) { return impl_->send(host, packet); }
uint64_t Network::ring_bytes(uint32_t host) const {
  return impl_->fabric_.host_port(host).gauge.bytes();
}
uint64_t Network::ring_room(uint32_t host) const {
  const uint64_t capacity = impl_->nics_[host].model().ring_bytes;
  return capacity - std::min(capacity, ring_bytes(host));
}
Picos Network::link_free_at(uint32_t host) const {
  return impl_->fabric_.host_port(host).busy_until;
}
void Network::wake_at(uint32_t host, Picos at, uint64_t cookie) {
  impl_->wake_at(host, at, cookie);
}

void Network::run_until(Picos until) { impl_->run_until(until); }
Picos Network::now() const { return impl_->now_; }
Picos Network::next_event() const { return impl_->fabric_.queue().next_time(); }
PacketPool& Network::pool() { return impl_->fabric_.pool(); }
const Topology& Network::topology() const { return impl_->topology_; }

void Network::fail_link(Picos at, LinkId link) {
  SLUICE_CHECK(link < topology().links.size());
  impl_->schedule(at, {Fault::What::kFailLink, link});
}
void Network::restore_link(Picos at, LinkId link) {
  SLUICE_CHECK(link < topology().links.size());
  impl_->schedule(at, {Fault::What::kRestoreLink, link});
}
void Network::change_rate(Picos at, LinkId link, uint32_t gbps) {
  SLUICE_CHECK(link < topology().links.size() && is_exact_rate(gbps));
  impl_->schedule(at, {Fault::What::kChangeRate, link, gbps});
}
void Network::fail_switch(Picos at, uint32_t index) {
  SLUICE_CHECK(index < topology().switches);
  impl_->schedule(at, {Fault::What::kFailSwitch, index});
}
void Network::restore_switch(Picos at, uint32_t index) {
  SLUICE_CHECK(index < topology().switches);
  impl_->schedule(at, {Fault::What::kRestoreSwitch, index});
}
void Network::set_loss(LinkId link, const LossModel& loss) { impl_->fabric_.set_loss(link, loss); }
bool Network::link_is_up(LinkId link) const { return impl_->fabric_.link_is_up(link); }

void Network::start_window() { impl_->start_window(); }
const NetworkTotals& Network::totals() const { return impl_->fabric_.totals(); }

std::vector<PortReport> Network::ports() const {
  std::vector<PortReport> reports;
  for (const Port& port : impl_->fabric_.ports()) {
    reports.push_back({.node = port.node,
                       .peer = port.peer,
                       .link = static_cast<LinkId>(reports.size() / 2),
                       .sent_packets = port.sent_packets,
                       .sent_bytes = port.sent_bytes,
                       .max_queue_bytes = port.gauge.max(),
                       .mean_queue_bytes = port.gauge.mean(impl_->now_)});
  }
  return reports;
}

uint64_t Network::max_downlink_bytes(uint32_t switch_index) const {
  return impl_->fabric_.switch_state(switch_index).max_downlinks;
}
uint64_t Network::downlink_bytes(uint32_t switch_index) const {
  return impl_->fabric_.switch_state(switch_index).downlinks;
}
uint64_t Network::max_buffer_bytes(uint32_t switch_index) const {
  return impl_->fabric_.switch_state(switch_index).max_waiting;
}
const std::vector<uint32_t>& Network::samples() const { return impl_->samples_; }
const std::vector<uint32_t>& Network::leaves() const { return impl_->leaves_; }

bool Network::conserved() const { return impl_->conserved(); }
uint64_t Network::in_flight() const { return impl_->in_flight(); }
uint64_t Network::trace_hash() const { return impl_->hash_; }

}  // namespace sluice::sim
