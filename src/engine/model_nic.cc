// SPDX-License-Identifier: Apache-2.0
#include "engine/model_nic.h"

#include "absl/status/status.h"

#ifdef SLUICE_HAS_SECURITY_DRIVER
#include <rte_cryptodev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_security_driver.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/byte_order.h"
#include "base/check.h"
#include "engine/dpdk_compat.h"
#include "engine/eal_arguments.h"
#include "wire/checksum.h"
#include "wire/record_packet.h"
#endif

namespace sluice::engine {

std::vector<std::pair<const char*, uint64_t>> ModelNic::totals() const {
  uint64_t records = 0;
  uint64_t garbled = 0;
  uint64_t resyncs = 0;
  uint64_t dropped = 0;
  for (const Counters& queue : counters_) {
    records += queue.records.value();
    garbled += queue.garbled.value();
    resyncs += queue.resyncs.value();
    dropped += queue.dropped.value();
  }
  return {{"model_records", records},
          {"model_garbled", garbled},
          {"model_resyncs", resyncs},
          {"model_resync_bytes", resyncs * kResyncBytes},
          {"model_dropped", dropped}};
}

#ifdef SLUICE_HAS_SECURITY_DRIVER
namespace {

constexpr size_t kMaxFrame = 65536;  // Of a segmented frame: IP cannot say more.
constexpr size_t kTcpChecksum = 16;  // In a TCP header.
constexpr size_t kTcpSequence = 4;
constexpr uint64_t kGoOn = UINT64_MAX;  // No record of a message has this number.

// Where a context is in the stream of one queue.
struct Position {
  bool synced = false;
  uint32_t sequence = 0;  // TCP's, of the next byte.
  uint64_t number = 0;    // Of the next record.
};

struct Session {
  crypto::AeadKey key;
  std::array<Position, kMaxPollingLcores> at;  // By queue.
};

// What set_pkt_metadata() leaves with a frame.
struct FrameMark {
  Session* session;
  uint64_t resync;
};

int mark_offset() {
  static const rte_mbuf_dynfield field = {.name = "sluice_model_nic",
                                          .size = sizeof(FrameMark),
                                          .align = alignof(FrameMark),
                                          .flags = 0};
  return rte_mbuf_dynfield_register(&field);
}

Session* session_of(rte_security_session* session) {
  const auto at = reinterpret_cast<uintptr_t>(SECURITY_GET_SESS_PRIV(session));
  return reinterpret_cast<Session*>((at + alignof(Session) - 1) & ~(alignof(Session) - 1));
}

const rte_cryptodev_capabilities* cipher_capabilities() {
  static const auto list = [] {
    std::array<rte_cryptodev_capabilities, 2> out{};
    out[0].op = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
    out[0].sym.xform_type = RTE_CRYPTO_SYM_XFORM_AEAD;
    auto& aead = out[0].sym.aead;
    aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
    aead.block_size = 16;
    aead.key_size = {.min = 16, .max = 32, .increment = 16};
    aead.digest_size = {.min = 16, .max = 16, .increment = 0};
    aead.aad_size = {.min = 5, .max = 5, .increment = 0};
    aead.iv_size = {.min = 12, .max = 12, .increment = 0};
    out[1].op = RTE_CRYPTO_OP_TYPE_UNDEFINED;
    return out;
  }();
  return list.data();
}

class Model final : public ModelNic {
 public:
  Model(const Setup& setup, int offset)
      : ModelNic(setup.queues), setup_(setup), mark_offset_(offset), context_{} {
    context_.device = this;
    context_.ops = &operations();
    for (uint16_t queue = 0; queue < setup.queues; ++queue) scratch_.emplace_back(kMaxFrame);
  }

  void* instance() override { return &context_; }
  size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                  rte_mempool* pool) override;

 private:
  // A frame to be sealed, in one piece.
  struct Whole {
    uint8_t* data = nullptr;
    size_t l4 = 0;       // Where the TCP-shaped header begins,
    size_t headers = 0;  // and the record.
    size_t size = 0;
  };

  static const rte_security_ops& operations();
  static Model& self(void* device) { return *static_cast<Model*>(device); }
  int open(const rte_security_session_conf& conf, Session* session);
  bool gather(uint16_t queue, const rte_mbuf& frame, Whole* whole);
  void seal(uint16_t queue, const FrameMark& mark, const Whole& whole);
  // Appends its packets to the first `count` of `out`; false when there was no room for them all.
  bool cut(const rte_mbuf& frame, const Whole& whole, std::span<rte_mbuf*> out, size_t* count,
           rte_mempool* pool);

