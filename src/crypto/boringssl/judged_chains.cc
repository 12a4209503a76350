// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/judged_chains.h"

#include <openssl/sha.h>

#include <utility>

namespace sluice::crypto {

JudgedChains::Key JudgedChains::key_of(std::span<const ByteView> chain,
                                       const CertificateExpectation& expected) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  const auto add = [&hash](const void* data, uint64_t size) {
    SHA256_Update(&hash, &size, sizeof(size));  // So that no two lists are the same bytes.
    SHA256_Update(&hash, data, size);
  };
  add(&expected.of_server, sizeof(expected.of_server));
  add(expected.name.data(), expected.name.size());
  for (const ByteView der : chain) add(der.data, der.size);
  Key out;
  SHA256_Final(out.data(), &hash);
  return out;
}

CertificateVerdict JudgedChains::judge(std::span<const ByteView> chain,
                                       std::span<const TrustAnchor> anchors,
                                       const CertificateExpectation& expected, uint64_t now_ns) {
  const Key key = key_of(chain, expected);
  const auto found = accepted_.find(key);
  if (found != accepted_.end()) {
    const CertificateVerdict& verdict = found->second;
    if (now_ns >= verdict.valid_from_ns && now_ns < verdict.expires_ns) {
      ++told_again_;
      return verdict;
    }
    accepted_.erase(found);  // Another path may hold, or the reason has to be told.
  }
  CertificateVerdict verdict = verify_certificates(chain, anchors, expected, now_ns);
  if (verdict.reason != RefuseReason::kNone) return verdict;
  // The first is as good as any other: keys are hashes.
  if (accepted_.size() >= most_) accepted_.erase(accepted_.begin());
  accepted_.emplace(key, verdict);
  return verdict;
}

}  // namespace sluice::crypto
