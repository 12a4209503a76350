// SPDX-License-Identifier: Apache-2.0
#include "engine/model_connectx.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "base/byte_order.h"
#include "base/check.h"
#include "crypto/wipe.h"
#include "engine/connectx_engine.h"
#include "engine/connectx_format.h"
#include "engine/model_frame.h"
#include "engine/stats.h"

namespace sluice::engine {
namespace {

using connectx::Opcode;

constexpr uint32_t kDomain = 0x123;      // The protection domain's number,
constexpr uint32_t kTransport = 0x45;    // the transport domain's,
constexpr uint32_t kFirstQueue = 0x800;  // that of queue 0,
constexpr uint32_t kMemoryKey = 0x6789;  // and of all memory.
constexpr size_t kBlocks = 1024;         // In a queue.
constexpr size_t kCompletions = 64;      // A burst asks for one.

// A key as CREATE_GENERAL_OBJECT brought it.
struct KeyObject {
  std::array<uint8_t, crypto::kMaxKeySize> bytes{};
  size_t size = 0;
};

// A TIS: what its parameters have set.
struct Tis {
  crypto::AeadKey key;
  bool has_key = false;
  uint32_t key_number = 0;
  bool armed = false;  // Parameters of both kinds have come; the next packet begins the stream.
  uint16_t queue = 0;  // By which they came. What comes by another one is out of turn.
  ModelPosition at;
};

class Model;

class Object final : public DevxObject {
 public:
  Object(Model* model, uint16_t command, uint32_t number)
      : model_(model), command_(command), number_(number) {}
  ~Object() override;

 private:
  Model* const model_;
  const uint16_t command_;
  const uint32_t number_;
};

// The memory that a queue shares with the device.
struct SharedMemory {
  alignas(64) std::array<uint8_t, kBlocks * connectx::kBlock> blocks{};
  alignas(64) std::array<uint8_t, kCompletions * connectx::kCompletionBytes> completions{};
  std::array<uint8_t, 4> record{};
  alignas(8) std::array<uint8_t, 8> doorbell{};
};

// The device's side of a queue.
class DeviceQueue {
 public:
  explicit DeviceQueue(uint32_t number) : number_(number), memory_(new SharedMemory) {
    for (size_t i = 0; i < kCompletions; ++i) {
      connectx::write_completion({}, memory_->completions.data() + i * connectx::kCompletionBytes);
    }
  }
  ConnectxQueue::Memory shared() {
    return {.blocks = memory_->blocks,
            .completions = memory_->completions,
            .doorbell_record = memory_->record.data(),
            .doorbell = memory_->doorbell.data(),
            .number = number_,
            .memory_key = kMemoryKey};
  }
  // The next descriptor, in one piece; null when there is none.
  const uint8_t* next(connectx::Control* control);
  void complete(const connectx::Control& control, bool sent);
  // Whether a descriptor's control segment is one for this place in this queue.
  bool accepts(const connectx::Control& control) const {
    return control.index == done_ && control.queue == number_ && control.segments > 0;
  }
  bool stopped() const { return stopped_; }

 private:
  const uint32_t number_;
  std::unique_ptr<SharedMemory> memory_;
  uint16_t done_ = 0;
  uint32_t completed_ = 0;
  bool stopped_ = false;
};

const uint8_t* DeviceQueue::next(connectx::Control* control) {
  const auto written = static_cast<uint16_t>(base::load_be32(memory_->record.data()));
  if (stopped_ || done_ == written) return nullptr;
  const uint8_t* const at = memory_->blocks.data() + done_ % kBlocks * connectx::kBlock;
  *control = connectx::read_control(at);
  return at;
}

void DeviceQueue::complete(const connectx::Control& control, bool sent) {
  const size_t bytes = control.segments * connectx::kSegment;
  done_ = static_cast<uint16_t>(done_ + (bytes + connectx::kBlock - 1) / connectx::kBlock);
  stopped_ = stopped_ || !sent;
  if (sent && !control.report) return;
  const size_t at = completed_ % kCompletions * connectx::kCompletionBytes;
  connectx::write_completion(
      {.index = control.index,
       .kind = sent ? connectx::CompletionKind::kSent : connectx::CompletionKind::kFailed,
       .owner = (completed_ / kCompletions & 1) != 0},
      memory_->completions.data() + at);
  ++completed_;
}

class Model final : public ModelNic, public Devx {
 public:
  explicit Model(const Setup& setup) : ModelNic(setup.queues), setup_(setup) {
    for (uint16_t queue = 0; queue < setup.queues; ++queue) {
      device_queues_.push_back(std::make_unique<DeviceQueue>(kFirstQueue + queue));
      queues_.push_back(std::make_unique<ConnectxQueue>(device_queues_.back()->shared()));
      scratch_.emplace_back(kMaxModelFrame);
    }
  }

