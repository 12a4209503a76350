// SPDX-License-Identifier: Apache-2.0
#include "api/engine_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/endpoint_core.h"
#include "base/limits.h"
#include "crypto/psk.h"
#include "crypto/secret_bytes.h"
#include "wire/ip_address.h"

namespace sluice::internal {
namespace {

namespace limits = base::limits;

// A session has a lane for each pair of lcores, and an lcore keeps that many of one session.
constexpr uint32_t kMaxLcoresPerNode = kMaxLanesPerSession;
constexpr size_t kMaxKeyFileBytes = 65536;  // Far more than any key takes.

absl::StatusOr<crypto::AeadAlgorithm> make_algorithm(CryptoAlgorithm algorithm) {
  switch (algorithm) {
    case CryptoAlgorithm::kAes128Gcm:
      return crypto::AeadAlgorithm::kAes128Gcm;
    case CryptoAlgorithm::kAes256Gcm:
      return crypto::AeadAlgorithm::kAes256Gcm;
    case CryptoAlgorithm::kChaCha20Poly1305:
      return crypto::AeadAlgorithm::kChaCha20Poly1305;
    case CryptoAlgorithm::kPlaintext:
      return crypto::AeadAlgorithm::kNone;
  }
  return absl::InvalidArgumentError("crypto.algorithms holds an unknown value");
}

absl::StatusOr<std::vector<crypto::AeadAlgorithm>> make_algorithms(const CryptoOptions& options) {
  if (options.algorithms.empty()) {
    return absl::InvalidArgumentError("crypto.algorithms is empty: name one at least");
  }
  std::vector<crypto::AeadAlgorithm> out;
  for (const CryptoAlgorithm algorithm : options.algorithms) {
    absl::StatusOr<crypto::AeadAlgorithm> one = make_algorithm(algorithm);
    if (!one.ok()) return one.status();
    out.push_back(*one);
  }
  const bool plain = std::find(out.begin(), out.end(), crypto::AeadAlgorithm::kNone) != out.end();
  if (plain && out.size() > 1) {
    return absl::InvalidArgumentError(
        "plaintext cannot be offered beside encryption: make it the only algorithm, or drop it");
  }
  return out;
}

absl::Status cannot_read(const std::string& path) {
  return absl::NotFoundError(
      absl::StrCat("the file ", path, " cannot be read: ", std::strerror(errno)));
}

// Straight into memory that is taken once and wiped when dropped: a stream's buffer, and a vector
// that grows, would leave copies behind.
absl::StatusOr<crypto::SecretBytes> read_secret_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return cannot_read(path);
  std::vector<uint8_t> bytes(kMaxKeyFileBytes + 1);
  size_t size = 0;
  ssize_t count = 0;
  while (size < bytes.size()) {
    count = read(file, bytes.data() + size, bytes.size() - size);
    if (count > 0) size += static_cast<size_t>(count);
    if (count == 0 || (count < 0 && errno != EINTR)) break;
  }
  absl::Status status;
  if (count < 0) status = cannot_read(path);
  if (size > kMaxKeyFileBytes) {
    status = absl::InvalidArgumentError(absl::StrCat(
        "the file ", path, " is longer than any key: more than ", kMaxKeyFileBytes, " bytes"));
  }
  close(file);
  crypto::SecretBytes out(std::move(bytes), size);
  if (!status.ok()) return status;
  return out;
}

absl::StatusOr<engine::FileText> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot_read(path);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>()};
  if (file.bad()) return absl::NotFoundError(absl::StrCat("the file ", path, " is unreadable"));
  return engine::FileText{path, std::move(bytes)};
}

absl::StatusOr<std::vector<crypto::Psk>> make_psks(const CryptoOptions& options, bool plain) {
  const bool file = !options.psk_file.empty();
  const bool bytes = !options.psk.empty();
  if (plain) {
    if (!file && !bytes) {
      // The handshake is that of any session, with a key that is no secret.
      static constexpr std::array<uint8_t, base::limits::kMinPskBytes> kNoSecret{};
      return std::vector<crypto::Psk>{crypto::Psk(kNoSecret)};
    }
    return absl::InvalidArgumentError("plaintext takes no key: leave psk and psk_file empty");
  }
  if (file == bytes) {
    return absl::InvalidArgumentError(
        file ? "a key is given twice: set psk or psk_file, not both"
             : "no key is given: set psk_file (a file of 32 bytes or more) or certificate_file, or "
               "choose plaintext");
  }
  crypto::PskResult result;
  if (file) {
    const absl::StatusOr<crypto::SecretBytes> content = read_secret_file(options.psk_file);
    if (!content.ok()) return content.status();
    result = crypto::parse_psk(content->view());
  } else {
    result = crypto::make_psk(options.psk);
  }
  if (!result.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file ? options.psk_file : std::string("psk"), ": ", result.error));
  }
  return std::vector<crypto::Psk>{std::move(result.key)};
}

