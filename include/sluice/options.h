// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_OPTIONS_H_
#define SLUICE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/fault.h"

namespace sluice {

class Handler;

// The UDP port of a node's first lcore; its lcore i listens on this plus i.
inline constexpr uint16_t kDefaultUdpPort = 7470;

enum class CryptoAlgorithm : uint8_t {
  kAes128Gcm,
  kAes256Gcm,
  kChaCha20Poly1305,
  // No encryption and no authentication: for benchmarks and trusted links. Both sides must choose
  // it; nothing ever falls back to it.
  kPlaintext,
};

enum class CryptoBackend : uint8_t {
  kAuto,     // The fastest found that has the algorithm.
  kIpsecMb,  // These two are taken or refused, never replaced.
  kBoringssl,
  // A crypto device of DPDK (rte_cryptodev): the first that has the algorithms asked for, of those
  // that EAL arguments (--vdev=crypto_aesni_gcm0) or the host program have brought up. Each burst
  // waits for it on the lcore, and passes through buffers that the device can reach: it takes load
  // from no CPU, and every software device is slower than the CPU's backends. Refused where there
  // is none, and never chosen by kAuto.
  kLookaside,
  // Records are sealed by the ports, at transmit; what goes in packet mode, and what is received,
  // by the CPU as with kAuto. With `esp` it is every packet of a session that the ports seal. Needs
  // `record_mode` or `esp`, Encapsulation::kNativeIp and AES-GCM, and ports
  // that can all do it: refused else. kAuto uses such ports too, where they are. A lane for whose
  // key the port has no context left is sealed by the CPU, and counted (limit.inline_contexts).
  kInline,
};

enum class Encapsulation : uint8_t {
  kUdp,
  kNativeIp,  // An IP protocol of its own.
};

// Models of NICs that seal.
enum class ModelEngine : uint8_t {
  kSecurity,  // One that is driven by DPDK's rte_security.
  kConnectx,  // A ConnectX, which gets commands and descriptors of its own.
  kEsp,       // One that seals packets of ESP, driven by rte_security. The others seal records.
};

// Whose certificates are believed.
struct TrustOptions {
  std::string file;    // CA certificates, PEM.
  std::string suffix;  // They vouch for the DNS names at and below it; empty: for any.
};

// How the peers prove who they are: by a pre-shared key, or by certificates on both sides. Exactly
// one of `psk_file`, `psk` and `certificate_file` must be given, except with
// CryptoAlgorithm::kPlaintext, which takes none.
struct CryptoOptions {
  // In order of preference; both sides must have one in common. kPlaintext stands alone.
  std::vector<CryptoAlgorithm> algorithms = {CryptoAlgorithm::kAes128Gcm,
                                             CryptoAlgorithm::kAes256Gcm};
  CryptoBackend backend = CryptoBackend::kAuto;
  // A file with a key of at least 32 bytes: hexadecimal, base64, other text, or raw bytes.
  std::string psk_file;
  // Or the key itself, at least 32 bytes. Wipe it after Engine::create().
  std::vector<uint8_t> psk;
  // PEM: the own certificate, then its issuers but for the anchor. Its key, ECDSA P-256 or Ed25519,
  // without a pass phrase, in a file that nobody else may read. See `sluice identity`.
  std::string certificate_file;
  std::string key_file;
  std::vector<TrustOptions> trust;  // One at least, with certificates.
  // The DNS names that clients may have; empty: every name that `trust` vouches for.
  std::vector<std::string> allowed_names;
};

// Bounds of one lcore's memory and work. All memory is taken at start; a limit that is reached is
// counted and shows as kResourceExhausted or as packets dropped by cause.
struct Limits {
  uint32_t max_exchanges = 16384;              // Calls and one-way messages, both directions.
  uint32_t max_sessions = 1024;                // Of a node.
  uint32_t max_lanes = 256;                    // Of sessions, on one lcore; 7 KB each.
  uint32_t max_busy_lanes = 1024;              // Of them, with work at a time; 9 KB more each.
  uint32_t max_reassemblies = 4096;            // Multi-packet messages being received.
  uint64_t arena_bytes = 64ull << 20;          // Landing and response memory; a power of two.
  uint32_t max_buffered_message = 1u << 20;    // Bytes; larger ones need named memory or a stream.
  uint32_t max_message = 1u << 30;             // Bytes; refused above with kTooLarge.
  uint32_t unscheduled_bytes = 65536;          // Sent per message before any grant.
  uint32_t max_incoming_bytes = 1u << 20;      // Granted and not yet received, all messages and
                                               // (policies hybrid and sird) all lcores.
  uint8_t overcommit = 8;                      // Messages granted at a time.
  uint64_t rto_min_ns = 200'000;               // Floor of the retransmission timers.
  uint64_t peer_timeout_ns = 3'000'000'000;    // Silence, with work pending, that ends a peer.
  uint64_t idle_timeout_ns = 600'000'000'000;  // Silence without work that forgets a peer.
};

// One network device of a node. Every lcore of the node has a queue pair of it where it has that
// many; the others are served by handing packets over.
struct PortOptions {
  // One of
  //   "net_memif0,role=client", "net_af_packet0,iface=eth1", "net_pcap0,...": a virtual device
  //     with its arguments, as DPDK has them;
  //   "0000:03:00.0": a PCI device;
  //   "pair:NAME": one end of a cable inside the process; the first port that names it has one
  //     end, the second the other;
  //   "port:NAME": a port that a --vdev argument or the host program has made.
  std::string device;
  // "10.0.0.1/24", "fd00::1/64"; at least one, at most one of each family.
  std::vector<std::string> addresses;
  // Next hops for peers outside these networks; at most one of each family.
  std::vector<std::string> gateways;
  uint16_t vlan = 0;            // 802.1Q id of what is sent; 0: untagged.
  uint32_t mtu = 0;             // Bytes of an IP packet; 0: the device's own, at most 9000.
  uint32_t descriptors = 1024;  // Per queue; the device may round it.
  bool offloads = true;         // Use checksum offload and flow steering where they are.
  std::string capture_file;     // Record every frame here (pcap, nanoseconds); empty: do not.
  // A model of a NIC that seals records at transmit, with this many contexts for keys, stands
  // before the device (tests and demonstrations); 0: none does.
  uint32_t model_contexts = 0;
  ModelEngine model_engine = ModelEngine::kSecurity;  // What that NIC is.
};

// One network identity: addresses on ports, the lcores that serve it, and its sessions. An engine
// usually has one, and two when it talks to itself over a "pair:".
struct NodeOptions {
  std::string name;  // For messages; "node0", ... when empty.
  std::vector<PortOptions> ports;
  uint16_t udp_port = kDefaultUdpPort;
  Encapsulation encapsulation = Encapsulation::kUdp;
  uint32_t lcores = 1;
  bool accept = false;  // Whether peers may begin sessions with this node.
  // Handler of all its lcores to begin with (see Endpoint::set_handler); may be null.
  Handler* handler = nullptr;
  FaultOptions faults;  // Of what its ports receive.
};

// How receivers decide who may send (src/README.md compares them; the wire is the same for all).
enum class GrantPolicy : uint8_t {
  kHybrid,  // Little credit, spread by what senders can use, and ranked priorities. The default.
  kHoma,    // A window for each of the `overcommit` shortest messages, and ranked priorities.
  kSird,    // Credit for each sender by its marks, without priorities.
  kFair,    // In turn.
};

// Whether observers are to see the lengths of messages.
enum class Padding : uint8_t {
  kNone,
  // Each message is shown, and sent, as long as the bucket that its length falls into: a power of
  // two from 64 to 512 bytes, above that at most a sixteenth more than its length. If either side
  // of a session chooses this, both pad; it is refused with a peer that cannot, and with plaintext.
  kBuckets,
};

// What lcores do when nothing comes.
enum class IdleMode : uint8_t {
  // Look on: the fastest, and each takes a whole CPU. The default.
  kPoll,
  // Sleep until a packet, a timer or another thread, for which the device needs receive interrupts:
  // many NICs, net_tap, net_virtio_user and net_vhost have them; net_memif, net_af_packet and
  // "pair:" have none, and Engine::start() then returns Unimplemented.
  kInterrupts,
  // Sleep with any device. Nothing tells of packets, which wait for the end of a step.
  kSleep,
};

struct IdleOptions {
  IdleMode mode = IdleMode::kPoll;
  // kSleep: how long a packet may wait, 50 us to 1 s. Each step takes a CPU some 20 us.
  uint64_t step_ns = 1'000'000;
  // How long an lcore polls after its last work before it sleeps, 1 s at most: what comes within
  // that finds it awake.
  uint64_t spin_ns = 200'000;
};

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

enum class HugePages : uint8_t {
  kAuto,  // Used when enough are free.
  kYes,   // Refuse to start without.
  kNo,
};

// DPDK's environment: brought up once per process, by its first engine. Later engines share it and
// may not need more than it has. Where the program itself has called rte_eal_init() before
// (libsluice-dpdk.so), that is used as it is and must stay until the last engine is closed; then
// `arguments` have to be empty, and of the rest only `huge_pages` is looked at.
struct EalOptions {
  // EAL arguments as on a DPDK command line, without a program name. They win over what follows.
  std::vector<std::string> arguments;
  HugePages huge_pages = HugePages::kAuto;
  uint32_t memory_mb = 0;  // 0: what the ports and limits need.
  uint32_t lcores = 0;     // Polling lcores to have; 0: as many as the nodes ask for.
  // CPUs of the polling lcores, in the order of the nodes and their lcores; empty: chosen from the
  // process's cpuset. Lcores share a CPU when there are too few, and the report says so.
  std::vector<uint32_t> cpus;
  bool telemetry = true;
  bool shared_memory = false;  // Memory that memif (zero copy) or virtio_user can pass on.
  std::string file_prefix;     // Empty: unique to the process.
};

// Of peers with certificates: what each may do, and where it is recorded. Neither works with a
// pre-shared key, which proves no name.
struct AccessOptions {
  // A file of rules (README.md has an example): who may connect, call which services, and use
  // requests or one-way messages. What no line allows is denied. Empty: who is trusted may do all.
  std::string policy_file;
  // A file to which every acceptance and refusal is added, as lines of JSON bound together by
  // SHA-256; it is created, or continued. Empty: nothing is recorded. While it cannot be written
  // no session begins.
  std::string audit_file;
  // Bytes from which on another file is begun; the full ones are kept beside it, as FILE.N with the
  // number of their last record. 0: never.
  uint64_t audit_max_bytes = 0;
};

struct EngineOptions {
  std::vector<NodeOptions> nodes;
  CryptoOptions crypto;
  AccessOptions access;
  Limits limits;
  EalOptions eal;
  IdleOptions idle;
  bool bundling = true;  // Small messages and control may share a packet.
  GrantPolicy grant_policy = GrantPolicy::kHybrid;
  // The packets of one message take several paths, so that later ones prove no loss: the network
  // sprays them, or chooses by UDP source port (ECMP), over which the engine then spreads them,
  // leaving paths that are dead, slow or alone congested. Of both ends.
  bool multipath = false;
  // Longer messages go in records of up to 16 KiB, each sealed as a whole over several packets as
  // TLS 1.3 would, so that NICs which seal and segment can take part; where the peer does not want
  // that too, packet by packet as ever, and SessionInfo::records says so. Without such NICs it
  // gains nothing: one lost packet costs its record. See CryptoBackend::kInline.
  bool record_mode = false;
  // Packets of sessions travel as ESP of IPsec, which many NICs seal at transmit, where the peer
  // wants that too and the cipher is AES-GCM; else as ever, and SessionInfo::records says so. Takes
  // Encapsulation::kNativeIp, and no `record_mode`. A packet is then 14 to 17 bytes longer, and its
  // paths and lengths are out of the network's sight.
  bool esp = false;
  // Of each side's sessions with every peer; SessionInfo::padded says of which.
  Padding padding = Padding::kNone;
  bool shuffle_deliveries = false;          // Debug: deliver ready messages in random order.
  bool record_latency = false;              // Fills Engine::latency().
  LogLevel log_level = LogLevel::kWarning;  // To standard error.
  uint64_t seed = 0;  // For hashing and entropy, never for keys; 0: drawn from the system.
};

}  // namespace sluice

#endif  // SLUICE_OPTIONS_H_