  absl::StatusOr<std::unique_ptr<InlineEngine>> open_engine(uint32_t contexts,
                                                            int /*socket*/) override {
    auto engine = ConnectxEngine::open(this, contexts);
    if (!engine.ok()) return engine.status();
    engine_ = engine->get();
    return *std::move(engine);
  }
  size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                  rte_mempool* pool) override;

  uint32_t protection_domain() const override { return kDomain; }
  std::unique_ptr<DevxObject> create(std::span<const uint8_t> in, std::span<uint8_t> out) override;
  bool run(std::span<const uint8_t> in, std::span<uint8_t> out) override;
  void destroy(uint16_t command, uint32_t number);

 private:
  // Both with the mutex held; 0 where the command is none that a device takes.
  uint32_t create_key(std::span<const uint8_t> object);
  uint32_t create_tis(std::span<const uint8_t> context);
  bool set_static(uint16_t queue, const connectx::Control& control, const uint8_t* at);
  bool set_progress(const connectx::Control& control, const uint8_t* at);
  bool send(uint16_t queue, const connectx::Control& control, const uint8_t* at,
            std::span<rte_mbuf*> out, size_t* count, rte_mempool* pool);
  void look(uint16_t queue, std::span<rte_mbuf*> out, size_t* count, rte_mempool* pool);