bool wants_certificates(const CryptoOptions& options) {
  return !options.certificate_file.empty() || !options.key_file.empty() || !options.trust.empty() ||
         !options.allowed_names.empty();
}

// A private key that others can read is nobody's secret.
absl::Status check_private(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return absl::NotFoundError(
        absl::StrCat("the file ", path, " cannot be read: ", std::strerror(errno)));
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the private key ", path, " can be read by others: chmod 600 ", path));
}

absl::StatusOr<engine::TlsConfig> make_tls(const CryptoOptions& options) {
  if (!options.psk_file.empty() || !options.psk.empty()) {
    return absl::InvalidArgumentError(
        "a pre-shared key and a certificate exclude each other: drop one");
  }
  if (options.certificate_file.empty() || options.key_file.empty() || options.trust.empty()) {
    return absl::InvalidArgumentError(
        "certificates need three things: certificate_file (--cert), key_file (--key) and trust "
        "(--trust); add what is missing");
  }
  if (absl::Status status = check_private(options.key_file); !status.ok()) return status;
  engine::TlsConfig tls;
  absl::StatusOr<engine::FileText> certificate = read_text(options.certificate_file);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<crypto::SecretBytes> key = read_secret_file(options.key_file);
  if (!key.ok()) return key.status();
  tls.certificate = *std::move(certificate);
  tls.key_file = options.key_file;
  tls.key = *std::move(key);
  for (const TrustOptions& each : options.trust) {
    absl::StatusOr<engine::FileText> text = read_text(each.file);
    if (!text.ok()) return text.status();
    tls.trust.push_back({*std::move(text), each.suffix});
  }
  tls.allowed = options.allowed_names;
  return tls;
}

absl::StatusOr<std::optional<engine::FileText>> make_policy(const AccessOptions& access) {
  if (access.policy_file.empty()) return std::nullopt;
  absl::StatusOr<engine::FileText> text = read_text(access.policy_file);
  if (!text.ok()) return text.status();
  return std::optional(*std::move(text));
}

absl::StatusOr<crypto::BackendKind> make_backend(CryptoBackend backend) {
  switch (backend) {
    case CryptoBackend::kAuto:
      return crypto::BackendKind::kAuto;
    case CryptoBackend::kIpsecMb:
      return crypto::BackendKind::kIpsecMb;
    case CryptoBackend::kBoringssl:
      return crypto::BackendKind::kBoringssl;
    case CryptoBackend::kLookaside:
      return crypto::BackendKind::kLookaside;
    case CryptoBackend::kInline:
      return crypto::BackendKind::kInline;
  }
  return absl::InvalidArgumentError("crypto.backend is an unknown value");
}

// The first reason why the limits cannot be, or nullptr.
const char* limits_error(const Limits& l) {
  if (l.max_exchanges == 0 || l.max_exchanges > (1u << 24)) {
    return "limits.max_exchanges must be 1 to 16777216";
  }
  if (l.max_sessions == 0 || l.max_sessions > 65536)
    return "limits.max_sessions must be 1 to 65536";
  if (l.max_lanes == 0 || l.max_lanes > base::limits::kMaxLanes)
    return "limits.max_lanes must be 1 to 1048576";
  if (l.max_busy_lanes == 0) return "limits.max_busy_lanes must be at least 1";
  if (l.max_reassemblies == 0) return "limits.max_reassemblies must be at least 1";
  if (!std::has_single_bit(l.arena_bytes) || l.arena_bytes < (1u << 16)) {
    return "limits.arena_bytes must be a power of two, 65536 at least";
  }
  if (l.max_buffered_message == 0 || l.max_buffered_message > l.arena_bytes) {
    return "limits.max_buffered_message must be 1 to limits.arena_bytes";
  }
  if (l.max_message == 0 || l.max_message > limits::kMaxMessageBytes) {
    return "limits.max_message must be 1 to 1073741824";
  }
  if (l.unscheduled_bytes == 0) return "limits.unscheduled_bytes must be at least 1";
  if (l.max_incoming_bytes == 0) return "limits.max_incoming_bytes must be at least 1";
  if (l.overcommit == 0 || l.overcommit > limits::kMaxOvercommit) {
    return "limits.overcommit must be 1 to 16";
  }
  if (l.rto_min_ns == 0 || l.peer_timeout_ns <= l.rto_min_ns) {
    return "limits.peer_timeout_ns must be above limits.rto_min_ns, and that above 0";
  }
  return nullptr;
}

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

