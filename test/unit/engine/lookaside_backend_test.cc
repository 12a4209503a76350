// SPDX-License-Identifier: Apache-2.0
//
// With DPDK's software device for AES-GCM (crypto_aesni_gcm), which test_eal() brings up.
#include "engine/lookaside_backend.h"

#include <gtest/gtest.h>
#include <rte_cryptodev.h>
#include <rte_lcore.h>

#include <array>
#include <thread>
#include <vector>

#include "engine/crypto_loader.h"
#include "engine/engine.h"
#include "engine/limits.h"
#include "engine_test_util.h"
#include "test_application.h"

namespace sluice::engine {
namespace {

using crypto::AeadAlgorithm;
using crypto::AeadJob;
using crypto::AeadKey;
using Bytes = std::vector<uint8_t>;

constexpr std::array<uint8_t, crypto::kNonceSize> kIv = {1, 2, 3};

Bytes pattern(size_t size, uint8_t from) {
  Bytes out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(from + i * 13);
  return out;
}

class Lookaside : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(test_eal(), nullptr);
    const auto library = load_crypto("");
    ASSERT_TRUE(library.ok()) << library.status();
    reference = (*library)->backends.boringssl;
    const auto opened = open_lookaside(AeadAlgorithm::kAes128Gcm, reference);
    ASSERT_TRUE(opened.ok()) << opened.status();
    device = *opened;
  }
  static Bytes run(crypto::AeadBackend* backend, const AeadKey& key, uint64_t number,
                   const Bytes& aad, const Bytes& plain, bool* ok) {
    Bytes out(plain.size() + crypto::kTagSize, 0xcc);
    AeadJob job{.key = &key,
                .record_number = number,
                .aad = aad.data(),
                .aad_length = static_cast<uint32_t>(aad.size()),
                .in = plain.data(),
                .out = out.data(),
                .length = static_cast<uint32_t>(plain.size())};
    backend->submit_seal({&job, 1});
    *ok = job.ok;
    return out;
  }

  crypto::AeadBackend* device = nullptr;
  crypto::AeadBackend* reference = nullptr;
};

TEST_F(Lookaside, says_what_it_is) {
  EXPECT_STREQ(device->name(), "lookaside");
  EXPECT_NE(std::string(device->detail()).find("crypto_aesni_gcm"), std::string::npos);
  EXPECT_TRUE(device->completes_at_once());
  EXPECT_TRUE(device->supports(AeadAlgorithm::kAes128Gcm));
  EXPECT_FALSE(device->supports(AeadAlgorithm::kNone));
  AeadKey key;
  EXPECT_FALSE(device->expand_key(AeadAlgorithm::kNone, {}, kIv, &key));
  EXPECT_FALSE(device->expand_key(AeadAlgorithm::kAes128Gcm, Bytes(15), kIv, &key));
  EXPECT_EQ(*open_lookaside(AeadAlgorithm::kAes128Gcm, reference), device) << "one for the process";
}

// To the byte what the reference makes, for the sizes and the kinds of packets that there are.
TEST_F(Lookaside, seals_and_opens_as_the_reference_does) {
  for (const AeadAlgorithm algorithm : {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm}) {
    const Bytes raw = pattern(crypto::key_size(algorithm), 77);
    AeadKey own;
    AeadKey opener;  // A key works in one direction.
    AeadKey theirs;
    ASSERT_TRUE(device->expand_key(algorithm, raw, kIv, &own));
    ASSERT_TRUE(device->expand_key(algorithm, raw, kIv, &opener));
    ASSERT_TRUE(reference->expand_key(algorithm, raw, kIv, &theirs));
    uint64_t number = 1;
    for (const size_t aad : {5u, 32u, 48u, 1000u}) {
      for (const size_t size : {0u, 1u, 15u, 16u, 64u, 1400u, 8952u, 16384u}) {
        const Bytes plain = pattern(size, static_cast<uint8_t>(number));
        const Bytes extra = pattern(aad, 9);
        bool ok = false;
        const Bytes sealed = run(device, own, number, extra, plain, &ok);
        ASSERT_TRUE(ok) << size << " " << aad;
        EXPECT_EQ(sealed, run(reference, theirs, number, extra, plain, &ok)) << size << " " << aad;
        Bytes opened(size, 0xcc);
        AeadJob job{.key = &opener,
                    .record_number = number,
                    .aad = extra.data(),
                    .aad_length = static_cast<uint32_t>(aad),
                    .in = sealed.data(),
                    .out = opened.data(),
                    .length = static_cast<uint32_t>(size)};
        device->submit_open({&job, 1});
        ASSERT_TRUE(job.ok) << size << " " << aad;
        EXPECT_EQ(opened, plain);
        ++number;
      }
    }
    device->discard_key(&own);
    device->discard_key(&opener);
  }
}

