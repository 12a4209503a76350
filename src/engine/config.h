// SPDX-License-Identifier: Apache-2.0
//
// What an engine is told at creation. Plain values; nothing here includes DPDK.
#ifndef SLUICE_ENGINE_CONFIG_H_
#define SLUICE_ENGINE_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "crypto/aead.h"
#include "crypto/choose_backend.h"
#include "crypto/psk.h"
#include "crypto/secret_bytes.h"
#include "engine/application.h"
#include "engine/fault.h"
#include "transport/config.h"
#include "wire/frame.h"
#include "wire/ip_address.h"

namespace sluice::engine {

// The first UDP port of an endpoint by default; lcore number i listens on this plus i.
inline constexpr uint16_t kDefaultBasePort = 7470;

enum class HugePages : uint8_t {
  kAuto,  // Used when enough are free.
  kYes,   // Refuse to start without.
  kNo,
};

// What an lcore does when nothing comes.
enum class IdleMode : uint8_t {
  kPoll,        // Looks on, on a whole CPU.
  kInterrupts,  // Sleeps until a packet, a timer or another thread; refused with other devices.
  kSteps,       // The same with any device: packets wait for the end of a step.
};

struct IdleConfig {
  IdleMode mode = IdleMode::kPoll;
  base::Nanos step = base::millis(1);    // kSteps: how long packets may wait.
  base::Nanos spin = base::micros(200);  // How long an lcore polls after its last work.
};

// How DPDK's environment is brought up: once per process, by the first engine. Later engines share
// it and may not ask for more than it has.
struct EalConfig {
  // EAL arguments of the user, as on a DPDK command line and without a program name. They win over
  // what follows here.
  std::vector<std::string> arguments;
  HugePages huge_pages = HugePages::kAuto;
  uint32_t memory_mb = 0;  // 0: what the ports and queues of the first engine need.
  uint32_t lcores = 0;     // Polling lcores; 0: as many as the nodes of the first engine have.
  bool telemetry = true;
  bool shared_memory = false;  // Memory that memif (zero copy) or virtio_user can pass on.
  std::string file_prefix;     // Empty: unique to the process.
};

// How a model of a NIC that seals is driven.
enum class ModelEngine : uint8_t {
  kSecurity,  // By DPDK's rte_security.
  kConnectx,  // By a ConnectX's own commands and descriptors.
  kEsp,       // By DPDK's rte_security too, for packets of ESP in place of records.
};

struct IpPrefix {
  wire::IpAddress address;
  uint8_t length = 0;  // Bits of the network part.
};

// Reads "192.0.2.1/24" or "2001:db8::1/64"; without a length the whole address is the network.
std::optional<IpPrefix> parse_ip_prefix(const std::string& text);

// One network device of a node. Every lcore of the node has a queue pair of it where it has that
// many; the others are served by handing packets over.
struct PortConfig {
  // One of
  //   "net_af_packet0,iface=eth0", any virtual device with its arguments as DPDK has them;
  //   "0000:03:00.0", a PCI device;
  //   "pair:NAME", one end of a cable inside the process: the first port that names it has one
  //   end, the second the other;
  //   "port:NAME", a port that --vdev or the host program has made.
  std::string device;
  std::vector<IpPrefix> addresses;        // At least one; at most one of each family.
  std::vector<wire::IpAddress> gateways;  // At most one of each family.
  std::optional<uint16_t> vlan;           // 802.1Q id of what is sent.
  uint32_t mtu = 0;             // Bytes of an IP packet; 0: the device's own, at most 9000.
  uint32_t descriptors = 1024;  // Per queue; the device may round it.
  bool offloads = true;         // Use checksum offload and flow steering where there.
  // A model of a NIC that seals at transmit stands before the device, with so many contexts
  // for keys; 0: none does. For tests and demonstrations.
  uint32_t model_contexts = 0;
  ModelEngine model_engine = ModelEngine::kSecurity;
  std::string capture_file;  // Record every frame here (pcap, nanoseconds); empty: do not.
  uint64_t capture_limit = 1ull << 30;  // Bytes after which recording stops.
  FaultConfig rx_faults;
  FaultConfig tx_faults;
};

// The content of a file, with its name for messages.
struct FileText {
  std::string file;
  std::vector<uint8_t> bytes;
};

struct TrustConfig {
  FileText text;       // CA certificates, PEM.
  std::string suffix;  // The names at and below it are what they may vouch for; empty: any.
};

// Identity by certificate.
struct TlsConfig {
  FileText certificate;  // PEM, the own certificate first, then its issuers.
  std::string key_file;
  crypto::SecretBytes key;  // PEM.
  std::vector<TrustConfig> trust;
  std::vector<std::string> allowed;  // Names that clients may have; empty: all that are trusted.
};

// An endpoint of the network: addresses, lcores and sessions of its own. A process has one of
// them as a rule, and two when it talks to itself.
struct NodeConfig {
  std::string name = "node";
  std::vector<PortConfig> ports;
  uint16_t base_port = kDefaultBasePort;
  wire::Encapsulation encapsulation = wire::Encapsulation::kUdp;
  uint8_t native_protocol = wire::kProtocolNative;
  uint8_t lcores = 1;
  bool accept = false;  // Take sessions that others begin.
  uint32_t max_sessions = 1024;
  // How peers know each other: keys (the first is used to connect, any of them is accepted), or
  // certificates.
  std::vector<crypto::Psk> psks;
  std::optional<TlsConfig> tls;
  // AEAD algorithms in order of preference; kNone (plaintext) stands alone.
  std::vector<crypto::AeadAlgorithm> aeads = {crypto::AeadAlgorithm::kAes128Gcm,
                                              crypto::AeadAlgorithm::kAes256Gcm};
  transport::EndpointConfig endpoint;  // max_packet is set from the ports' MTU.
  // One per lcore, in order; not owned, and alive until Engine::stop() has returned. A missing or
  // null one serves nothing: its requests are refused.
  std::vector<LcoreApplication*> applications;
  SessionListener* listener = nullptr;  // Not owned; may be null.
};

// What may be read again while an engine runs.
struct ReloadConfig {
  std::optional<TlsConfig> tls;
  std::optional<FileText> policy;
};

struct EngineConfig {
  EalConfig eal;
  std::vector<NodeConfig> nodes;
  // Of peers with certificates, on every node: what each may do (see crypto/policy.h), and where it
  // is recorded. Empty: everything, and nowhere.
  std::optional<FileText> policy;
  std::string audit_file;
  uint64_t audit_max_bytes = 0;  // See AuditLog::Setup.
  IdleConfig idle;               // Of all lcores.
  crypto::BackendKind backend = crypto::BackendKind::kAuto;
  std::string crypto_module;  // Path of libsluice-boringssl.so; empty: looked for.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CONFIG_H_
