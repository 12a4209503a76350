// SPDX-License-Identifier: Apache-2.0
#include "engine/model_nic.h"

#include "absl/status/status.h"
#include "engine/eal_arguments.h"
#include "engine/model_connectx.h"
#include "engine/model_esp.h"

#ifdef SLUICE_HAS_SECURITY_DRIVER
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "engine/model_frame.h"
#include "engine/security_model.h"
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

struct Session {
  crypto::AeadKey key;
  std::array<ModelPosition, kMaxPollingLcores> at;  // By queue.
};

class Model final : public SecurityModel<Session> {
 public:
  Model(const Setup& setup, int mark_offset)
      : SecurityModel(setup, SealedForm::kTlsRecord, mark_offset) {
    for (uint16_t queue = 0; queue < setup.queues; ++queue) scratch_.emplace_back(kMaxModelFrame);
  }

  size_t transmit(uint16_t queue, std::span<rte_mbuf*> frames, std::span<rte_mbuf*> out,
                  rte_mempool* pool) override;

 private:
  std::optional<Nonce> accept(const rte_security_session_conf& conf, Session* session) override;
  const rte_security_capability* capabilities() const override;
  bool gather(uint16_t queue, const rte_mbuf& frame, ModelFrame* whole);
  void seal(uint16_t queue, const InlineMark& mark, const ModelFrame& whole);

  std::vector<std::vector<uint8_t>> scratch_;  // By queue.
};

const rte_security_capability* Model::capabilities() const {
  static const auto ciphers = gcm_capabilities(wire::kTlsHeaderSize, crypto::kNonceSize);
  static const auto list = [] {
    std::array<rte_security_capability, 2> out{};
    out[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
    out[0].protocol = dpdk::kTlsRecord;
    out[0].crypto_capabilities = ciphers.data();
    out[0].ol_flags = RTE_SECURITY_TX_OLOAD_NEED_MDATA;
    out[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
    return out;
  }();
  return list.data();
}

std::optional<Model::Nonce> Model::accept(const rte_security_session_conf& conf,
                                          Session* /*session*/) {
  const uint8_t* const nonce = dpdk::tls_record_nonce(conf);
  if (conf.protocol != dpdk::kTlsRecord || nonce == nullptr) return std::nullopt;
  Nonce out;
  std::copy_n(nonce, out.size(), out.begin());
  return out;
}

// Copies the frame together, and looks for its record.
bool Model::gather(uint16_t queue, const rte_mbuf& frame, ModelFrame* whole) {
  if (frame.pkt_len > kMaxModelFrame) return false;
  whole->data = scratch_[queue].data();
  whole->size = frame.pkt_len;
  whole->l2 = frame.l2_len;
  whole->l3 = frame.l3_len;
  whole->headers = whole->l2 + whole->l3 + frame.l4_len;
  whole->segment = (frame.ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ? frame.tso_segsz : 0;
  whole->v4 = (frame.ol_flags & RTE_MBUF_F_TX_IPV4) != 0;
  whole->port = frame.port;
  size_t at = 0;
  for (const rte_mbuf* part = &frame; part != nullptr; part = part->next) {
    std::memcpy(whole->data + at, rte_pktmbuf_mtod(part, const uint8_t*), part->data_len);
    at += part->data_len;
  }
  return holds_a_record(*whole);
}

void Model::seal(uint16_t queue, const InlineMark& mark, const ModelFrame& whole) {
  Counters& counters = counters_[queue];
  auto* const session = static_cast<Session*>(mark.context);
  ModelPosition& at = session->at[queue];
  if (mark.resync != InlineMark::kGoOn) {
    at = {.synced = true, .sequence = sequence_of(whole), .number = mark.resync};
    counters.resyncs.add();
  }
  counters.records.add();
  if (!seal_in_turn(whole, session->key, &at, setup_.backend)) counters.garbled.add();
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
    ModelFrame whole;
    bool all = false;
    if (!plain && gather(queue, *frame, &whole)) {
      seal(queue, mark_of(frame), whole);
      all = cut_frame(whole, out, &count, pool);
    }
    if (!all) counters_[queue].dropped.add();
    rte_pktmbuf_free(frame);
  }
  return count;
}

absl::StatusOr<std::unique_ptr<ModelNic>> make_record_model(const ModelNic::Setup& setup) {
  return make_security_model<Model>(setup);
}

}  // namespace

#else
namespace {

absl::StatusOr<std::unique_ptr<ModelNic>> make_record_model(const ModelNic::Setup& /*setup*/) {
  return absl::FailedPreconditionError(
      "this build has no model of rte_security: its DPDK came without rte_security_driver.h; take "
      "the model of a ConnectX");
}

}  // namespace
#endif

absl::StatusOr<std::unique_ptr<ModelNic>> ModelNic::create(const Setup& setup) {
  if (setup.queues > kMaxPollingLcores) {
    return absl::InvalidArgumentError("the model NIC has fewer queues than that");
  }
  if (!setup.backend->supports(crypto::AeadAlgorithm::kAes128Gcm)) {
    return absl::FailedPreconditionError("the model NIC seals with AES-GCM: choose that cipher");
  }
  switch (setup.engine) {
    case ModelEngine::kSecurity:
      return make_record_model(setup);
    case ModelEngine::kConnectx:
      return make_model_connectx(setup);
    case ModelEngine::kEsp:
      return make_model_esp(setup);
  }
  return absl::InvalidArgumentError("unknown model NIC");
}

}  // namespace sluice::engine