  const Setup setup_;
  ConnectxEngine* engine_ = nullptr;  // Outlived by this; goes before it.
  std::vector<std::unique_ptr<DeviceQueue>> device_queues_;
  std::vector<std::unique_ptr<ConnectxQueue>> queues_;
  std::vector<std::vector<uint8_t>> scratch_;  // By queue.
  std::mutex mutex_;                           // The objects are of all queues.
  std::map<uint32_t, KeyObject> keys_;
  std::map<uint32_t, std::unique_ptr<Tis>> tises_;
  uint32_t numbered_ = 0;
};

Object::~Object() { model_->destroy(command_, number_); }

// What create_key() and create_tis() of connectx_format.h write, read as the device does.
uint32_t Model::create_key(std::span<const uint8_t> object) {
  constexpr size_t kKeyAt = 64;
  if (keys_.size() >= setup_.contexts || object.size() < kKeyAt + crypto::kMaxKeySize) return 0;
  const bool small = (object[10] & 0xf) == 0;
  const bool tls = (object[11] & 0xf) == 1;
  if (!tls || base::load_be32(object.data() + 12) != kDomain) return 0;
  KeyObject& key = keys_[++numbered_];
  key.size = small ? 16 : 32;
  std::memcpy(key.bytes.data(), object.data() + kKeyAt + (small ? 16 : 0), key.size);
  return numbered_;
}

uint32_t Model::create_tis(std::span<const uint8_t> context) {
  const bool tls = (context[0] & 0x40) != 0;
  if (!tls || base::load_be32(context.data() + 36) != kTransport ||
      base::load_be32(context.data() + 44) != kDomain) {
    return 0;
  }
  tises_[++numbered_] = std::make_unique<Tis>();
  return numbered_;
}

std::unique_ptr<DevxObject> Model::create(std::span<const uint8_t> in, std::span<uint8_t> out) {
  const std::lock_guard lock(mutex_);
  const uint16_t command = base::load_be16(in.data());
  uint32_t number = 0;
  if (command == connectx::kAllocTransportDomain) number = kTransport;
  if (command == connectx::kCreateGeneralObject &&
      base::load_be16(in.data() + 6) == connectx::kEncryptionKeyObject) {
    number = create_key(in.subspan(16));
  }
  if (command == connectx::kCreateTis) number = create_tis(in.subspan(32));
  out[0] = number == 0 ? 1 : 0;
  base::store_be32(out.data() + 8, number);
  return number == 0 ? nullptr : std::make_unique<Object>(this, command, number);
}

bool Model::run(std::span<const uint8_t> in, std::span<uint8_t> out) {
  if (base::load_be16(in.data()) != connectx::kQueryHcaCap) return false;
  std::fill(out.begin(), out.end(), uint8_t{0});
  uint8_t* const page = out.data() + 16;
  switch (base::load_be16(in.data() + 6) >> 1) {
    case static_cast<uint16_t>(connectx::CapabilityPage::kGeneral):
      page[0x480 / 8] |= 0x40;  // tls_tx
      base::store_be64(page + 0x400 / 8, 1u << connectx::kEncryptionKeyObject);
      page[0x5b0 / 8] |= 12;  // log_max_dek
      return true;
    case static_cast<uint16_t>(connectx::CapabilityPage::kTls):
      page[0] = 0x50;  // TLS 1.3, both
      return true;
  }
  return false;
}

void Model::destroy(uint16_t command, uint32_t number) {
  const std::lock_guard lock(mutex_);
  if (command == connectx::kCreateTis) {
    const auto found = tises_.find(number);
    if (found->second->has_key) setup_.backend->discard_key(&found->second->key);
    tises_.erase(found);
  }
  if (command == connectx::kCreateGeneralObject) {
    crypto::wipe_object(&keys_[number].bytes);
    keys_.erase(number);
  }
}

bool Model::set_static(uint16_t queue, const connectx::Control& control, const uint8_t* at) {
  connectx::StaticParameters wanted;
  const auto tis = tises_.find(control.tis);
  if (control.modifier != 1 || control.segments != connectx::kStaticSegments ||
      !connectx::read_static_parameters(at, &wanted) || tis == tises_.end()) {
    return false;
  }
  const auto key = keys_.find(wanted.key);
  if (key == keys_.end()) return false;
  Tis& state = *tis->second;
  if (state.has_key) setup_.backend->discard_key(&state.key);
  const auto algorithm = key->second.size == 16 ? crypto::AeadAlgorithm::kAes128Gcm
                                                : crypto::AeadAlgorithm::kAes256Gcm;
  state.has_key = setup_.backend->expand_key(
      algorithm, {key->second.bytes.data(), key->second.size}, wanted.iv, &state.key);
  state.key_number = wanted.key;
  state.at = {.number = wanted.record_number};
  state.armed = false;
  state.queue = queue;
  return state.has_key;
}

bool Model::set_progress(const connectx::Control& control, const uint8_t* at) {
  uint32_t number = 0;
  if (control.modifier != 1 || control.segments != connectx::kProgressSegments ||
      !connectx::read_progress_parameters(at, &number)) {
    return false;
  }
  const auto tis = tises_.find(number);
  if (tis == tises_.end() || !tis->second->has_key) return false;
  tis->second->armed = true;
  return true;
}

// A frame whose record is garbled leaves all the same: hardware cannot tell.
bool Model::send(uint16_t queue, const connectx::Control& control, const uint8_t* at,
                 std::span<rte_mbuf*> out, size_t* count, rte_mempool* pool) {
  const uint8_t* in = at + connectx::kSegment;
  const connectx::Headers headers = connectx::read_headers(in);
  const size_t taken = 1 + connectx::header_segments(headers.bytes.size());
  if (taken >= control.segments || headers.bytes.size() < 34) return false;
  in += (taken - 1) * connectx::kSegment;
  ModelFrame whole;
  whole.data = scratch_[queue].data();
  std::memcpy(whole.data, headers.bytes.data(), headers.bytes.size());
  whole.headers = whole.size = headers.bytes.size();
  for (size_t i = taken; i < control.segments; ++i, in += connectx::kSegment) {
    const connectx::DataPointer part = connectx::read_pointer(in);
    if (part.memory_key != kMemoryKey || whole.size + part.length > kMaxModelFrame) return false;
    std::memcpy(whole.data + whole.size, reinterpret_cast<const void*>(part.address), part.length);
    whole.size += part.length;
  }
  // The device reads for itself what the headers are.
  const bool tagged = base::load_be16(whole.data + 12) == 0x8100;
  whole.l2 = tagged ? 18 : 14;
  whole.v4 = base::load_be16(whole.data + whole.l2 - 2) == 0x0800;
  whole.l3 = whole.v4 ? 20 : 40;
  whole.segment = control.opcode == Opcode::kTso ? headers.mss : 0;
  if (control.opcode == Opcode::kTso && headers.mss == 0) return false;
  Counters& counters = counters_[queue];
  const auto tis = tises_.find(control.tis);
  if (tis == tises_.end() || !holds_a_record(whole)) {
    counters.dropped.add();
    return true;
  }
  Tis& state = *tis->second;
  const bool own = state.queue == queue;
  if (state.armed && own) {
    if (!control.fence) return false;  // It may overtake its parameters.
    state.armed = false;
    state.at.synced = true;
    state.at.sequence = sequence_of(whole);
    counters.resyncs.add();
  }
  ModelPosition nowhere;
  ModelPosition* const position = own ? &state.at : &nowhere;
  counters.records.add();
  const bool sealed = keys_.contains(state.key_number) && state.has_key;
  if (!sealed) std::memset(whole.data + whole.headers + 5, 0, whole.size - whole.headers - 5);
  if (!sealed || !seal_in_turn(whole, state.key, position, setup_.backend)) counters.garbled.add();
  if (!cut_frame(whole, out, count, pool)) counters.dropped.add();
  return true;
}

// All that the queue was rung for.
void Model::look(uint16_t queue, std::span<rte_mbuf*> out, size_t* count, rte_mempool* pool) {
  DeviceQueue& device = *device_queues_[queue];
  const std::lock_guard lock(mutex_);
  connectx::Control control;
  while (const uint8_t* at = device.next(&control)) {
    bool sense = device.accepts(control);
    if (sense) {
      switch (control.opcode) {
        case Opcode::kNop:
          break;
        case Opcode::kUmr:
          sense = set_static(queue, control, at);
          break;
        case Opcode::kSetPsv:
          sense = set_progress(control, at);
          break;
        case Opcode::kTso:
        case Opcode::kSend:
          sense = send(queue, control, at, out, count, pool);
          break;
        default:
          sense = false;
      }
    }
    device.complete(control, sense);
  }
}

size_t Model::transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                       rte_mempool* pool) {
  SLUICE_CHECK(queue < setup_.queues);
  size_t count = 0;
  ConnectxQueue& own = *queues_[queue];
  for (rte_mbuf* frame : frames) {
    const bool plain = (frame->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0;
    if (plain && count < out.size()) {
      out[count++] = frame;
      continue;
    }
    if (plain || !engine_->post(frame, &own)) {
      counters_[queue].dropped.add();
      rte_pktmbuf_free(frame);
      continue;
    }
    // Rung for each, so that packets leave in the order of their frames.
    own.ring();
    look(queue, out, &count, pool);
    counters_[queue].dropped.add(own.reap());
  }
  return count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelNic>> make_model_connectx(const ModelNic::Setup& setup) {
  return std::make_unique<Model>(setup);
}

}  // namespace sluice::engine
