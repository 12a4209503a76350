// SPDX-License-Identifier: Apache-2.0
//
// A model NIC with what is around it, and records for it.
#ifndef SLUICE_TEST_UNIT_ENGINE_INLINE_TEST_UTIL_H_
#define SLUICE_TEST_UNIT_ENGINE_INLINE_TEST_UTIL_H_

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "engine/crypto_loader.h"
#include "engine/model_nic.h"
#include "engine/node.h"
#include "engine/record_chain.h"
#include "engine/security_port.h"
#include "engine_test_util.h"
#include "transport/staged_record.h"

namespace sluice::engine {

using Bytes = std::vector<uint8_t>;

inline constexpr std::array<uint8_t, 16> kInlineKey = {1, 2, 3, 4, 5, 6, 7, 8, 9};
inline constexpr std::array<uint8_t, crypto::kNonceSize> kInlineIv = {9, 8, 7, 6, 5};

// The headers of native packets over either family.
inline Route inline_route(bool v4, uint8_t port = 0) {
  wire::FramePath path;
  path.source_mac.bytes[0] = 2;
  path.destination_mac.bytes[0] = 6;
  path.source = *wire::parse_ip_address(v4 ? "10.0.0.1" : "fd00::1");
  path.destination = *wire::parse_ip_address(v4 ? "10.0.0.2" : "fd00::2");
  path.destination_port = 7470;
  path.encapsulation = wire::Encapsulation::kNative;
  Route route;
  route.frame = wire::FrameTemplate(path);
  route.port = port;
  route.valid = true;
  return route;
}

class InlineTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(test_eal(), nullptr);
    const auto library = load_crypto("");
    ASSERT_TRUE(library.ok()) << library.status();
    backend = (*library)->backends.boringssl;
    pool = pools.make("inline", 511, 2048, -1);
    ASSERT_NE(pool, nullptr);
    make_model(4);
    ASSERT_TRUE(
        backend->expand_key(crypto::AeadAlgorithm::kAes128Gcm, kInlineKey, kInlineIv, &key));
  }
  void TearDown() override {
    EXPECT_EQ(rte_mempool_avail_count(pool), 511u) << "every buffer is given back";
  }

  void make_model(uint32_t contexts) {
    security.reset();
    auto made =
        ModelNic::create({.engine = engine, .queues = 2, .contexts = contexts, .backend = backend});
    ASSERT_TRUE(made.ok()) << made.status();
    model = *std::move(made);
    auto port = model->open_engine(8, -1);
    ASSERT_TRUE(port.ok()) << port.status();
    security = *std::move(port);
  }
  void* open_context(uint32_t spi = 0) {
    return security->open_context(crypto::AeadAlgorithm::kAes128Gcm, kInlineKey, kInlineIv, spi);
  }

  // The record `index` of a message all of whose records have so many bytes.
  static constexpr uint32_t kContent = 4000;
  static wire::RecordHeader header(uint64_t id, uint32_t index) {
    wire::RecordHeader out;
    out.message.session = 7;
    out.message.record_number = *wire::message_number({}, true, id, 0, index);
    out.message.offset = index * kContent;
    out.message.message_length = 100 * kContent;
    out.message.granted = 100 * kContent;
    out.index = index;
    out.length = static_cast<uint16_t>(wire::record_size(kContent));
    return out;
  }
  static uint64_t number(uint64_t id, uint32_t index) {
    return header(id, index).message.record_number;
  }
  static Bytes content(uint32_t index) {
    Bytes out(kContent);
    for (uint32_t i = 0; i < kContent; ++i) out[i] = static_cast<uint8_t>(i * 7 + index);
    return out;
  }
  transport::TxPacket slot_of(rte_mbuf* buffer) {
    transport::TxPacket slot;
    slot.data = rte_pktmbuf_mtod(buffer, uint8_t*);
    slot.capacity = rte_pktmbuf_tailroom(buffer);
    return slot;
  }
  // What poll_tx() fills for a record: left to a port's context, or sealed here.
  std::vector<std::pair<rte_mbuf*, transport::TxPacket>> pieces(uint64_t id, uint32_t index,
                                                                bool sealed) {
    transport::TxPacket way;
    way.priority = 3;
    staged.begin(header(id, index), content_of(index), {}, way);
    if (sealed) {
      staged.seal(backend, &key);
    } else {
      staged.leave_to_port(1);
    }
    std::vector<std::pair<rte_mbuf*, transport::TxPacket>> out;
    while (staged.pending()) {
      rte_mbuf* const buffer = rte_pktmbuf_alloc(pool);
      transport::TxPacket slot = slot_of(buffer);
      staged.cut(&slot, 1452);
      out.emplace_back(buffer, slot);
    }
    return out;
  }
  // The frame that a port is given.
  rte_mbuf* frame(uint64_t id, uint32_t index, bool v4 = true) {
    RecordChain chain;
    rte_mbuf* whole = nullptr;
    for (auto& [buffer, slot] : pieces(id, index, false)) {
      whole = chain.add(buffer, slot, inline_route(v4), 50'000);
    }
    EXPECT_NE(whole, nullptr);
    return whole;
  }
  // The frames that leave where the CPU seals.
  std::vector<Bytes> by_software(uint64_t id, uint32_t index, bool v4 = true) {
    std::vector<Bytes> out;
    const Route route = inline_route(v4);
    for (auto& [buffer, slot] : pieces(id, index, true)) {
      const size_t headers =
          route.frame.prepend(slot.data, slot.length, 50'000, slot.priority, false);
      out.emplace_back(slot.data - headers, slot.data + slot.length);
      rte_pktmbuf_free(buffer);
    }
    return out;
  }
  std::vector<Bytes> transmit(std::vector<rte_mbuf*> frames, uint16_t queue = 0) {
    std::array<rte_mbuf*, 64> out;
    const size_t count = model->transmit(queue, frames, out, pool);
    std::vector<Bytes> bytes;
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(out[i]->nb_segs, 1u);
      const auto* data = rte_pktmbuf_mtod(out[i], const uint8_t*);
      bytes.emplace_back(data, data + out[i]->data_len);
      rte_pktmbuf_free(out[i]);
    }
    return bytes;
  }
  // Whether the packets, as they left, make a record that its receiver opens.
  bool opens(const std::vector<Bytes>& frames, uint64_t record_number) {
    Bytes record;
    for (const Bytes& each : frames) {
      const wire::ParsedFrame parsed = wire::parse_frame(each.data(), each.size());
      EXPECT_EQ(parsed.kind, wire::FrameKind::kSluiceNative);
      const auto begin = each.begin() + parsed.payload_offset + wire::kRecordHeaderSize;
      record.insert(record.end(), begin, each.end());
    }
    crypto::AeadJob job;
    job.key = &key;
    job.record_number = record_number;
    job.aad = record.data();
    job.aad_length = wire::kTlsHeaderSize;
    job.in = job.out = record.data() + wire::kTlsHeaderSize;
    job.length = static_cast<uint32_t>(record.size() - wire::kTlsHeaderSize - crypto::kTagSize);
    backend->submit_open({&job, 1});
    return job.ok;
  }

  ModelEngine engine = ModelEngine::kSecurity;
  PoolBox pools;
  rte_mempool* pool = nullptr;
  crypto::AeadBackend* backend = nullptr;
  crypto::AeadKey key;
  std::unique_ptr<ModelNic> model;
  std::unique_ptr<InlineEngine> security;
  transport::StagedRecord staged{true};

 private:
  std::span<const uint8_t> content_of(uint32_t index) {
    content_ = content(index);
    return content_;
  }
  Bytes content_;
};

}  // namespace sluice::engine

#endif  // SLUICE_TEST_UNIT_ENGINE_INLINE_TEST_UTIL_H_
