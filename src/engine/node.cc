// SPDX-License-Identifier: Apache-2.0
#include "engine/node.h"

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/limits.h"
#include "engine/mechanism.h"

namespace sluice::engine {
namespace {

// Bytes of a buffer beside its data: DPDK's headers and the alignment of the pool, which spreads
// buffers over the memory channels.
constexpr uint32_t kBufferOverhead = RTE_PKTMBUF_HEADROOM + sizeof(rte_mbuf) + 256;
// Bytes of a pool beside its buffers: it has a cache for every lcore that there could be.
constexpr uint64_t kPoolOverhead = sizeof(rte_mempool) + RTE_MAX_LCORE * sizeof(rte_mempool_cache);
constexpr uint32_t kPoolCache = 256;
constexpr uint32_t kModelContextBytes = 5u << 10;  // A key, and a place in each queue's stream.
constexpr uint32_t kFrameOverhead = 22;

// Stands in where the user has given no application: calls are refused at once.
class RefusingApplication final : public LcoreApplication {
 public:
  void on_events(LcoreContext& context, std::span<const transport::Event> events) override {
    for (const transport::Event& event : events) {
      switch (event.kind) {
        case transport::EventKind::kRequest:
        case transport::EventKind::kOffer:
          context.endpoint.submit(transport::Reject{.exchange = event.exchange}, context.now);
          break;
        case transport::EventKind::kOneWay:
        case transport::EventKind::kCallDone:
        case transport::EventKind::kLost:
          context.endpoint.submit(transport::ReleaseMessage{.exchange = event.exchange},
                                  context.now);
          break;
        case transport::EventKind::kSendDone:
        case transport::EventKind::kStream:
        case transport::EventKind::kLaneUp:
        case transport::EventKind::kLaneDown:
          break;
      }
    }
  }
};

}  // namespace

PoolBox::~PoolBox() {
  for (rte_mempool* pool : pools_) rte_mempool_free(pool);
}

rte_mempool* PoolBox::make(const std::string& name, uint32_t count, uint32_t bytes, int socket) {
  static std::atomic<uint32_t> serial{0};
  const std::string unique = absl::StrCat(name.substr(0, 12), "_", serial.fetch_add(1));
  const uint32_t cache = count >= 8 * kPoolCache ? kPoolCache : 32;
  // Last in, first out: the buffers in use stay few, and in the cache, where a ring would go round
  // through all of them.
  rte_mempool* pool = rte_pktmbuf_pool_create_by_ops(
      unique.c_str(), count, cache, 0, static_cast<uint16_t>(RTE_PKTMBUF_HEADROOM + bytes), socket,
      "stack");
  if (pool != nullptr) pools_.push_back(pool);
  return pool;
}

absl::Status check_node_config(const NodeConfig& config) {
  const auto error = [&](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat(config.name, ": ", what));
  };
  if (config.ports.empty() || config.ports.size() > limits::kMaxPorts) {
    return error(absl::StrCat("a node has 1 to ", limits::kMaxPorts, " ports"));
  }
  if (config.lcores == 0 || config.lcores > kMaxPollingLcores) {
    return error(absl::StrCat("a node has 1 to ", kMaxPollingLcores, " lcores"));
  }
  if (config.base_port == 0 || config.base_port + config.lcores > 65536) {
    return error("the base port and one port per lcore after it lie between 1 and 65535");
  }
  if (config.endpoint.esp && config.encapsulation != wire::Encapsulation::kNative) {
    return error("ESP is an IP protocol of its own: it takes native encapsulation");
  }
  if (config.endpoint.esp && config.endpoint.record_mode) {
    return error("packets that travel as ESP make no records: choose ESP or record mode");
  }
  for (const PortConfig& port : config.ports) {
    if (auto status = check_port_config(port); !status.ok()) return status;
  }
  return check_credentials(config);
}

uint32_t estimate_memory_mb(const NodeConfig& config) {
  uint64_t bytes = (4u << 20) + kPoolOverhead;  // Rings, what drivers take, the control's pool.
  for (uint8_t lcore = 0; lcore < config.lcores; ++lcore) {
    uint32_t largest = RTE_MBUF_DEFAULT_DATAROOM;
    uint64_t buffers = limits::kSpareBuffers;
    for (const PortConfig& port : config.ports) {
      auto spec = parse_device(port.device);
      if (!spec.ok()) continue;
      complete_device(&*spec, config.lcores, port.mtu);
      const uint32_t mtu = port.mtu != 0 ? port.mtu : kernel_mtu(*spec).value_or(1500);
      largest = std::max({largest, mtu + kFrameOverhead, device_frame_bytes(*spec)});
      bytes += uint64_t{port.model_contexts} * kModelContextBytes / config.lcores;
      buffers += uint64_t{port.descriptors} * 2 + limits::kSpareBuffersOfPort;
    }
    bytes += kPoolOverhead + buffers * (largest + kBufferOverhead);
    bytes += uint64_t{limits::kControlBuffers} * (largest + kBufferOverhead) / config.lcores;
  }
  return static_cast<uint32_t>((bytes >> 20) + 1);
}

