// SPDX-License-Identifier: Apache-2.0
#include "crypto/ipsec_mb/ipsec_mb_backend.h"

#include <gtest/gtest.h>

#include <thread>

#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;

// What it shares with the other backends is in aead_test.cc and aead_vectors_test.cc.

TEST(IpsecMbBackend, is_there_where_the_processor_has_the_instructions) {
  const bool capable = __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
  const auto backend = make_ipsec_mb_backend();
  ASSERT_EQ(backend != nullptr, capable);
  if (!capable) GTEST_SKIP() << "this processor has no AES and CLMUL instructions";
  EXPECT_STREQ(backend->name(), "ipsec-mb");
  EXPECT_STRNE(backend->detail(), "unknown instruction set");
}

TEST(IpsecMbBackend, one_instance_serves_several_threads) {
  AeadBackend* backend = test::ipsec_mb();
  if (backend == nullptr) GTEST_SKIP() << "this processor has no AES and CLMUL instructions";
  constexpr int kThreads = 4;
  std::vector<int> failures(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([backend, t, &failures] {
      AeadKey key;
      const auto algorithm = test::kAllAlgorithms[t % 3];
      const Buffer bytes(key_size(algorithm), static_cast<uint8_t>(t));
      test::expand(backend, algorithm, bytes, Buffer(kNonceSize), &key);
      Buffer opened;
      for (uint64_t n = 0; n < 2000; ++n) {
        const Buffer plain(n % 300, static_cast<uint8_t>(n));
        const Buffer sealed = test::seal(backend, key, n, {}, plain);
        if (!test::open(backend, key, n, {}, sealed, &opened) || opened != plain) ++failures[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<int>(kThreads));
}

}  // namespace
}  // namespace sluice::crypto
