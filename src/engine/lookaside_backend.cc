// SPDX-License-Identifier: Apache-2.0
#include "engine/lookaside_backend.h"

#define ALLOW_EXPERIMENTAL_API  // Sessions of cryptodev, in DPDK 22.11.
#include <rte_crypto.h>
#include <rte_cryptodev.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_pause.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/wipe.h"
#include "engine/limits.h"
#include "wire/header.h"
#include "wire/record_packet.h"

namespace sluice::engine {
namespace {

using crypto::AeadAlgorithm;
using crypto::AeadJob;
using crypto::AeadKey;

constexpr size_t kBurst = 32;
constexpr uint16_t kMaxPairs = 8;
constexpr uint16_t kIvOffset = sizeof(rte_crypto_op) + sizeof(rte_crypto_sym_op);
constexpr uint16_t kAadOffset = kIvOffset + crypto::kNonceRoom;
constexpr uint16_t kOperationRoom = 16 + wire::kDataHeaderSize;
constexpr uint16_t kRoom = 17 * 1024;  // For the bytes of a job, of a record at most, and its tag.

// What AeadKey::expanded holds. Sessions are made where the key is first used, so that a key can
// always be had, however many there are.
struct Expanded {
  uint64_t serial = 0;  // No other key's in this process.
  std::array<uint8_t, crypto::kMaxKeySize> bytes{};
};
static_assert(sizeof(Expanded) <= crypto::kExpandedKeyMax);

// A session fixes the length of the additional data, so a key has one for each of these; as keys
// work in one direction, there is room for both.
constexpr uint16_t kAadLengths[] = {wire::kTlsHeaderSize, wire::kDataHeaderSize};
constexpr size_t kSessionsOfKey = 2 * std::size(kAadLengths);
struct KeySessions {
  struct Session {
    void* session = nullptr;
    uint32_t aad_length = 0;
    bool seals = false;
  };
  uint64_t serial = 0;
  std::array<Session, kSessionsOfKey> sessions{};
  AeadKey by_cpu;  // For what the device is not given.
};

constexpr AeadAlgorithm kAlgorithms[] = {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm,
                                         AeadAlgorithm::kChaCha20Poly1305};

// Bundles have additional data of any length, for which no session could be there.
bool for_device(const AeadJob& job) {
  return job.length + crypto::kTagSize <= kRoom &&
         std::find(std::begin(kAadLengths), std::end(kAadLengths), job.aad_length) !=
             std::end(kAadLengths);
}

rte_crypto_aead_algorithm number_of(AeadAlgorithm algorithm) {
  return algorithm == AeadAlgorithm::kChaCha20Poly1305 ? RTE_CRYPTO_AEAD_CHACHA20_POLY1305
                                                       : RTE_CRYPTO_AEAD_AES_GCM;
}

bool device_has(uint8_t device, AeadAlgorithm algorithm) {
  rte_cryptodev_sym_capability_idx index{};
  index.type = RTE_CRYPTO_SYM_XFORM_AEAD;
  index.algo.aead = number_of(algorithm);
  const auto* const found = rte_cryptodev_sym_capability_get(device, &index);
  return found != nullptr &&
         std::all_of(std::begin(kAadLengths), std::end(kAadLengths), [&](uint16_t aad) {
           return rte_cryptodev_sym_capability_check_aead(
                      found, static_cast<uint16_t>(crypto::key_size(algorithm)), crypto::kTagSize,
                      aad, crypto::kNonceSize) == 0;
         });
}

// What one thread at a time hands to the device.
struct Pair {
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  bool broken = false;  // The device has not given back what it was handed.
  std::array<rte_crypto_op*, kBurst> operations{};
  std::array<rte_mbuf*, kBurst> buffers{};
  std::array<KeySessions, limits::kLookasideKeys> keys{};  // By serial, modulo.
};

class Holding {
 public:
  explicit Holding(Pair* pair) : pair_(pair) {
    while (pair_->busy.test_and_set(std::memory_order_acquire)) rte_pause();
  }
  ~Holding() { pair_->busy.clear(std::memory_order_release); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  Pair* const pair_;
};

class LookasideBackend final : public crypto::AeadBackend {
 public:
  LookasideBackend(uint8_t device, const rte_cryptodev_info& info, crypto::AeadBackend* cpu)
      : device_(device),
        cpu_(cpu),
        detail_(absl::StrCat(rte_cryptodev_name_get(device), ", ", info.driver_name)),
        pairs_(std::clamp<uint32_t>(info.max_nb_queue_pairs, 1, kMaxPairs)) {
    for (const AeadAlgorithm each : kAlgorithms) {
      if (device_has(device, each) && cpu->supports(each))
        algorithms_ |= 1u << static_cast<unsigned>(each);
    }
  }