absl::StatusOr<std::unique_ptr<Node>> Node::create(Setup setup) {
  std::unique_ptr<Node> node(new Node(std::move(setup)));
  for (auto step : {&Node::open_ports, &Node::choose_sealing, &Node::make_pools, &Node::make_lcores,
                    &Node::connect_lcores, &Node::make_control}) {
    if (auto status = (node.get()->*step)(); !status.ok()) return status;
  }
  return node;
}

Node::~Node() {
  stop();
  control_.reset();
  lcores_.clear();
  ports_.clear();
  captures_.clear();
}

absl::Status Node::open_ports() {
  const NodeConfig& config = *setup_.config;
  for (const PortConfig& each : config.ports) {
    auto port = Port::open(each, config.name, config.lcores, setup_.cables);
    if (!port.ok()) return port.status();
    auto status = (*port)->find_inline_crypto(setup_.crypto.backend, config.endpoint.esp);
    if (!status.ok()) return status;
    ports_.push_back(*std::move(port));
    captures_.emplace_back();
    if (each.capture_file.empty()) continue;
    auto capture = Capture::open(each.capture_file, each.capture_limit, config.lcores);
    if (!capture.ok()) return capture.status();
    captures_.back() = *std::move(capture);
  }
  return absl::OkStatus();
}

absl::Status Node::choose_sealing() {
  const NodeConfig& config = *setup_.config;
  InlineFacts facts;
  facts.wanted = setup_.wanted_crypto;
  facts.record_mode = config.endpoint.record_mode;
  facts.esp = config.endpoint.esp;
  facts.encapsulation = config.encapsulation;
  facts.algorithms = setup_.crypto.algorithms;
  facts.cpu = setup_.crypto.backend->name();
  for (const auto& port : ports_) {
    const InlineEngine* const engine = port->inline_engine();
    const bool fits = engine != nullptr && engine->seals_esp() == facts.esp;
    InlineFacts::OfPort of_port{
        .name = port->report().name, .seals = fits, .detail = port->sealing(), .algorithms = {}};
    if (engine != nullptr && !fits) {
      of_port.detail = facts.esp ? "it seals records and no ESP" : "it seals ESP and no records";
    }
    for (const crypto::AeadAlgorithm algorithm : facts.algorithms) {
      if (of_port.seals && port->inline_engine()->supports(algorithm)) {
        of_port.algorithms.push_back(algorithm);
      }
    }
    facts.ports.push_back(std::move(of_port));
  }
  auto choice = choose_inline(facts);
  if (!choice.ok()) return choice.status();
  inline_ = *std::move(choice);
  return absl::OkStatus();
}