TEST_F(Lookaside, a_wrong_tag_leaves_zeros) {
  AeadKey key;
  ASSERT_TRUE(device->expand_key(AeadAlgorithm::kAes128Gcm, pattern(16, 1), kIv, &key));
  const Bytes aad = pattern(48, 3);
  const Bytes plain = pattern(100, 5);
  bool ok = false;
  Bytes sealed = run(device, key, 7, aad, plain, &ok);
  ASSERT_TRUE(ok);
  for (const size_t at : {0u, 99u, 100u, 115u}) {
    Bytes bad = sealed;
    bad[at] ^= 1;
    AeadJob job{.key = &key,
                .record_number = 7,
                .aad = aad.data(),
                .aad_length = 48,
                .in = bad.data(),
                .out = bad.data(),
                .length = 100};
    device->submit_open({&job, 1});
    EXPECT_FALSE(job.ok);
    EXPECT_EQ(Bytes(bad.begin(), bad.begin() + 100), Bytes(100)) << at;
  }
  device->discard_key(&key);
}

// More keys than sessions are kept for, in one burst and in many; each by its own.
TEST_F(Lookaside, any_number_of_keys) {
  constexpr size_t kKeys = 3 * limits::kLookasideKeys;
  std::vector<AeadKey> own(kKeys);
  std::vector<AeadKey> theirs(kKeys);
  std::vector<Bytes> in(kKeys, pattern(64, 1));
  std::vector<Bytes> out(kKeys, Bytes(80));
  std::vector<AeadJob> jobs(kKeys);
  const Bytes aad = pattern(48, 3);
  for (size_t i = 0; i < kKeys; ++i) {
    const Bytes raw = pattern(16, static_cast<uint8_t>(i));
    ASSERT_TRUE(device->expand_key(AeadAlgorithm::kAes128Gcm, raw, kIv, &own[i]));
    ASSERT_TRUE(reference->expand_key(AeadAlgorithm::kAes128Gcm, raw, kIv, &theirs[i]));
  }
  // In an order in which keys of one place follow each other.
  for (size_t i = 0; i < kKeys; ++i) {
    const size_t key = i % 3 * limits::kLookasideKeys + i / 3;
    jobs[i] = {.key = &own[key],
               .record_number = i,
               .aad = aad.data(),
               .aad_length = 48,
               .in = in[i].data(),
               .out = out[i].data(),
               .length = 64};
  }
  device->submit_seal(jobs);
  for (size_t i = 0; i < kKeys; ++i) {
    ASSERT_TRUE(jobs[i].ok) << i;
    bool ok = false;
    const size_t key = i % 3 * limits::kLookasideKeys + i / 3;
    EXPECT_EQ(out[i], run(reference, theirs[key], i, aad, in[i], &ok)) << i;
  }
  for (AeadKey& key : own) device->discard_key(&key);
}