  absl::Status start(int socket);

  const char* name() const override { return "lookaside"; }
  const char* detail() const override { return detail_.c_str(); }
  uint64_t queues_given_up() const override { return given_up_.load(std::memory_order_relaxed); }
  bool supports(AeadAlgorithm algorithm) const override {
    return (algorithms_ >> static_cast<unsigned>(algorithm) & 1) != 0;
  }
  bool expand_key(AeadAlgorithm algorithm, std::span<const uint8_t> key,
                  std::span<const uint8_t, crypto::kNonceSize> iv, AeadKey* out) override;
  void submit_seal(std::span<AeadJob> jobs) override { submit(jobs, true); }
  void submit_open(std::span<AeadJob> jobs) override { submit(jobs, false); }
  size_t poll(std::span<AeadJob*> /*completed*/) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(AeadKey* key) override;

 private:
  // Of the pair, which is held; null where the device makes none.
  void* session_of(Pair* pair, const AeadKey& key, uint32_t aad_length, bool seals);
  KeySessions* place_of(Pair* pair, const AeadKey& key);
  void forget(const Pair& pair, KeySessions* sessions);
  void submit(std::span<AeadJob> jobs, bool seals);
  void run_by_cpu(AeadJob* job, bool seals, Pair* pair);
  bool fill(const AeadJob& job, bool seals, Pair* pair, size_t place);
  static size_t part_of(const Pair& pair, std::span<const AeadJob> jobs);
  bool exchange(uint16_t pair, size_t count);
  static void take(AeadJob* job, bool seals, const rte_crypto_op& operation, rte_mbuf* buffer);

