// SPDX-License-Identifier: Apache-2.0
//
// The raw AEAD: what sealing and opening cost without anything around them, through the same
// interface and with the same shape of work as the transport's: a burst of 32 records, each with
// its own number, 32 bytes of authenticated header, out of place.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "engine/crypto_loader.h"

namespace {

using sluice::crypto::AeadAlgorithm;
using sluice::crypto::AeadBackend;
using sluice::crypto::AeadJob;
using sluice::crypto::AeadKey;

constexpr size_t kBurst = 32;
constexpr uint32_t kHeader = 32;
constexpr uint32_t kLengths[] = {64, 1400, 16384};

// Buffers and jobs of one burst.
class Burst {
 public:
  Burst(AeadBackend* backend, uint32_t length) : backend_(backend), key_(new AeadKey) {
    const std::array<uint8_t, 16> raw = {1, 2, 3};
    const std::array<uint8_t, sluice::crypto::kNonceSize> iv = {4, 5, 6};
    ready_ = backend->expand_key(AeadAlgorithm::kAes128Gcm, raw, iv, key_.get());
    plain_.resize(kBurst * stride(length));
    sealed_.resize(kBurst * stride(length));
    for (size_t i = 0; i < kBurst; ++i) {
      AeadJob& job = jobs_[i];
      job.key = key_.get();
      job.aad = header_.data();
      job.aad_length = kHeader;
      job.length = length;
      job.in = &plain_[i * stride(length)];
      job.out = &sealed_[i * stride(length)];
    }
  }
  ~Burst() { backend_->discard_key(key_.get()); }

  bool ready() const { return ready_; }
  void seal() {
    for (AeadJob& job : jobs_) job.record_number = next_++;
    backend_->submit_seal(jobs_);
  }
  // Turns the burst around: from now on open() opens what seal() has left.
  void turn() {
    for (AeadJob& job : jobs_) {
      uint8_t* plain = const_cast<uint8_t*>(job.in);
      job.in = job.out;
      job.out = plain;
    }
  }
  bool open() {
    backend_->submit_open(jobs_);
    return jobs_[kBurst - 1].ok;
  }

 private:
  static size_t stride(uint32_t length) { return (length + 16 + 63) / 64 * 64; }
  AeadBackend* backend_;
  std::unique_ptr<AeadKey> key_;
  std::array<uint8_t, kHeader> header_{};
  std::array<AeadJob, kBurst> jobs_;
  std::vector<uint8_t> plain_;
  std::vector<uint8_t> sealed_;
  uint64_t next_ = 0;
  bool ready_ = false;
};

void finish(benchmark::State& state, uint32_t length) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kBurst));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kBurst * length));
}

void seal(benchmark::State& state, AeadBackend* backend, uint32_t length) {
  Burst burst(backend, length);
  if (!burst.ready()) state.SkipWithError("the key could not be expanded");
  for (auto _ : state) burst.seal();
  finish(state, length);
}

void open(benchmark::State& state, AeadBackend* backend, uint32_t length) {
  Burst burst(backend, length);
  burst.seal();
  burst.turn();
  for (auto _ : state) {
    if (!burst.open()) state.SkipWithError("a right tag was refused");
  }
  finish(state, length);
}

void copy(benchmark::State& state, uint32_t length) {
  std::vector<uint8_t> from(kBurst * length, 1);
  std::vector<uint8_t> to(kBurst * length, 2);
  for (auto _ : state) {
    for (size_t i = 0; i < kBurst; ++i) {
      std::memcpy(&to[i * length], &from[i * length], length);
      benchmark::ClobberMemory();
    }
  }
  finish(state, length);
}

void add(AeadBackend* backend) {
  if (backend == nullptr) return;
  for (const uint32_t length : kLengths) {
    const std::string name = std::string(backend->name()) + "/" + std::to_string(length);
    benchmark::RegisterBenchmark(("seal/" + name).c_str(), seal, backend, length);
    benchmark::RegisterBenchmark(("open/" + name).c_str(), open, backend, length);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto library = sluice::engine::load_crypto("");
  if (!library.ok()) {
    std::fprintf(stderr, "%s\n", std::string(library.status().message()).c_str());
    return 1;
  }
  add((*library)->backends.ipsec_mb);
  add((*library)->backends.boringssl);
  for (const uint32_t length : kLengths) {
    benchmark::RegisterBenchmark(("copy/memcpy/" + std::to_string(length)).c_str(), copy, length);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
