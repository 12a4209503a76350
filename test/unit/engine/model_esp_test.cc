// SPDX-License-Identifier: Apache-2.0
#include "engine/model_esp.h"

#include "inline_test_util.h"
#include "wire/esp.h"

namespace sluice::engine {
namespace {

constexpr uint32_t kSpi = 0x0badc602;

class ModelEspTest : public InlineTest {
 protected:
  ModelEspTest() { engine = ModelEngine::kEsp; }

  // A packet of ESP in plaintext behind its headers, as an lcore hands it over: so many bytes of a
  // Sluice packet, and its record number.
  Bytes plain(uint64_t record_number, size_t size, bool v4, uint32_t spi = kSpi) {
    Bytes inside(size + wire::kEspTrailerMax);
    for (size_t i = 0; i < size; ++i) inside[i] = static_cast<uint8_t>(i * 11 + size);
    inside.resize(size + wire::write_esp_trailer(inside.data(), static_cast<uint32_t>(size),
                                                 wire::kProtocolNative));
    const wire::EspHeader header{spi, 9, base::load_be64(kInlineIv.data() + 4) ^ record_number};
    const wire::FrameTemplate frame = inline_route(v4).frame;
    const size_t headers = frame.l2_size() + frame.l3_size();
    Bytes out(headers + wire::kEspHeaderSize + inside.size() + wire::kTagBytes);
    header.emit(out.data() + headers);
    std::copy(inside.begin(), inside.end(), out.data() + headers + wire::kEspHeaderSize);
    frame.prepend_esp(out.data() + headers, out.size() - headers, 3);
    return out;
  }
  // The same, sealed by the CPU as the transport does: by the lane's key and the record number.
  Bytes by_software(const Bytes& frame, uint64_t record_number, bool v4) {
    Bytes out = frame;
    const wire::FrameTemplate way = inline_route(v4).frame;
    uint8_t* const esp = out.data() + way.l2_size() + way.l3_size();
    crypto::AeadJob job;
    job.key = &key;
    job.record_number = record_number;
    job.aad = esp;
    job.aad_length = wire::kEspAadSize;
    job.in = job.out = esp + wire::kEspHeaderSize;
    job.length = static_cast<uint32_t>(out.data() + out.size() - job.in - wire::kTagBytes);
    backend->submit_seal({&job, 1});
    return out;
  }
  rte_mbuf* buffer_of(const Bytes& frame, bool v4) {
    rte_mbuf* const out = rte_pktmbuf_alloc(pool);
    std::copy(frame.begin(), frame.end(),
              reinterpret_cast<uint8_t*>(rte_pktmbuf_append(out, frame.size())));
    out->l2_len = wire::kEthernetHeaderSize;
    out->l3_len = v4 ? wire::kIpv4HeaderSize : wire::kIpv6HeaderSize;
    out->ol_flags |= v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
    return out;
  }
  std::vector<Bytes> sealed(void* context, const Bytes& frame, bool v4 = true) {
    rte_mbuf* const buffer = buffer_of(frame, v4);
    EXPECT_TRUE(security->mark(context, buffer, nullptr));
    return transmit({buffer});
  }
};

// Verifies MUST-S6: to the byte what the CPU makes, of every length and in any order.
TEST_F(ModelEspTest, seals_as_software_does) {
  EXPECT_TRUE(security->seals_esp());
  for (const bool v4 : {true, false}) {
    void* const context = open_context(kSpi);
    ASSERT_NE(context, nullptr);
    for (size_t size = 33; size < 1400; size += size < 50 ? 1 : 211) {
      for (const uint64_t number : {uint64_t{7}, uint64_t{1} << 63 | 3, uint64_t{4}}) {
        const Bytes frame = plain(number, size, v4);
        const std::vector<Bytes> sent = sealed(context, frame, v4);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0], by_software(frame, number, v4)) << size;
      }
    }
    security->close_context(context);
  }
  EXPECT_EQ(model->counters(0).garbled.value(), 0u);
  EXPECT_EQ(model->counters(0).dropped.value(), 0u);
}

TEST_F(ModelEspTest, what_is_not_to_be_sealed_passes) {
  const Bytes frame = plain(1, 60, true);
  EXPECT_EQ(transmit({buffer_of(frame, true)}), std::vector<Bytes>{frame});
  EXPECT_EQ(model->counters(0).records.value(), 0u);
}

// A frame that is marked and no ESP, or another association's, must not leave as it is.
TEST_F(ModelEspTest, drops_what_it_cannot_seal) {
  void* const context = open_context(kSpi);
  const Bytes good = plain(1, 60, true);
  EXPECT_TRUE(sealed(context, plain(1, 60, true, kSpi + 1)).empty());
  Bytes other = good;
  other[wire::kEthernetHeaderSize + 9] = wire::kProtocolNative;
  EXPECT_TRUE(sealed(context, other).empty());
  other = good;
  other.resize(wire::kEthernetHeaderSize + wire::kIpv4HeaderSize + 30);
  EXPECT_TRUE(sealed(context, other).empty());
  other = good;
  other[other.size() - wire::kTagBytes - 2] = 255;  // More padding than there are bytes.
  EXPECT_TRUE(sealed(context, other).empty());
  EXPECT_EQ(model->counters(0).dropped.value(), 4u);
  EXPECT_EQ(sealed(context, good).size(), 1u);
  security->close_context(context);
}

TEST_F(ModelEspTest, has_so_many_contexts) {
  make_model(2);
  void* const first = open_context(512);
  void* const second = open_context(513);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(open_context(514), nullptr);
  security->close_context(first);
  void* const third = open_context(514);
  EXPECT_NE(third, nullptr);
  security->close_context(second);
  security->close_context(third);
}

}  // namespace
}  // namespace sluice::engine