transport::GrantPolicyKind to_transport(GrantPolicy policy) {
  switch (policy) {
    case GrantPolicy::kHybrid:
      break;
    case GrantPolicy::kHoma:
      return transport::GrantPolicyKind::kHoma;
    case GrantPolicy::kSird:
      return transport::GrantPolicyKind::kSird;
    case GrantPolicy::kFair:
      return transport::GrantPolicyKind::kFair;
  }
  return transport::GrantPolicyKind::kHybrid;
}

transport::EndpointConfig make_endpoint(const EngineOptions& options, uint64_t seed) {
  const Limits& l = options.limits;
  transport::EndpointConfig config;
  config.max_exchanges = l.max_exchanges;
  config.max_lanes = l.max_lanes;
  config.max_busy_lanes = l.max_busy_lanes;
  config.max_reassemblies = l.max_reassemblies;
  config.arena_bytes = l.arena_bytes;
  config.max_buffered_message = l.max_buffered_message;
  config.max_message = l.max_message;
  config.unscheduled_bytes = l.unscheduled_bytes;
  config.max_incoming_bytes = l.max_incoming_bytes;
  config.credit_bytes = l.max_incoming_bytes;
  config.sender_credit_bytes = l.max_incoming_bytes;
  config.overcommit = l.overcommit;
  config.grant_policy = to_transport(options.grant_policy);
  if (options.multipath) config.recovery = transport::RecoveryKind::kRack;
  config.record_mode = options.record_mode;
  config.esp = options.esp;
  config.padding = options.padding == Padding::kBuckets;
  config.bundling = options.bundling;
  config.rto_min = base::nanos(l.rto_min_ns);
  config.rto_initial = std::max(config.rto_initial, config.rto_min);
  config.rto_max = std::max(config.rto_max, config.rto_initial);
  config.peer_timeout = base::nanos(l.peer_timeout_ns);
  config.idle_timeout = base::nanos(l.idle_timeout_ns);
  config.shuffle_deliveries = options.shuffle_deliveries;
  config.seed = seed;
  return config;
}

engine::ModelEngine to_engine(ModelEngine model) {
  switch (model) {
    case ModelEngine::kConnectx:
      return engine::ModelEngine::kConnectx;
    case ModelEngine::kEsp:
      return engine::ModelEngine::kEsp;
    case ModelEngine::kSecurity:
      break;
  }
  return engine::ModelEngine::kSecurity;
}

absl::StatusOr<engine::PortConfig> make_port(const std::string& node, const PortOptions& options,
                                             const FaultOptions& faults) {
  engine::PortConfig port;
  if (options.device.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(node, ": a port has no device"));
  }
  port.device = options.device;
  for (const std::string& text : options.addresses) {
    const std::optional<engine::IpPrefix> prefix = engine::parse_ip_prefix(text);
    if (!prefix) {
      return absl::InvalidArgumentError(absl::StrCat(
          node, ": '", text, "' is no address with a prefix length, such as 10.0.0.1/24"));
    }
    port.addresses.push_back(*prefix);
  }
  for (const std::string& text : options.gateways) {
    const std::optional<wire::IpAddress> gateway = wire::parse_ip_address(text);
    if (!gateway) {
      return absl::InvalidArgumentError(
          absl::StrCat(node, ": the gateway '", text, "' is no IP address"));
    }
    port.gateways.push_back(*gateway);
  }
  if (options.vlan > 4094) {
    return absl::InvalidArgumentError(absl::StrCat(node, ": vlan must be 1 to 4094, or 0"));
  }
  if (options.vlan != 0) port.vlan = options.vlan;
  port.mtu = options.mtu;
  port.descriptors = options.descriptors;
  port.offloads = options.offloads;
  port.capture_file = options.capture_file;
  port.model_contexts = options.model_contexts;
  port.model_engine = to_engine(options.model_engine);
  port.rx_faults = make_fault_config(faults);
  return port;
}

