// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/tls_functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "crypto/boringssl/module.h"

namespace sluice::crypto {
namespace {

TEST(TlsFunctions, the_table_is_full) {
  const TlsFunctions* table = boringssl_tls_functions();
  EXPECT_EQ(sluice_boringssl_v1()->tls, table);
  EXPECT_EQ(table->size, sizeof(TlsFunctions));
  EXPECT_NE(table->key_groups, nullptr);
  // All that follows the first fields is pointers to functions, none of them null.
  const auto* first = reinterpret_cast<void* const*>(&table->identity_new);
  const auto* last = reinterpret_cast<void* const*>(&table->inspect);
  EXPECT_EQ(std::count(first, last + 1, nullptr), 0);
}

}  // namespace
}  // namespace sluice::crypto
