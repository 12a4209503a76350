// SPDX-License-Identifier: Apache-2.0
//
// Nodes with certificates instead of keys.
#ifndef SLUICE_TEST_UNIT_ENGINE_ENGINE_TLS_H_
#define SLUICE_TEST_UNIT_ENGINE_ENGINE_TLS_H_

#include <string>
#include <vector>

#include "engine/config.h"
#include "engine/crypto_loader.h"
#include "engine/mechanism.h"

#define SLUICE_TEST_TLS_MODULE ((*::sluice::engine::load_crypto(""))->module)
#include "../crypto/tls_support.h"

namespace sluice::engine {

inline std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }
inline crypto::SecretBytes secret_of(const std::string& text) {
  return crypto::SecretBytes(bytes_of(text));
}

// Valid from a minute ago, for as long as asked.
inline crypto::test::PemPair issue_now(const crypto::test::PemPair* issuer,
                                       const std::vector<std::string>& names,
                                       uint64_t lifetime_ns = 3600 * crypto::test::kTlsSecond) {
  const uint64_t now = system_wall_clock()();
  return crypto::test::issue_pair(issuer, names, now + lifetime_ns,
                                  now - 60 * crypto::test::kTlsSecond);
}

inline TlsConfig tls_config(const crypto::test::PemPair& own, const crypto::test::PemPair& ca) {
  TlsConfig out;
  out.certificate = {"own.pem", bytes_of(own.certificate)};
  out.key_file = "own.key";
  out.key = secret_of(own.key);
  out.trust = {{{"ca.pem", bytes_of(ca.certificate)}, ""}};
  return out;
}

}  // namespace sluice::engine

#endif  // SLUICE_TEST_UNIT_ENGINE_ENGINE_TLS_H_
