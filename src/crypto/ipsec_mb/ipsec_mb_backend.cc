// SPDX-License-Identifier: Apache-2.0
#include "crypto/ipsec_mb/ipsec_mb_backend.h"

#include <intel-ipsec-mb.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/prefetch.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

// The precomputed powers of the hash key make a GCM key this large; a future library whose key
// grows must fail here and not at run time.
static_assert(sizeof(gcm_key_data) == 1008 && sizeof(gcm_key_data) <= kExpandedKeyMax);
// look_ahead() finds the end of the one by the end of the other.
static_assert(sizeof(AeadKey) == sizeof(gcm_key_data) + 16);
static_assert(alignof(gcm_key_data) <= 64 && alignof(AeadKey) == 64);

constexpr uint64_t kNeededFeatures = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;

struct ManagerDeleter {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, ManagerDeleter>;

const char* architecture_name(IMB_ARCH arch, uint64_t features) {
  switch (arch) {
    case IMB_ARCH_AVX512:
      return (features & IMB_FEATURE_VAES) != 0 ? "AVX-512 with VAES" : "AVX-512";
    case IMB_ARCH_AVX2:
      return "AVX2";
    case IMB_ARCH_AVX:
      return "AVX";
    case IMB_ARCH_SSE:
      return "SSE";
    default:
      return "unknown instruction set";
  }
}

const gcm_key_data* gcm_key(const AeadKey& key) {
  return reinterpret_cast<const gcm_key_data*>(key.expanded);
}

// Asks for what a short record needs of each key, all keys of the batch at once: the round keys of
// AES-128, which come first, and the last, lowest powers of the hash key, with the IV.
void look_ahead(std::span<const AeadJob> jobs) {
  constexpr size_t kRoundKeys = 11 * 16;
  constexpr size_t kPowers = 2 * base::kCacheLine;
  for (size_t i = 1; i < jobs.size(); ++i) {
    const AeadKey* const key = jobs[i].key;
    if (key == jobs[i - 1].key) continue;
    base::prefetch(key, kRoundKeys);
    base::prefetch(reinterpret_cast<const uint8_t*>(key + 1) - kPowers, kPowers);
  }
}

class IpsecMbBackend final : public AeadBackend {
 public:
  IpsecMbBackend(Manager manager, const char* detail)
      : manager_(std::move(manager)),
        gcm_{{manager_->gcm128_enc, manager_->gcm256_enc},
             {manager_->gcm128_dec, manager_->gcm256_dec}},
        detail_(detail) {}

  const char* name() const override { return "ipsec-mb"; }
  const char* detail() const override { return detail_; }

  bool supports(AeadAlgorithm algorithm) const override {
    return algorithm == AeadAlgorithm::kAes128Gcm || algorithm == AeadAlgorithm::kAes256Gcm ||
           algorithm == AeadAlgorithm::kChaCha20Poly1305;
  }

  bool expand_key(AeadAlgorithm algorithm, std::span<const uint8_t> key,
                  std::span<const uint8_t, kNonceSize> iv, AeadKey* out) override {
    out->wipe();
    if (!supports(algorithm) || key.size() != key_size(algorithm)) return false;
    auto* expanded = reinterpret_cast<gcm_key_data*>(out->expanded);
    if (algorithm == AeadAlgorithm::kAes128Gcm) {
      IMB_AES128_GCM_PRE(manager_.get(), key.data(), expanded);
    } else if (algorithm == AeadAlgorithm::kAes256Gcm) {
      IMB_AES256_GCM_PRE(manager_.get(), key.data(), expanded);
    } else {
      std::memcpy(out->expanded, key.data(), key.size());
    }
    std::copy(iv.begin(), iv.end(), out->iv);
    out->algorithm = algorithm;
    return true;
  }

  void submit_seal(std::span<AeadJob> jobs) override {
    look_ahead(jobs);
    for (AeadJob& job : jobs) {
      crypt<kSeal>(job, job.out + job.length);
      job.ok = true;
    }
  }

  void submit_open(std::span<AeadJob> jobs) override {
    look_ahead(jobs);
    for (AeadJob& job : jobs) {
      // The library computes the tag; comparing it is left to the caller. When in equals out the
      // tag behind the data is untouched by then.
      uint8_t tag[kTagSize];
      crypt<kOpen>(job, tag);
      job.ok = equal_constant_time(tag, job.in + job.length, kTagSize);
    }
  }

  size_t poll(std::span<AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(AeadKey* key) override { key->wipe(); }

 private:
  enum Way : bool { kSeal, kOpen };

  template <Way kWay>
  [[gnu::always_inline]] void crypt(const AeadJob& job, uint8_t tag[kTagSize]) const {
    alignas(kNonceRoom) uint8_t nonce[kNonceRoom];
    make_nonce(*job.key, job.record_number, nonce);
    if (job.key->algorithm == AeadAlgorithm::kChaCha20Poly1305) [[unlikely]] {
      crypt_chacha(job, nonce, tag, kWay);
      return;
    }
    const bool aes256 = job.key->algorithm == AeadAlgorithm::kAes256Gcm;
    gcm_context_data context;
    gcm_[kWay][aes256](gcm_key(*job.key), &context, job.out, job.in, job.length, nonce, job.aad,
                       job.aad_length, tag, kTagSize);
  }

  [[gnu::noinline]] void crypt_chacha(const AeadJob& job, const uint8_t nonce[kNonceSize],
                                      uint8_t tag[kTagSize], Way way) const {
    // The context holds the one-time Poly1305 key.
    chacha20_poly1305_context_data context;
    WipeOnExit wipe_context(&context);
    IMB_MGR* manager = manager_.get();
    IMB_CHACHA20_POLY1305_INIT(manager, job.key->expanded, &context, nonce, job.aad,
                               job.aad_length);
    if (way == kSeal) {
      IMB_CHACHA20_POLY1305_ENC_UPDATE(manager, job.key->expanded, &context, job.out, job.in,
                                       job.length);
      IMB_CHACHA20_POLY1305_ENC_FINALIZE(manager, &context, tag, kTagSize);
    } else {
      IMB_CHACHA20_POLY1305_DEC_UPDATE(manager, job.key->expanded, &context, job.out, job.in,
                                       job.length);
      IMB_CHACHA20_POLY1305_DEC_FINALIZE(manager, &context, tag, kTagSize);
    }
  }

  Manager manager_;
  // By Way, and whether the key has 256 bits: the manager keeps them kilobytes apart.
  const aes_gcm_enc_dec_t gcm_[2][2];
  const char* detail_;
};

}  // namespace

std::unique_ptr<AeadBackend> make_ipsec_mb_backend() {
  Manager manager(alloc_mb_mgr(0));
  if (manager == nullptr || (manager->features & kNeededFeatures) != kNeededFeatures)
    return nullptr;
  IMB_ARCH arch = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager.get(), &arch);
  if (arch == IMB_ARCH_NONE || arch == IMB_ARCH_NOAESNI) return nullptr;
  const char* detail = architecture_name(arch, manager->features);
  return std::unique_ptr<AeadBackend>(new (std::nothrow)
                                          IpsecMbBackend(std::move(manager), detail));
}

}  // namespace sluice::crypto
