// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <new>

#include "crypto/boringssl/module.h"

namespace sluice::crypto {
namespace {

class BoringsslBackend final : public AeadBackend {
 public:
  explicit BoringsslBackend(const BoringsslModule* module) : module_(module) {}

  const char* name() const override { return "boringssl"; }
  const char* detail() const override { return module_->detail; }

  bool supports(AeadAlgorithm algorithm) const override {
    return algorithm == AeadAlgorithm::kAes128Gcm || algorithm == AeadAlgorithm::kAes256Gcm ||
           algorithm == AeadAlgorithm::kChaCha20Poly1305;
  }

  bool expand_key(AeadAlgorithm algorithm, std::span<const uint8_t> key,
                  std::span<const uint8_t, kNonceSize> iv, AeadKey* out) override {
    out->wipe();
    if (!supports(algorithm) || key.size() != key_size(algorithm)) return false;
    if (!module_->aead_expand(algorithm, {key.data(), key.size()}, out->expanded)) {
      out->wipe();
      return false;
    }
    std::copy(iv.begin(), iv.end(), out->iv);
    out->algorithm = algorithm;
    return true;
  }

  void submit_seal(std::span<AeadJob> jobs) override {
    for (AeadJob& job : jobs) {
      uint8_t nonce[kNonceRoom];
      make_nonce(*job.key, job.record_number, nonce);
      job.ok = module_->aead_seal(job.key->expanded, nonce, {job.aad, job.aad_length},
                                  {job.in, job.length}, job.out);
    }
  }

  void submit_open(std::span<AeadJob> jobs) override {
    for (AeadJob& job : jobs) {
      uint8_t nonce[kNonceRoom];
      make_nonce(*job.key, job.record_number, nonce);
      job.ok = module_->aead_open(job.key->expanded, nonce, {job.aad, job.aad_length},
                                  {job.in, job.length}, job.in + job.length, job.out);
    }
  }

  size_t poll(std::span<AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }

  void discard_key(AeadKey* key) override {
    // A key that was never expanded, or is wiped already, holds nothing to release.
    if (key->algorithm != AeadAlgorithm::kNone) module_->aead_discard(key->expanded);
    key->wipe();
  }

 private:
  const BoringsslModule* module_;
};

}  // namespace

std::unique_ptr<AeadBackend> make_boringssl_backend(const BoringsslModule* module) {
  if (module == nullptr || module->version != kBoringsslModuleVersion ||
      module->size != sizeof(BoringsslModule) || module->tls->size != sizeof(TlsFunctions)) {
    return nullptr;
  }
  return std::unique_ptr<AeadBackend>(new (std::nothrow) BoringsslBackend(module));
}

}  // namespace sluice::crypto