absl::Status Node::make_pools() {
  uint32_t bytes = 0;
  uint32_t count = limits::kSpareBuffers;
  for (const auto& port : ports_) {
    bytes = std::max(bytes, port->buffer_bytes());
    count += port->buffers_per_lcore();
  }
  const int socket = ports_.front()->socket();
  for (uint8_t lcore = 0; lcore <= setup_.config->lcores; ++lcore) {
    const bool control = lcore == setup_.config->lcores;
    rte_mempool* pool = setup_.pools->make(
        control ? "control" : "lcore", control ? limits::kControlBuffers : count, bytes, socket);
    if (pool == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat("no memory for ", count, " packet buffers of ", bytes, " bytes (",
                       rte_strerror(rte_errno), "): raise -m, or use fewer descriptors or lcores"));
    }
    pools_.push_back(pool);
  }
  for (const auto& port : ports_) {
    if (setup_.idle.mode == IdleMode::kInterrupts) port->want_interrupts();
    const std::vector<rte_mempool*> of_lcores(pools_.begin(), pools_.end() - 1);
    auto status =
        port->configure(of_lcores, setup_.config->base_port, setup_.config->encapsulation);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

NodeLayout Node::make_layout() const {
  const NodeConfig& config = *setup_.config;
  NodeLayout layout;
  layout.name = config.name;
  layout.base_port = config.base_port;
  layout.lcores = config.lcores;
  layout.encapsulation = config.encapsulation;
  layout.native_protocol = config.native_protocol;
  for (const auto& port : ports_) {
    NodeLayout::PortFacts facts;
    for (const IpPrefix& prefix : port->config().addresses) {
      facts.addresses.push_back(prefix.address);
    }
    facts.senders = port->senders();
    layout.ports.push_back(facts);
  }
  return layout;
}

uint32_t Node::max_packet() const {
  size_t smallest = limits::kMaxMtu;
  for (const auto& port : ports_) {
    for (const IpPrefix& prefix : port->config().addresses) {
      smallest = std::min(smallest, wire::max_packet_size(port->mtu(), prefix.address.v4,
                                                          setup_.config->encapsulation));
    }
  }
  // PROTOCOL MUST-S4: what stands before the Sluice packet instead of ports.
  if (setup_.config->endpoint.esp) smallest -= wire::kEspHeaderSize - wire::kPortBytes;
  return static_cast<uint32_t>(smallest);
}

absl::Status Node::make_lcores() {
  const NodeConfig& config = *setup_.config;
  layout_ = make_layout();
  refusing_ = std::make_unique<RefusingApplication>();
  if (config.endpoint.esp) {
    spi_lcores_ = std::make_unique<SpiLcores>(config.lcores, config.max_sessions);
  }
  const uint32_t notices = 4 * config.endpoint.max_lanes * config.lcores + 2 * limits::kTaskRing;
  auto channel = ControlChannel::create("control", notices);
  if (!channel.ok()) return channel.status();
  channel_ = *std::move(channel);
  const crypto::RandomSource random = system_random();
  for (uint8_t index = 0; index < config.lcores; ++index) {
    Lcore::Setup lcore;
    lcore.index = index;
    lcore.eal_lcore = setup_.eal_lcores[index];
    lcore.yields = setup_.yields[index];
    lcore.idle = setup_.idle;
    lcore.layout = &layout_;
    lcore.clock = &setup_.eal->clock();
    lcore.control = channel_.get();
    lcore.pool = pools_[index];
    lcore.endpoint = config.endpoint;
    lcore.endpoint.max_packet = max_packet();
    lcore.spi_lcores = spi_lcores_.get();
    if (config.lcores > 1) {
      lcore.endpoint.credit_board = &credit_board_;
      lcore.endpoint.credit_member = index;
    }
    random(reinterpret_cast<uint8_t*>(&lcore.endpoint.seed), sizeof(lcore.endpoint.seed));
    lcore.backend = setup_.crypto.backend;
    lcore.primitives = setup_.library->primitives;
    lcore.gated = setup_.policy != nullptr || setup_.audit != nullptr;
    for (const auto& port : ports_) {
      if (!inline_.use) break;
      lcore.sealing_ports.push_back(port->tx_queue_of(index) < 0 ? nullptr : port->inline_engine());
    }
    const bool given = index < config.applications.size() && config.applications[index] != nullptr;
    lcore.application = given ? config.applications[index] : refusing_.get();
    auto made = Lcore::create(lcore);
    if (!made.ok()) return made.status();
    lcores_.push_back(*std::move(made));
  }
  return absl::OkStatus();
}

absl::Status Node::connect_lcores() {
  faults_.resize(2 * ports_.size());
  std::vector<Lcore*> all;
  for (const auto& lcore : lcores_) all.push_back(lcore.get());
  const auto lcores = static_cast<uint8_t>(lcores_.size());
  for (uint8_t index = 0; index < lcores; ++index) {
    std::vector<std::unique_ptr<PortQueue>> queues;
    for (size_t number = 0; number < ports_.size(); ++number) {
      const Port& port = *ports_[number];
      Capture* capture = captures_[number].get();
      queues.push_back(std::make_unique<PortQueue>(
          PortQueue::Setup{.port_id = port.id(),
                           .rx_queues = port.rx_queues_of(index),
                           .tx_queue = port.tx_queue_of(index),
                           .driven_by_peer = port.driven_by_peer(),
                           .capture = capture != nullptr ? capture->ring(index) : nullptr,
                           .wall_base = setup_.eal->clock().wall_base(),
                           .pool = pools_[index],
                           .stats = lcores_[index]->mutable_stats(),
                           .model = port.model()}));
    }
    lcores_[index]->connect(std::move(queues), all);
  }
  for (size_t port = 0; port < ports_.size(); ++port) {
    const PortConfig& config = ports_[port]->config();
    for (auto [direction, faults] : {std::pair{FaultDirection::kReceive, config.rx_faults},
                                     std::pair{FaultDirection::kTransmit, config.tx_faults}}) {
      if (!faults.enabled()) continue;
      if (auto status = set_faults(port, direction, faults); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Node::make_control() {
  Control::Setup control;
  control.node = setup_.index;
  control.config = setup_.config;
  control.layout = &layout_;
  control.clock = &setup_.eal->clock();
  control.channel = channel_.get();
  control.pool = pools_.back();
  for (const auto& port : ports_) control.ports.push_back(port.get());
  for (const auto& lcore : lcores_) control.lcores.push_back(lcore.get());
  control.primitives = setup_.library->primitives;
  control.backend = setup_.crypto.backend;
  control.algorithms = setup_.crypto.algorithms;
  control.random = system_random();
  control.mechanism = setup_.mechanism.get();
  control.tls = setup_.tls;
  control.policy = setup_.policy;
  control.audit = setup_.audit;
  control.max_packet = max_packet();
  control.spi_lcores = spi_lcores_.get();
  auto made = Control::create(control);
  if (!made.ok()) return made.status();
  control_ = *std::move(made);
  return absl::OkStatus();
}

// Drivers have them from the start of their port on.
absl::Status Node::connect_interrupts() {
  if (setup_.idle.mode != IdleMode::kInterrupts) return absl::OkStatus();
  for (const auto& lcore : lcores_) {
    std::vector<RxInterrupt> all;
    for (const auto& port : ports_) {
      auto found = port->interrupts_of(lcore->index());
      if (!found.ok()) return found.status();
      all.insert(all.end(), found->begin(), found->end());
    }
    lcore->set_interrupts(std::move(all));
  }
  return absl::OkStatus();
}

absl::Status Node::start() {
  for (const auto& port : ports_) {
    if (auto status = port->start(); !status.ok()) return status;
  }
  if (auto status = connect_interrupts(); !status.ok()) return status;
  for (const auto& lcore : lcores_) {
    if (auto status = lcore->start(); !status.ok()) return status;
  }
  control_->start();
  return absl::OkStatus();
}

bool Node::idle() {
  return std::all_of(lcores_.begin(), lcores_.end(), [](const auto& lcore) {
    bool idle = true;
    lcore->run_and_wait([&](Lcore&, LcoreContext& context) { idle = context.endpoint.idle(); });
    return idle;
  });
}

void Node::stop() {
  if (std::exchange(stopped_, true)) return;
  for (const auto& lcore : lcores_) lcore->stop();
  if (control_) control_->stop();
  for (const auto& port : ports_) port->stop();
}

// Each queue draws faults of its own; the same seed gives the same ones in each run.
std::unique_ptr<FaultInjector> Node::make_injector(size_t port, FaultDirection direction,
                                                   uint8_t lcore) {
  auto injector = make_fault_injector(pools_[lcore], FaultConfig{});
  place(port, direction).injectors.push_back(injector.get());
  return injector;
}

absl::Status Node::set_faults(size_t port, FaultDirection direction, const FaultConfig& faults) {
  if (port >= ports_.size()) return absl::NotFoundError(absl::StrCat("no port ", port));
  if (const char* error = fault_config_error(faults)) return absl::InvalidArgumentError(error);
  const bool transmit = direction == FaultDirection::kTransmit;
  const std::lock_guard lock(fault_mutex_);
  FaultPlace& where = place(port, direction);
  const bool fresh = where.injectors.empty();
  for (const auto& lcore : lcores_) {
    std::unique_ptr<FaultInjector> injector;
    if (fresh) injector = make_injector(port, direction, lcore->index());
    FaultConfig own = faults;
    own.seed = faults.seed + lcore->index();
    const auto apply = [&] {
      PortQueue& queue = lcore->queue(port);
      if (injector) queue.install_faults(transmit, std::move(injector));
      queue.faults(transmit)->configure(own);
    };
    if (!lcore->run_and_wait([&](Lcore&, LcoreContext&) { apply(); })) apply();
  }
  where.config = faults;
  return absl::OkStatus();
}

std::vector<FaultSnapshot> Node::faults() const {
  const std::lock_guard lock(fault_mutex_);
  std::vector<FaultSnapshot> out;
  for (size_t i = 0; i < faults_.size(); ++i) {
    FaultSnapshot snapshot;
    snapshot.node = setup_.index;
    snapshot.port = i / 2;
    snapshot.direction = i % 2 == 0 ? FaultDirection::kReceive : FaultDirection::kTransmit;
    snapshot.config = faults_[i].config;
    for_each_counter(FaultStats{}, [&](const char* name, const char*, uint64_t) {
      snapshot.counters.emplace_back(name, 0);
    });
    for (const FaultInjector* injector : faults_[i].injectors) {
      size_t position = 0;
      for_each_counter(injector->stats(), [&](const char*, const char*, uint64_t value) {
        snapshot.counters[position++].second += value;
      });
    }
    out.push_back(std::move(snapshot));
  }
  return out;
}

uint64_t Node::captured() const {
  uint64_t sum = 0;
  for (const auto& capture : captures_) sum += capture ? capture->recorded() : 0;
  return sum;
}

uint64_t Node::capture_dropped() const {
  uint64_t sum = 0;
  for (const auto& capture : captures_) sum += capture ? capture->dropped() : 0;
  return sum;
}

}  // namespace sluice::engine
