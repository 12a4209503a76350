// SPDX-License-Identifier: Apache-2.0
//
// What sealing costs, in one thread without a device: everything is measured against its double in
// turn (A B A B), a few milliseconds at a time, so that what else the machine does befalls both.
// usage: seal_cost [--seconds=S]   of each comparison, 1 by default
// Prints `name value unit`:
//   path.WORK.sealed              a message, both sides, with AES-128-GCM
//   path.WORK.null                the same with NullAead
//   path.WORK.added               the median of the turns' differences, for one side
//   raw.seal.SIZE.ours            a record through AeadBackend; raw.open likewise
//   raw.seal.SIZE.library         the same by libipsec-mb's own calls
//   raw.seal.SIZE.share           of the library's rate, what the interface reaches
//   update.p50.with, .without     a lone RPC, with new keys on both sides every 1,000 RPCs; p99
//   lane.bytes                    memory that a lane takes which does nothing
#include <intel-ipsec-mb.h>

#include <algorithm>
#include <string>

#include "bench/arguments.h"
#include "bench/latencies.h"
#include "bench/resident.h"
#include "transport_bench.h"

namespace {

using namespace sluice;
using namespace sluice::transport;
using bench::now_ns;
using bench::resident_bytes;

constexpr uint64_t kTurnNs = 4'000'000;
constexpr size_t kRecords = 32;  // In a burst, as the transport has them.
constexpr uint32_t kHeader = 48;
constexpr uint64_t kUpdateEvery = 1'000;

template <class Number>
void print(const std::string& name, Number value, const char* unit) {
  std::printf("%s %.3f %s\n", name.c_str(), static_cast<double>(value), unit);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Nanoseconds of one of `batch` units of work, by a turn of kTurnNs.
template <class Step>
double turn_of(uint64_t batch, Step step) {
  const uint64_t begun = now_ns();
  uint64_t now = begun;
  uint64_t units = 0;
  while (now - begun < kTurnNs) {
    step();
    units += batch;
    now = now_ns();
  }
  return static_cast<double>(now - begun) / static_cast<double>(units);
}

struct Compared {
  double a = 0;  // Medians of the turns,
  double b = 0;
  double over = 0;   // of their differences,
  double share = 0;  // and of what part of a's time b takes.
};

template <class A, class B>
Compared compare(double seconds, uint64_t batch, A a, B b) {
  std::vector<double> as, bs, overs, shares;
  const uint64_t end = now_ns() + static_cast<uint64_t>(seconds * 1e9);
  turn_of(batch, a);
  turn_of(batch, b);
  while (as.size() < 3 || now_ns() < end) {
    as.push_back(turn_of(batch, a));
    bs.push_back(turn_of(batch, b));
    overs.push_back(as.back() - bs.back());
    shares.push_back(bs.back() / as.back());
  }
  return {median(as), median(bs), median(overs), median(shares)};
}

void paths(double seconds) {
  struct Row {
    const char* name;
    Work work;
    uint64_t batch;
  };
  const Row rows[] = {{"lone-64", {}, 200},
                      {"bundled-64", {.outstanding = 60}, 600},
                      {"lone-256", {.message = 256}, 200},
                      {"lone-1024", {.message = 1024}, 100},
                      {"lone-8192", {.message = 8192}, 40},
                      {"lone-65536", {.message = 65536}, 8},
                      {"one-way-1M", {.message = 1u << 20, .one_way = true}, 1}};
  for (const Row& row : rows) {
    Bench sealed(row.work, crypto::make_ipsec_mb_backend());
    Bench null(row.work, std::make_unique<NullAead>());
    const Compared c = compare(
        seconds, row.batch, [&] { sealed.run(row.batch); }, [&] { null.run(row.batch); });
    const std::string name = std::string("path.") + row.name;
    print(name + ".sealed", c.a, "ns");
    print(name + ".null", c.b, "ns");
    print(name + ".added", c.over / 2, "ns");
  }
}

// A burst of records by the transport's interface, and by the library's own calls.
class Burst {
 public:
  explicit Burst(uint32_t length)
      : length_(length),
        stride_((length + 16 + 63) / 64 * 64),
        backend_(crypto::make_ipsec_mb_backend()) {
    const uint8_t raw[16] = {1, 2, 3};
    const uint8_t iv[crypto::kNonceSize] = {4, 5, 6};
    manager_ = alloc_mb_mgr(0);
    init_mb_mgr_auto(manager_, nullptr);
    IMB_AES128_GCM_PRE(manager_, raw, &library_key_);
    if (!backend_->expand_key(crypto::AeadAlgorithm::kAes128Gcm, raw, iv, &key_)) fail("no key");
    plain_.resize(kRecords * stride_);
    sealed_.resize(kRecords * stride_);
    for (size_t i = 0; i < kRecords; ++i) {
      jobs_[i].key = &key_;
      jobs_[i].aad = header_;
      jobs_[i].aad_length = kHeader;
      jobs_[i].length = length;
      nonces_[i][11] = static_cast<uint8_t>(i);
    }
  }
  ~Burst() { free_mb_mgr(manager_); }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  void seal() {
    for (size_t i = 0; i < kRecords; ++i) {
      jobs_[i].in = &plain_[i * stride_];
      jobs_[i].out = &sealed_[i * stride_];
      jobs_[i].record_number = i;
    }
    backend_->submit_seal(jobs_);
  }
  void open() {
    for (size_t i = 0; i < kRecords; ++i) {
      jobs_[i].in = &sealed_[i * stride_];
      jobs_[i].out = &plain_[i * stride_];
      jobs_[i].record_number = i;
    }
    backend_->submit_open(jobs_);
    if (!jobs_[kRecords - 1].ok) fail("a right tag was refused");
  }
  // With nonces that were made before: it would have to wait for one that has just been written.
  void library_seal() {
    for (size_t i = 0; i < kRecords; ++i) {
      uint8_t* const out = &sealed_[i * stride_];
      IMB_AES128_GCM_ENC(manager_, &library_key_, &context_, out, &plain_[i * stride_], length_,
                         nonces_[i], header_, kHeader, out + length_, 16);
    }
  }
  // It leaves the comparison of the tag to its caller, and so does this.
  void library_open() {
    uint8_t tag[16];
    for (size_t i = 0; i < kRecords; ++i) {
      IMB_AES128_GCM_DEC(manager_, &library_key_, &context_, &plain_[i * stride_],
                         &sealed_[i * stride_], length_, nonces_[i], header_, kHeader, tag, 16);
    }
  }

 private:
  uint32_t length_;
  size_t stride_;
  std::unique_ptr<crypto::AeadBackend> backend_;
  crypto::AeadKey key_;
  std::array<crypto::AeadJob, kRecords> jobs_;
  IMB_MGR* manager_ = nullptr;
  alignas(64) gcm_key_data library_key_;  // As AeadKey aligns it.
  alignas(64) gcm_context_data context_;
  uint8_t nonces_[kRecords][16] = {};
  uint8_t header_[kHeader] = {};
  std::vector<uint8_t> plain_;
  std::vector<uint8_t> sealed_;
};

void raw(double seconds) {
  for (const uint32_t length : {64u, 256u, 1024u, 1400u, 8192u, 16384u}) {
    Burst burst(length);
    const std::string size = std::to_string(length);
    const Compared seal = compare(
        seconds, kRecords, [&] { burst.seal(); }, [&] { burst.library_seal(); });
    burst.seal();
    const Compared open = compare(
        seconds, kRecords, [&] { burst.open(); }, [&] { burst.library_open(); });
    for (const auto& [way, c] : {std::pair{"seal", seal}, std::pair{"open", open}}) {
      const std::string name = std::string("raw.") + way + "." + size;
      print(name + ".ours", c.a, "ns");
      print(name + ".library", c.b, "ns");
      print(name + ".share", 100 * c.share, "percent");
    }
  }
}

// The two take turns of as many RPCs; all of each one's are in one distribution.
void updates(double seconds) {
  Bench plain({}, crypto::make_ipsec_mb_backend());
  Bench updated({}, crypto::make_ipsec_mb_backend());
  bench::Latencies without;
  bench::Latencies with;
  const auto turn = [](Bench* side, bench::Latencies* latencies, bool update) {
    for (uint64_t i = 0; i < kUpdateEvery; ++i) {
      const uint64_t begun = now_ns();
      if (update && i == kUpdateEvery / 2) side->update_keys();
      side->run(1);
      latencies->record(now_ns() - begun);
    }
  };
  const uint64_t end = now_ns() + static_cast<uint64_t>(2 * seconds * 1e9);
  while (now_ns() < end) {
    turn(&plain, &without, false);
    turn(&updated, &with, true);
  }
  if (updated.key_updates() < with.count() / kUpdateEvery / 2) fail("keys were not updated");
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, std::pair{"p99", 0.99}}) {
    print(std::string("update.") + name + ".with", with.quantile(share), "ns");
    print(std::string("update.") + name + ".without", without.quantile(share), "ns");
  }
  print("update.count", updated.key_updates(), "updates");
}