TEST_F(Lookaside, threads_wait_for_each_other) {
  std::vector<std::thread> threads;
  std::array<bool, 4> right{};
  for (size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      AeadKey own;
      AeadKey theirs;
      const Bytes raw = pattern(16, static_cast<uint8_t>(t));
      bool all = device->expand_key(AeadAlgorithm::kAes128Gcm, raw, kIv, &own) &&
                 reference->expand_key(AeadAlgorithm::kAes128Gcm, raw, kIv, &theirs);
      for (uint64_t i = 0; i < 200; ++i) {
        bool ok = false;
        const Bytes aad = pattern(32, 1);
        const Bytes plain = pattern(300, static_cast<uint8_t>(i));
        all = all &&
              run(device, own, i, aad, plain, &ok) == run(reference, theirs, i, aad, plain, &ok);
      }
      device->discard_key(&own);
      right[t] = all;
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(right, (std::array<bool, 4>{true, true, true, true}));
}

// The whole engine on it: calls with messages of many packets, while keys are updated.
TEST_F(Lookaside, carries_sessions) {
  EngineConfig config = test_pair("lookaside");
  config.backend = crypto::BackendKind::kLookaside;
  CallApplication client(50'000, 100, 4);
  client.timeout = kFar;
  EchoApplication echo;
  for (NodeConfig& node : config.nodes) node.endpoint.peer_timeout = kFar;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  bool reported = false;
  for (const ReportLine& line : (*engine)->report().lines) {
    reported = reported || line.choice.find("lookaside (crypto_aesni_gcm") != std::string::npos;
  }
  EXPECT_TRUE(reported);
  ASSERT_TRUE((*engine)->start().ok());
  const transport::PeerAddress server{*wire::parse_ip_address("10.9.0.2"), kDefaultBasePort};
  const auto session = (*engine)->connect_and_wait(0, server, kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE((*engine)->update_keys(0, session->session).ok());
    return client.done();
  }));
  EXPECT_EQ(client.completed, 100u);
  EXPECT_EQ(client.corrupt, 0u);
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

// Nobody is given a slower backend unasked, and the report says that the device is left alone.
TEST_F(Lookaside, is_not_taken_unasked) {
  EXPECT_EQ(lookaside_devices(), "crypto_aesni_gcm0");
  const auto engine = Engine::create(test_pair("lookasideauto"));
  ASSERT_TRUE(engine.ok()) << engine.status();
  bool reported = false;
  for (const ReportLine& line : (*engine)->report().lines) {
    if (line.what.find("crypto of") != 0) continue;
    EXPECT_EQ(line.choice.find("lookaside"), std::string::npos);
    reported = line.why.find("not by crypto_aesni_gcm0") != std::string::npos;
  }
  EXPECT_TRUE(reported);
}

// A cipher that the device lacks is an error, with the reason.
TEST_F(Lookaside, is_refused_for_a_cipher_that_the_device_lacks) {
  EngineConfig config = test_pair("lookasideno");
  config.backend = crypto::BackendKind::kLookaside;
  for (NodeConfig& node : config.nodes) node.aeads = {AeadAlgorithm::kChaCha20Poly1305};
  const auto engine = Engine::create(std::move(config));
  ASSERT_FALSE(engine.ok());
  EXPECT_NE(engine.status().message().find("lookaside"), std::string::npos) << engine.status();
  EXPECT_NE(engine.status().message().find("chacha20-poly1305"), std::string::npos);
}

// A device that keeps what it is handed. The last test, since that queue of it is given up for
// good; the thread has an lcore's number, so that it is not the queue of the others.
TEST_F(Lookaside, a_device_that_gives_nothing_back_is_given_up_and_nothing_is_lost) {
  static_assert(limits::kCryptoLooks > 0);
  const uint64_t before = device->queues_given_up();
  auto& calls = ::rte_crypto_fp_ops[0];
  const auto dequeue = calls.dequeue_burst;
  std::thread thread([&] {
    ASSERT_EQ(rte_thread_register(), 0);
    ASSERT_NE(rte_lcore_id() % 8, 0u);
    AeadKey key;
    AeadKey own;
    const Bytes raw = pattern(16, 7);
    ASSERT_TRUE(device->expand_key(AeadAlgorithm::kAes128Gcm, raw, kIv, &key));
    ASSERT_TRUE(reference->expand_key(AeadAlgorithm::kAes128Gcm, raw, kIv, &own));
    const Bytes aad = pattern(wire::kDataHeaderSize, 9);
    for (uint64_t number = 0; number < 3; ++number) {
      if (number == 1)
        calls.dequeue_burst = [](void*, rte_crypto_op**, uint16_t) -> uint16_t { return 0; };
      bool sealed = false;
      bool expected = false;
      const Bytes plain = pattern(1000 + number, 3);
      EXPECT_EQ(run(device, key, number, aad, plain, &sealed),
                run(reference, own, number, aad, plain, &expected));
      EXPECT_TRUE(sealed && expected);
      EXPECT_EQ(device->queues_given_up(), before + (number == 0 ? 0 : 1));
    }
    calls.dequeue_burst = dequeue;
    device->discard_key(&key);
    reference->discard_key(&own);
    rte_thread_unregister();
  });
  thread.join();
}

}  // namespace
}  // namespace sluice::engine
