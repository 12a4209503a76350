// SPDX-License-Identifier: Apache-2.0
//
// What was found good once: the same peers come again, with a ticket or without, and two of three
// signatures that a handshake has verified are those of the same certificates.
#ifndef SLUICE_CRYPTO_BORINGSSL_JUDGED_CHAINS_H_
#define SLUICE_CRYPTO_BORINGSSL_JUDGED_CHAINS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "crypto/boringssl/certificate.h"

namespace sluice::crypto {

inline constexpr size_t kMaxJudgedChains = 4096;  // Of some 300 bytes each.

// Of one thread.
class JudgedChains {
 public:
  explicit JudgedChains(size_t most = kMaxJudgedChains) : most_(most) {}

  // As verify_certificates() does. Anchors and allowed names have to be the same in all calls; the
  // rest of the arguments may differ. What was accepted is told again for as long as each
  // certificate of its path is valid; what was refused is judged anew, so that nobody without a
  // certificate takes a place here.
  CertificateVerdict judge(std::span<const ByteView> chain, std::span<const TrustAnchor> anchors,
                           const CertificateExpectation& expected, uint64_t now_ns);

  size_t size() const { return accepted_.size(); }
  uint64_t told_again() const { return told_again_; }

 private:
  // Of the certificates, and of whom they are to prove.
  using Key = std::array<uint8_t, kSha256Size>;
  static Key key_of(std::span<const ByteView> chain, const CertificateExpectation& expected);

  size_t most_;
  std::map<Key, CertificateVerdict> accepted_;
  uint64_t told_again_ = 0;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_JUDGED_CHAINS_H_