// An endpoint with so many lanes, and how much memory it has made resident.
class IdleLanes {
 public:
  explicit IdleLanes(uint32_t count) : backend_(crypto::make_ipsec_mb_backend()) {
    const double before = resident_bytes();
    EndpointConfig config;
    config.max_lanes = count;
    const auto* const primitives = &sluice_boringssl_v1()->primitives;
    endpoint_ = std::make_unique<Endpoint>(config, backend_.get(), primitives);
    for (uint32_t i = 1; i <= count; ++i) {
      InstallLane command;
      command.local_session = base::SessionId(i);
      command.remote_session = base::SessionId(i);
      crypto::derive_lane_secrets(*primitives, crypto::Secret(), false, 0, &command.secrets);
      LaneRef lane;
      if (endpoint_->submit(command, base::seconds(1), &lane) != base::Code::kOk) fail("no lane");
    }
    bytes_ = resident_bytes() - before;
  }
  double bytes() const { return bytes_; }

 private:
  std::unique_ptr<crypto::AeadBackend> backend_;
  std::unique_ptr<Endpoint> endpoint_;
  double bytes_ = 0;
};

// Against an endpoint with one, since other tables take memory too.
void lanes() {
  constexpr uint32_t kLanes = 10'000;
  const IdleLanes one(1);
  const IdleLanes many(kLanes);
  print("lane.bytes", (many.bytes() - one.bytes()) / (kLanes - 1), "bytes");
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 1);
  const double seconds = arguments.real("seconds", 1);
  lanes();
  paths(seconds);
  raw(seconds);
  updates(seconds);
}