  const uint8_t device_;
  crypto::AeadBackend* const cpu_;
  const std::string detail_;
  uint32_t algorithms_ = 0;
  rte_mempool* sessions_ = nullptr;
  std::vector<Pair> pairs_;
  std::atomic<uint64_t> serial_{0};
  std::atomic<uint64_t> given_up_{0};
};

absl::Status LookasideBackend::start(int socket) {
  const auto failed = [&](const char* what, int error) {
    return absl::FailedPreconditionError(
        absl::StrCat(rte_cryptodev_name_get(device_), ": ", what, ": ", rte_strerror(error)));
  };
  rte_cryptodev_config device{};
  device.socket_id = socket;
  device.nb_queue_pairs = static_cast<uint16_t>(pairs_.size());
  device.ff_disable = RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO | RTE_CRYPTODEV_FF_SECURITY;
  if (const int result = rte_cryptodev_configure(device_, &device); result != 0) {
    return failed(result == -EBUSY ? "the host program uses it" : "cannot be configured", -result);
  }
  const size_t sessions = pairs_.size() * limits::kLookasideKeys * kSessionsOfKey;
  sessions_ = rte_cryptodev_sym_session_pool_create(
      "sluice_sessions", static_cast<uint32_t>(sessions),
      rte_cryptodev_sym_get_private_session_size(device_), 0, 0, socket);
  const auto jobs = static_cast<uint32_t>(pairs_.size() * kBurst);
  rte_mempool* const operations = rte_crypto_op_pool_create(
      "sluice_crypto_ops", RTE_CRYPTO_OP_TYPE_SYMMETRIC, jobs, 0, kOperationRoom, socket);
  rte_mempool* const buffers = rte_pktmbuf_pool_create("sluice_crypto_jobs", jobs, 0, 0,
                                                       kRoom + RTE_PKTMBUF_HEADROOM, socket);
  if (sessions_ == nullptr || operations == nullptr || buffers == nullptr) {
    return failed("no memory (raise -m)", rte_errno);
  }
  for (uint16_t i = 0; i < pairs_.size(); ++i) {
    rte_cryptodev_qp_conf conf{};
    conf.nb_descriptors = 2 * kBurst;
    conf.mp_session = sessions_;
    if (const int result = rte_cryptodev_queue_pair_setup(device_, i, &conf, socket); result != 0) {
      return failed("no queue pair", -result);
    }
    Pair& pair = pairs_[i];
    for (size_t job = 0; job < kBurst; ++job) {
      pair.operations[job] = rte_crypto_op_alloc(operations, RTE_CRYPTO_OP_TYPE_SYMMETRIC);
      pair.buffers[job] = rte_pktmbuf_alloc(buffers);
      if (pair.operations[job] == nullptr || pair.buffers[job] == nullptr) {
        return failed("no memory (raise -m)", ENOMEM);
      }
    }
  }
  if (const int result = rte_cryptodev_start(device_); result != 0) {
    return failed("does not start", -result);
  }
  return absl::OkStatus();
}

bool LookasideBackend::expand_key(AeadAlgorithm algorithm, std::span<const uint8_t> key,
                                  std::span<const uint8_t, crypto::kNonceSize> iv, AeadKey* out) {
  out->wipe();
  if (!supports(algorithm) || key.size() != crypto::key_size(algorithm)) return false;
  Expanded expanded;
  crypto::WipeOnExit wipe(&expanded);
  expanded.serial = serial_.fetch_add(1, std::memory_order_relaxed) + 1;
  std::copy(key.begin(), key.end(), expanded.bytes.begin());
  std::memcpy(out->expanded, &expanded, sizeof(expanded));
  std::copy(iv.begin(), iv.end(), out->iv);
  out->algorithm = algorithm;
  return true;
}

// What a device may still be working with is left to it.
void LookasideBackend::forget(const Pair& pair, KeySessions* sessions) {
  for (KeySessions::Session& each : sessions->sessions) {
    if (each.session != nullptr && !pair.broken) {
      rte_cryptodev_sym_session_free(device_, each.session);
    }
    each = {};
  }
  if (sessions->serial != 0) cpu_->discard_key(&sessions->by_cpu);
  sessions->serial = 0;
}

// What the pair keeps for a key, made now if there is nothing.
KeySessions* LookasideBackend::place_of(Pair* pair, const AeadKey& key) {
  Expanded expanded;
  crypto::WipeOnExit wipe(&expanded);
  std::memcpy(&expanded, key.expanded, sizeof(expanded));
  KeySessions& place = pair->keys[expanded.serial % pair->keys.size()];
  if (place.serial == expanded.serial) return &place;
  forget(*pair, &place);
  place.serial = expanded.serial;
  cpu_->expand_key(key.algorithm, {expanded.bytes.data(), crypto::key_size(key.algorithm)}, key.iv,
                   &place.by_cpu);
  return &place;
}

// Its sessions may be in any pair: a lane ends on the control thread too.
void LookasideBackend::discard_key(AeadKey* key) {
  uint64_t serial = 0;
  std::memcpy(&serial, key->expanded, sizeof(serial));
  const bool expanded = key->algorithm != AeadAlgorithm::kNone;
  key->wipe();
  if (!expanded) return;
  for (Pair& pair : pairs_) {
    const Holding holding(&pair);
    KeySessions& place = pair.keys[serial % pair.keys.size()];
    if (place.serial == serial) forget(pair, &place);
  }
}

void* LookasideBackend::session_of(Pair* pair, const AeadKey& key, uint32_t aad_length,
                                   bool seals) {
  KeySessions::Session* free = nullptr;
  for (KeySessions::Session& each : place_of(pair, key)->sessions) {
    if (each.session == nullptr) {
      free = &each;
      break;
    }
    if (each.aad_length == aad_length && each.seals == seals) return each.session;
  }
  if (free == nullptr) return nullptr;
  Expanded expanded;
  crypto::WipeOnExit wipe(&expanded);
  std::memcpy(&expanded, key.expanded, sizeof(expanded));
  rte_crypto_sym_xform cipher{};
  cipher.type = RTE_CRYPTO_SYM_XFORM_AEAD;
  cipher.aead.op = seals ? RTE_CRYPTO_AEAD_OP_ENCRYPT : RTE_CRYPTO_AEAD_OP_DECRYPT;
  cipher.aead.algo = number_of(key.algorithm);
  cipher.aead.key.data = expanded.bytes.data();
  cipher.aead.key.length = static_cast<uint16_t>(crypto::key_size(key.algorithm));
  cipher.aead.iv.offset = kIvOffset;
  cipher.aead.iv.length = crypto::kNonceSize;
  cipher.aead.digest_length = crypto::kTagSize;
  cipher.aead.aad_length = static_cast<uint16_t>(aad_length);
  *free = {rte_cryptodev_sym_session_create(device_, &cipher, sessions_), aad_length, seals};
  return free->session;
}

// False where the device makes no session.
bool LookasideBackend::fill(const AeadJob& job, bool seals, Pair* pair, size_t place) {
  rte_crypto_op* const operation = pair->operations[place];
  rte_mbuf* const buffer = pair->buffers[place];
  const uint32_t in_length = job.length + (seals ? 0 : crypto::kTagSize);
  void* const session = session_of(pair, *job.key, job.aad_length, seals);
  if (session == nullptr) return false;
  rte_pktmbuf_reset(buffer);
  auto* const data = reinterpret_cast<uint8_t*>(
      rte_pktmbuf_append(buffer, static_cast<uint16_t>(job.length + crypto::kTagSize)));
  std::copy_n(job.in, in_length, data);  // Of nothing it may be null.
  auto* const iv = rte_crypto_op_ctod_offset(operation, uint8_t*, kIvOffset);
  auto* const aad = rte_crypto_op_ctod_offset(operation, uint8_t*, kAadOffset);
  crypto::make_nonce(*job.key, job.record_number, iv);
  std::memcpy(aad, job.aad, job.aad_length);
  operation->status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
  operation->sess_type = RTE_CRYPTO_OP_WITH_SESSION;
  rte_crypto_sym_op& sym = *operation->sym;
  sym.m_src = buffer;
  sym.m_dst = nullptr;
  sym.session = session;
  sym.aead.data.offset = 0;
  sym.aead.data.length = job.length;
  sym.aead.digest.data = data + job.length;
  sym.aead.digest.phys_addr = rte_pktmbuf_iova_offset(buffer, job.length);
  sym.aead.aad.data = aad;
  sym.aead.aad.phys_addr = rte_crypto_op_ctophys_offset(operation, kAadOffset);
  return true;
}

// Hands over the first `count` operations of the pair and waits for them all. False when the device
// keeps them: it is not used again, since it may still write to its buffers.
bool LookasideBackend::exchange(uint16_t pair, size_t count) {
  std::array<rte_crypto_op*, kBurst> done;
  size_t sent = 0;
  size_t back = 0;
  for (uint64_t idle = 0; back < count && idle < limits::kCryptoLooks; ++idle) {
    if (sent < count) {
      sent += rte_cryptodev_enqueue_burst(device_, pair, pairs_[pair].operations.data() + sent,
                                          static_cast<uint16_t>(count - sent));
    }
    const uint16_t got = rte_cryptodev_dequeue_burst(device_, pair, done.data(),
                                                     static_cast<uint16_t>(count - back));
    back += got;
    if (got != 0) {
      idle = 0;
    } else {
      rte_pause();
    }
  }
  return back == count;
}

void LookasideBackend::take(AeadJob* job, bool seals, const rte_crypto_op& operation,
                            rte_mbuf* buffer) {
  job->ok = operation.status == RTE_CRYPTO_OP_STATUS_SUCCESS;
  const size_t length = job->length + (seals ? crypto::kTagSize : 0);
  if (job->ok) {
    std::copy_n(rte_pktmbuf_mtod(buffer, const uint8_t*), length, job->out);
  } else {
    std::fill_n(job->out, length, uint8_t{0});
  }
}

size_t LookasideBackend::part_of(const Pair& pair, std::span<const AeadJob> jobs) {
  const auto serial_of = [](const AeadJob& job) {
    uint64_t serial = 0;
    std::memcpy(&serial, job.key->expanded, sizeof(serial));
    return serial;
  };
  const size_t most = std::min(jobs.size(), kBurst);
  for (size_t i = 1; i < most; ++i) {
    if (jobs[i].key == jobs[i - 1].key) continue;
    const uint64_t own = serial_of(jobs[i]);
    for (size_t j = 0; j < i; ++j) {
      const uint64_t other = serial_of(jobs[j]);
      if (other != own && other % pair.keys.size() == own % pair.keys.size()) return i;
    }
  }
  return most;
}

void LookasideBackend::run_by_cpu(AeadJob* job, bool seals, Pair* pair) {
  AeadJob own = *job;
  own.key = &place_of(pair, *job->key)->by_cpu;
  seals ? cpu_->submit_seal({&own, 1}) : cpu_->submit_open({&own, 1});
  job->ok = own.ok;
}

void LookasideBackend::submit(std::span<AeadJob> jobs, bool seals) {
  const auto number =
      static_cast<uint16_t>(rte_lcore_id() == LCORE_ID_ANY ? 0 : rte_lcore_id() % pairs_.size());
  Pair& pair = pairs_[number];
  const Holding holding(&pair);
  while (!jobs.empty()) {
    // Two keys of one burst may meet in one place of the table, and the second would end sessions
    // that the first still needs: then the burst is two.
    const std::span<AeadJob> part = jobs.first(part_of(pair, jobs));
    jobs = jobs.subspan(part.size());
    std::array<AeadJob*, kBurst> asked;
    size_t count = 0;
    for (AeadJob& job : part) {
      job.ok = false;
      if (!for_device(job)) {
        run_by_cpu(&job, seals, &pair);
      } else if (!pair.broken && fill(job, seals, &pair, count)) {
        asked[count++] = &job;
      } else {
        run_by_cpu(&job, seals, &pair);
      }
    }
    if (count != 0 && !exchange(number, count)) {
      pair.broken = true;
      given_up_.fetch_add(1, std::memory_order_relaxed);
    }
    for (size_t i = 0; i < count; ++i) {
      if (pair.broken) {  // It has copies: the jobs are as they were.
        run_by_cpu(asked[i], seals, &pair);
      } else {
        take(asked[i], seals, *pair.operations[i], pair.buffers[i]);
      }
    }
  }
}

}  // namespace

absl::StatusOr<crypto::AeadBackend*> open_lookaside(AeadAlgorithm algorithm,
                                                    crypto::AeadBackend* cpu) {
  if (cpu == nullptr || !cpu->supports(algorithm)) {
    return absl::FailedPreconditionError("no CPU backend here has its cipher, for the bundles");
  }
  static std::mutex mutex;
  static LookasideBackend* opened = nullptr;  // Never freed: lcores may outlive static destruction.
  const std::lock_guard lock(mutex);
  if (opened != nullptr) return opened;
  std::string why;
  for (uint8_t device = 0; device < RTE_CRYPTO_MAX_DEVS; ++device) {
    if (rte_cryptodev_is_valid_dev(device) == 0) continue;
    absl::StrAppend(&why, why.empty() ? "" : "; ");
    if (!device_has(device, algorithm)) {
      absl::StrAppend(&why, rte_cryptodev_name_get(device), " has no ",
                      crypto::algorithm_name(algorithm));
      continue;
    }
    rte_cryptodev_info info{};
    rte_cryptodev_info_get(device, &info);
    auto backend = std::make_unique<LookasideBackend>(device, info, cpu);
    const absl::Status status = backend->start(rte_cryptodev_socket_id(device));
    if (status.ok()) {
      opened = backend.release();
      return opened;
    }
    absl::StrAppend(&why, status.message());
  }
  if (why.empty()) {
    why = "there is no crypto device; give EAL one, such as --vdev=crypto_aesni_gcm0";
  }
  return absl::FailedPreconditionError(why);
}

std::string lookaside_devices() {
  std::string out;
  for (uint8_t device = 0; device < RTE_CRYPTO_MAX_DEVS; ++device) {
    if (rte_cryptodev_is_valid_dev(device) == 0) continue;
    absl::StrAppend(&out, out.empty() ? "" : ", ", rte_cryptodev_name_get(device));
  }
  return out;
}

}  // namespace sluice::engine
