// SPDX-License-Identifier: Apache-2.0
//
// Everything that a sluice command line can say, and how it becomes an engine's options.
#ifndef SLUICE_CLI_OPTIONS_H_
#define SLUICE_CLI_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/workload.h"
#include "cli/args.h"
#include "sluice/options.h"

namespace sluice::cli {

// Zero in the counts below means "the mode's default", where it is not an allowed value.
// How the sessions of the mode `handshakes` are begun.
enum class HandshakeKind : uint8_t {
  kAll,      // Each of those below, one after another.
  kFull,     // Without a ticket.
  kResumed,  // By a ticket; the request follows.
  kEarly,    // By a ticket, with the request in the first packets.
};
const char* handshake_kind_name(HandshakeKind kind);

struct Options {
  std::string mode;
  std::vector<std::string> words;  // After the mode.
  std::vector<std::string> eal;

  // This end. Without ports both ends run in this process.
  std::vector<PortOptions> ports;  // With device, addresses and gateways only.
  uint64_t udp_port = kDefaultUdpPort;
  bool native_ip = false;
  uint64_t vlan = 0;
  uint64_t mtu = 0;
  std::vector<uint32_t> cpus;
  uint64_t lcores = 1;
  IdleOptions idle;
  uint64_t server_lcores = 0;  // Both ends in this process: of the server; 0: as `lcores`.
  std::string capture;

  // The peer.
  std::string peer;
  uint64_t sessions = 1;
  uint64_t connect_timeout = 0;  // ns; 0: 5 s, or long with both ends in this process.

  // Crypto.
  std::string psk_file;
  std::string certificate;
  std::string key;
  std::vector<TrustOptions> trust;
  std::vector<std::string> allowed;
  std::string peer_name;    // What the server has to prove.
  bool core_dumps = false;  // Memory may be in them.
  std::string policy_file;
  std::string audit_file;
  uint64_t audit_size = 0;  // Bytes of one file of it; 0: any.
  CryptoAlgorithm cipher = CryptoAlgorithm::kAes128Gcm;
  CryptoBackend backend = CryptoBackend::kAuto;
  HandshakeKind handshake = HandshakeKind::kAll;

  // Traffic.
  uint64_t size = 0;
  std::string workload;
  uint64_t max_size = 1'000'000;
  uint64_t outstanding = 0;
  uint64_t count = 0;
  uint64_t duration = 0;  // ns
  uint64_t warmup = 0;    // Messages not measured, at the beginning.
  uint64_t deadline = 0;  // ns; 0: none.
  uint64_t load = 0;      // Calls begun per second and lcore; 0: as many as may be outstanding.
  uint64_t beside = 0;    // Bytes of a message that is always on its way; 0: none.
  uint64_t service = 0;
  uint64_t seed = 1;
  std::string file;
  std::string folder = ".";
  bool overwrite = false;

  // Memory and protocol.
  HugePages huge_pages = HugePages::kAuto;
  bool shared_memory = false;
  uint64_t memory_mb = 0;
  uint64_t arena_mb = 64;
  uint64_t max_buffered = 1u << 20;
  uint64_t peer_timeout = 0;  // ns; 0: the library's, or long with both ends in this process.
  bool bundling = true;
  GrantPolicy policy = GrantPolicy::kHybrid;
  bool multipath = false;
  bool record_mode = false;
  bool esp = false;
  Padding padding = Padding::kNone;
  uint64_t model_contexts = 0;
  ModelEngine model_engine = ModelEngine::kSecurity;
  bool shuffle = false;
  FaultOptions faults;

  // Output and control.
  std::string json;
  bool interactive = false;
  bool auto_start = false;
  std::string cmdline_file;
  uint64_t stats_period = 0;  // ns
  bool progress = true;
  bool report = true;
  std::string log_level = "warning";

  bool embedded() const { return ports.empty(); }
};

// How long to try to reach the peer, in nanoseconds.
uint64_t connect_timeout_of(const Options& options);

// Binds every option to a field; `options` must outlive the set.
OptionSet option_set(Options* options);

// Whether peers are known by certificates.
bool has_certificates(const Options& options);

// What the options say of themselves, without regard to a mode: combinations that cannot be meant.
absl::Status check_options(const Options& options);

// The sizes that a run draws from.
absl::StatusOr<base::Workload> workload_of(const Options& options);

// The nodes of an engine. One node, or with both ends in this process two, the client's first.
inline constexpr uint32_t kClientNode = 0;
inline constexpr uint32_t kServerNode = 1;
inline constexpr char kEmbeddedPeer[] = "10.77.0.2";

// With both ends in this process and no key file, `psk` is the key of this run.
EngineOptions engine_options(const Options& options, bool accept, std::vector<uint8_t> psk);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_OPTIONS_H_