  const Setup setup_;
  const int mark_offset_;
  rte_security_ctx context_;
  std::atomic<uint32_t> open_{0};
  std::vector<std::vector<uint8_t>> scratch_;  // By queue.
};

const rte_security_ops& Model::operations() {
  static const rte_security_ops table = [] {
    rte_security_ops ops{};
    ops.session_create = [](void* device, rte_security_session_conf* conf,
                            rte_security_session* session) {
      return self(device).open(*conf, new (session_of(session)) Session);
    };
    ops.session_destroy = [](void* device, rte_security_session* session) {
      Session* const own = session_of(session);
      self(device).setup_.backend->discard_key(&own->key);
      own->~Session();
      self(device).open_.fetch_sub(1, std::memory_order_relaxed);
      return 0;
    };
    ops.session_get_size = [](void*) -> unsigned { return sizeof(Session) + alignof(Session); };
    ops.set_pkt_metadata = [](void* device, rte_security_session* session, rte_mbuf* frame,
                              void* params) {
      const FrameMark mark{session_of(session),
                           params == nullptr ? kGoOn : *static_cast<const uint64_t*>(params)};
      *RTE_MBUF_DYNFIELD(frame, self(device).mark_offset_, FrameMark*) = mark;
      return 0;
    };
    ops.capabilities_get = [](void*) {
      static const auto list = [] {
        std::array<rte_security_capability, 2> out{};
        out[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
        out[0].protocol = dpdk::kTlsRecord;
        out[0].crypto_capabilities = cipher_capabilities();
        out[0].ol_flags = RTE_SECURITY_TX_OLOAD_NEED_MDATA;
        out[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
        return out;
      }();
      return list.data();
    };
    return ops;
  }();
  return table;
}

int Model::open(const rte_security_session_conf& conf, Session* session) {
  const rte_crypto_sym_xform* const cipher = conf.crypto_xform;
  const uint8_t* const nonce = dpdk::tls_record_nonce(conf);
  if (conf.action_type != RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO ||
      conf.protocol != dpdk::kTlsRecord || cipher == nullptr || nonce == nullptr ||
      cipher->type != RTE_CRYPTO_SYM_XFORM_AEAD || cipher->aead.algo != RTE_CRYPTO_AEAD_AES_GCM ||
      cipher->aead.op != RTE_CRYPTO_AEAD_OP_ENCRYPT) {
    return -ENOTSUP;
  }
  if (open_.fetch_add(1, std::memory_order_relaxed) >= setup_.contexts) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return -ENOSPC;
  }
  const auto algorithm =
      cipher->aead.key.length == crypto::key_size(crypto::AeadAlgorithm::kAes128Gcm)
          ? crypto::AeadAlgorithm::kAes128Gcm
          : crypto::AeadAlgorithm::kAes256Gcm;
  const bool taken = setup_.backend->expand_key(
      algorithm, {cipher->aead.key.data, cipher->aead.key.length},
      std::span<const uint8_t, crypto::kNonceSize>(nonce, crypto::kNonceSize), &session->key);
  if (taken) return 0;
  open_.fetch_sub(1, std::memory_order_relaxed);
  return -ENOTSUP;
}

// Copies the frame together, and looks for its record: TLS's framing is all that the engine sees.
bool Model::gather(uint16_t queue, const rte_mbuf& frame, Whole* whole) {
  whole->l4 = frame.l2_len + frame.l3_len;
  whole->headers = whole->l4 + frame.l4_len;
  whole->size = frame.pkt_len;
  whole->data = scratch_[queue].data();
  if (whole->size > kMaxFrame || whole->size < whole->headers + wire::kTlsHeaderSize) return false;
  size_t at = 0;
  for (const rte_mbuf* part = &frame; part != nullptr; part = part->next) {
    std::memcpy(whole->data + at, rte_pktmbuf_mtod(part, const uint8_t*), part->data_len);
    at += part->data_len;
  }
  const uint8_t* const record = whole->data + whole->headers;
  const size_t size = wire::kTlsHeaderSize + base::load_be16(record + 3);
  return record[0] == wire::kTlsApplicationData && size == whole->size - whole->headers &&
         size > wire::kTlsHeaderSize + crypto::kTagSize;
}

void Model::seal(uint16_t queue, const FrameMark& mark, const Whole& whole) {
  Counters& counters = counters_[queue];
  Position& at = mark.session->at[queue];
  uint8_t* const record = whole.data + whole.headers;
  const auto size = static_cast<uint32_t>(whole.size - whole.headers);
  const uint32_t sequence = base::load_be32(whole.data + whole.l4 + kTcpSequence);
  if (mark.resync != kGoOn) {
    at = {.synced = true, .sequence = sequence, .number = mark.resync};
    counters.resyncs.add();
  }
  const bool follows = at.synced && at.sequence == sequence;
  crypto::AeadJob job;
  job.key = &mark.session->key;
  // What hardware makes of a stream that it has lost is nobody's promise. The model never makes a
  // right record of it.
  job.record_number = follows ? at.number : ~at.number;
  job.aad = record;
  job.aad_length = wire::kTlsHeaderSize;
  job.in = job.out = record + wire::kTlsHeaderSize;
  job.length = size - static_cast<uint32_t>(wire::kTlsHeaderSize) - crypto::kTagSize;
  setup_.backend->submit_seal({&job, 1});
  counters.records.add();
  if (!follows) counters.garbled.add();
  ++at.number;
  at.sequence = sequence + size;
}

// Repeats the headers as a segmenting NIC does: lengths, checksums and the TCP sequence are each
// packet's own, and the IPv4 identification counts them.
void write_headers(const rte_mbuf& frame, uint32_t place, uint16_t number, uint8_t* packet,
                   size_t size) {
  uint8_t* const ip = packet + frame.l2_len;
  uint8_t* const l4 = ip + frame.l3_len;
  const size_t l4_size = size - frame.l2_len - frame.l3_len;
  const bool v4 = (frame.ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
  base::store_be32(l4 + kTcpSequence, base::load_be32(l4 + kTcpSequence) + place);
  base::store_be16(l4 + kTcpChecksum, 0);
  if (v4) {
    base::store_be16(ip + 2, static_cast<uint16_t>(frame.l3_len + l4_size));
    base::store_be16(ip + 4, number);
    base::store_be16(ip + 10, 0);
    base::store_be16(ip + 10, wire::ipv4_header_checksum(ip, frame.l3_len));
    base::store_be16(l4 + kTcpChecksum, wire::l4_checksum(wire::IpAddress::from_v4_bytes(ip + 12),
                                                          wire::IpAddress::from_v4_bytes(ip + 16),
                                                          ip[9], l4, l4_size));
  } else {
    base::store_be16(ip + 4, static_cast<uint16_t>(l4_size));
    base::store_be16(l4 + kTcpChecksum, wire::l4_checksum(wire::IpAddress::from_v6_bytes(ip + 8),
                                                          wire::IpAddress::from_v6_bytes(ip + 24),
                                                          ip[6], l4, l4_size));
  }
}

bool Model::cut(const rte_mbuf& frame, const Whole& whole, std::span<rte_mbuf*> out, size_t* count,
                rte_mempool* pool) {
  const size_t record = whole.size - whole.headers;
  const bool segmented = (frame.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 && frame.tso_segsz != 0;
  const size_t segment = segmented ? frame.tso_segsz : record;
  uint16_t number = 0;
  for (size_t place = 0; place < record; place += segment) {
    const size_t part = std::min(segment, record - place);
    rte_mbuf* const packet = *count < out.size() ? rte_pktmbuf_alloc(pool) : nullptr;
    if (packet == nullptr) return false;
    uint8_t* const data = reinterpret_cast<uint8_t*>(
        rte_pktmbuf_append(packet, static_cast<uint16_t>(whole.headers + part)));
    if (data == nullptr) {
      rte_pktmbuf_free(packet);
      return false;
    }
    packet->port = frame.port;
    std::memcpy(data, whole.data, whole.headers);
    std::memcpy(data + whole.headers, whole.data + whole.headers + place, part);
    write_headers(frame, static_cast<uint32_t>(place), number++, data, whole.headers + part);
    out[(*count)++] = packet;
  }
  return true;
}

size_t Model::transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                       rte_mempool* pool) {
  SLUICE_CHECK(queue < setup_.queues);
  size_t count = 0;
  for (rte_mbuf* frame : frames) {
    const bool plain = (frame->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD) == 0;
    if (plain && count < out.size()) {
      out[count++] = frame;
      continue;
    }
    Whole whole;
    bool all = false;
    if (!plain && gather(queue, *frame, &whole)) {
      seal(queue, *RTE_MBUF_DYNFIELD(frame, mark_offset_, FrameMark*), whole);
      all = cut(*frame, whole, out, &count, pool);
    }
    if (!all) counters_[queue].dropped.add();
    rte_pktmbuf_free(frame);
  }
  return count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelNic>> ModelNic::create(const Setup& setup) {
  if (setup.queues > kMaxPollingLcores) {
    return absl::InvalidArgumentError("the model NIC has fewer queues than that");
  }
  if (!setup.backend->supports(crypto::AeadAlgorithm::kAes128Gcm)) {
    return absl::FailedPreconditionError("the model NIC seals with AES-GCM: choose that cipher");
  }
  const int offset = mark_offset();
  if (offset < 0)
    return absl::ResourceExhaustedError("no room in packet buffers for the model NIC");
  return std::make_unique<Model>(setup, offset);
}

#else

absl::StatusOr<std::unique_ptr<ModelNic>> ModelNic::create(const Setup& /*setup*/) {
  return absl::FailedPreconditionError(
      "this build has no model NIC: its DPDK came without rte_security_driver.h");
}

#endif

}  // namespace sluice::engine