absl::StatusOr<engine::NodeConfig> make_node(const EngineOptions& options, size_t index,
                                             uint64_t seed) {
  const NodeOptions& from = options.nodes[index];
  engine::NodeConfig node;
  node.name = from.name.empty() ? absl::StrCat("node", index) : from.name;
  if (from.ports.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(node.name, " has no port: name one at least"));
  }
  if (from.lcores == 0 || from.lcores > kMaxLcoresPerNode) {
    return absl::InvalidArgumentError(
        absl::StrCat(node.name, ".lcores must be 1 to ", kMaxLcoresPerNode));
  }
  if (const char* error = engine::fault_config_error(make_fault_config(from.faults))) {
    return absl::InvalidArgumentError(absl::StrCat(node.name, ".faults: ", error));
  }
  for (const PortOptions& port : from.ports) {
    absl::StatusOr<engine::PortConfig> made = make_port(node.name, port, from.faults);
    if (!made.ok()) return made.status();
    node.ports.push_back(*std::move(made));
  }
  node.base_port = from.udp_port;
  node.encapsulation = from.encapsulation == Encapsulation::kUdp ? wire::Encapsulation::kUdp
                                                                 : wire::Encapsulation::kNative;
  node.lcores = static_cast<uint8_t>(from.lcores);
  node.accept = from.accept;
  node.max_sessions = options.limits.max_sessions;
  node.endpoint = make_endpoint(options, seed + index * 0x9e3779b97f4a7c15u);
  return node;
}

engine::IdleConfig make_idle(const IdleOptions& from) {
  engine::IdleConfig idle;
  switch (from.mode) {
    case IdleMode::kPoll:
      idle.mode = engine::IdleMode::kPoll;
      break;
    case IdleMode::kInterrupts:
      idle.mode = engine::IdleMode::kInterrupts;
      break;
    case IdleMode::kSleep:
      idle.mode = engine::IdleMode::kSteps;
  }
  idle.step = base::nanos(from.step_ns);
  idle.spin = base::nanos(from.spin_ns);
  return idle;
}

engine::EalConfig make_eal(const EalOptions& from) {
  engine::EalConfig eal;
  if (!from.cpus.empty()) {
    // DPDK's own form: the control thread's lcore on any of the CPUs, then one lcore a CPU.
    std::string map = absl::StrCat("0@(", absl::StrJoin(from.cpus, ","), ")");
    for (size_t i = 0; i < from.cpus.size(); ++i) {
      absl::StrAppend(&map, ",", i + 1, "@", from.cpus[i]);
    }
    eal.arguments = {"--lcores", map};
  }
  eal.arguments.insert(eal.arguments.end(), from.arguments.begin(), from.arguments.end());
  switch (from.huge_pages) {
    case HugePages::kAuto:
      eal.huge_pages = engine::HugePages::kAuto;
      break;
    case HugePages::kYes:
      eal.huge_pages = engine::HugePages::kYes;
      break;
    case HugePages::kNo:
      eal.huge_pages = engine::HugePages::kNo;
  }
  eal.memory_mb = from.memory_mb;
  eal.lcores = from.lcores;
  eal.telemetry = from.telemetry;
  eal.shared_memory = from.shared_memory;
  eal.file_prefix = from.file_prefix;
  return eal;
}

}  // namespace

engine::FaultConfig make_fault_config(const FaultOptions& faults) {
  engine::FaultConfig config;
  config.loss_ppm = faults.loss_ppm;
  config.duplicate_ppm = faults.duplicate_ppm;
  config.reorder_ppm = faults.reorder_ppm;
  config.corrupt_ppm = faults.corrupt_ppm;
  config.delay = base::nanos(faults.delay_ns);
  config.jitter = base::nanos(faults.jitter_ns);
  config.seed = faults.seed;
  return config;
}

absl::StatusOr<engine::EngineConfig> make_engine_config(const EngineOptions& options) {
  if (options.nodes.empty()) {
    return absl::InvalidArgumentError("the options name no node: give one at least");
  }
  if (const char* error = limits_error(options.limits)) {
    return absl::InvalidArgumentError(error);
  }
  absl::StatusOr<std::vector<crypto::AeadAlgorithm>> aeads = make_algorithms(options.crypto);
  if (!aeads.ok()) return aeads.status();
  const bool plain = aeads->front() == crypto::AeadAlgorithm::kNone;
  if (plain && options.padding != Padding::kNone) {
    return absl::InvalidArgumentError("plaintext shows all of a message: leave padding out");
  }
  std::vector<crypto::Psk> psks;
  std::optional<engine::TlsConfig> tls;
  if (wants_certificates(options.crypto)) {
    if (plain) {
      return absl::InvalidArgumentError("plaintext takes no certificate: leave the files out");
    }
    absl::StatusOr<engine::TlsConfig> made = make_tls(options.crypto);
    if (!made.ok()) return made.status();
    tls = *std::move(made);
  } else {
    absl::StatusOr<std::vector<crypto::Psk>> made = make_psks(options.crypto, plain);
    if (!made.ok()) return made.status();
    psks = *std::move(made);
  }
  absl::StatusOr<crypto::BackendKind> backend = make_backend(options.crypto.backend);
  if (!backend.ok()) return backend.status();

  absl::StatusOr<std::optional<engine::FileText>> policy = make_policy(options.access);
  if (!policy.ok()) return policy.status();

  engine::EngineConfig config;
  config.policy = *std::move(policy);
  config.audit_file = options.access.audit_file;
  config.audit_max_bytes = options.access.audit_max_bytes;
  config.eal = make_eal(options.eal);
  config.idle = make_idle(options.idle);
  config.backend = *backend;
  const uint64_t seed = options.seed != 0 ? options.seed : random_seed();
  for (size_t i = 0; i < options.nodes.size(); ++i) {
    absl::StatusOr<engine::NodeConfig> node = make_node(options, i, seed);
    if (!node.ok()) return node.status();
    node->aeads = *aeads;
    node->psks = psks;
    node->tls = tls;
    config.nodes.push_back(*std::move(node));
  }
  return config;
}

absl::StatusOr<engine::ReloadConfig> read_again(const CryptoOptions& crypto,
                                                const AccessOptions& access) {
  if (!wants_certificates(crypto) && access.policy_file.empty()) {
    return absl::FailedPreconditionError(
        "there is nothing to reload: neither a policy nor a certificate is in use");
  }
  engine::ReloadConfig out;
  if (wants_certificates(crypto)) {
    absl::StatusOr<engine::TlsConfig> tls = make_tls(crypto);
    if (!tls.ok()) return tls.status();
    out.tls = *std::move(tls);
  }
  absl::StatusOr<std::optional<engine::FileText>> policy = make_policy(access);
  if (!policy.ok()) return policy.status();
  out.policy = *std::move(policy);
  return out;
}

absl::StatusOr<transport::PeerAddress> parse_peer(const std::string& text) {
  std::string ip = text;
  std::string port;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end != std::string::npos) {
      ip = text.substr(1, end - 1);
      if (end + 1 < text.size()) port = text.substr(end + 1);
    }
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const size_t colon = text.find(':');
    ip = text.substr(0, colon);
    port = text.substr(colon);
  }
  transport::PeerAddress peer;
  peer.port = kDefaultUdpPort;
  const std::optional<wire::IpAddress> address = wire::parse_ip_address(ip);
  bool good = address.has_value();
  if (good && !port.empty()) {
    uint32_t number = 0;
    good = port.front() == ':' && absl::SimpleAtoi(port.substr(1), &number) && number != 0 &&
           number <= 65535;
    peer.port = static_cast<uint16_t>(number);
  }
  if (!good) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is no peer: write 10.0.0.2, 10.0.0.2:7470, fd00::2 or [fd00::2]:7470"));
  }
  peer.ip = *address;
  return peer;
}

std::string format_peer_ip(const transport::PeerAddress& peer) {
  return wire::format_ip_address(peer.ip);
}

}  // namespace sluice::internal
