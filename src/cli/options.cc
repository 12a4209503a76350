// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/content.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kAnyCount = 1ull << 62;
constexpr uint64_t kMostLoad = 1'000'000'000;
constexpr uint64_t kMostModelContexts = 4096;
constexpr uint64_t kMaxMessage = (1u << 30) - 1;
// A peer in this process is not lost; but on a busy machine it may wait for its CPU.
constexpr uint64_t kEmbeddedTimeout = 30'000'000'000;
constexpr uint64_t kConnectTimeout = 5'000'000'000;

absl::Status set_cipher(const std::string& text, CryptoAlgorithm* cipher) {
  if (text == "aes-128-gcm") {
    *cipher = CryptoAlgorithm::kAes128Gcm;
  } else if (text == "aes-256-gcm") {
    *cipher = CryptoAlgorithm::kAes256Gcm;
  } else if (text == "chacha20-poly1305") {
    *cipher = CryptoAlgorithm::kChaCha20Poly1305;
  } else if (text == "plaintext") {
    *cipher = CryptoAlgorithm::kPlaintext;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "': choose aes-128-gcm, aes-256-gcm, chacha20-poly1305 or plaintext"));
  }
  return absl::OkStatus();
}

// A path may hold an equals sign; a DNS name holds none, and no slash.
absl::Status add_trust(const std::string& text, std::vector<TrustOptions>* trust) {
  const size_t equals = text.rfind('=');
  TrustOptions one;
  one.file = text;
  if (equals != std::string::npos && text.find('/', equals) == std::string::npos) {
    one.file = text.substr(0, equals);
    one.suffix = text.substr(equals + 1);
    if (one.suffix.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' limits trust to no name: write ca.pem=dc.example, or ca.pem"));
    }
  }
  if (one.file.empty()) return absl::InvalidArgumentError("name a file of CA certificates");
  trust->push_back(std::move(one));
  return absl::OkStatus();
}

absl::Status set_model_engine(const std::string& text, ModelEngine* engine) {
  if (text == "rte_security") {
    *engine = ModelEngine::kSecurity;
  } else if (text == "connectx") {
    *engine = ModelEngine::kConnectx;
  } else if (text == "esp") {
    *engine = ModelEngine::kEsp;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is no model of a NIC: rte_security, connectx or esp"));
  }
  return absl::OkStatus();
}

absl::Status set_backend(const std::string& text, CryptoBackend* backend) {
  if (text == "auto") {
    *backend = CryptoBackend::kAuto;
  } else if (text == "ipsec-mb") {
    *backend = CryptoBackend::kIpsecMb;
  } else if (text == "boringssl") {
    *backend = CryptoBackend::kBoringssl;
  } else if (text == "lookaside") {
    *backend = CryptoBackend::kLookaside;
  } else if (text == "inline") {
    *backend = CryptoBackend::kInline;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "': choose auto, ipsec-mb, boringssl, lookaside or inline"));
  }
  return absl::OkStatus();
}

absl::Status set_policy(const std::string& text, GrantPolicy* policy) {
  const std::pair<const char*, GrantPolicy> known[] = {{"hybrid", GrantPolicy::kHybrid},
                                                       {"homa", GrantPolicy::kHoma},
                                                       {"sird", GrantPolicy::kSird},
                                                       {"fair", GrantPolicy::kFair}};
  for (const auto& [name, value] : known) {
    if (text != name) continue;
    *policy = value;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "': choose hybrid, homa, sird or fair"));
}

absl::Status set_idle(const std::string& text, IdleOptions* idle) {
  constexpr absl::string_view kSleep = "sleep:";
  if (text == "poll") {
    idle->mode = IdleMode::kPoll;
  } else if (text == "interrupts") {
    idle->mode = IdleMode::kInterrupts;
  } else if (const auto step = absl::StartsWith(text, kSleep)
                                   ? parse_nanos(absl::string_view(text).substr(kSleep.size()))
                                   : std::nullopt) {
    idle->mode = IdleMode::kSleep;
    idle->step_ns = *step;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "': choose poll, interrupts, or sleep:1ms"));
  }
  return absl::OkStatus();
}

absl::Status set_padding(const std::string& text, Padding* padding) {
  if (text != "none" && text != "buckets") {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "': choose none or buckets"));
  }
  *padding = text == "none" ? Padding::kNone : Padding::kBuckets;
  return absl::OkStatus();
}

absl::Status set_handshake(const std::string& text, HandshakeKind* kind) {
  for (const HandshakeKind each : {HandshakeKind::kAll, HandshakeKind::kFull,
                                   HandshakeKind::kResumed, HandshakeKind::kEarly}) {
    if (text != handshake_kind_name(each)) continue;
    *kind = each;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "': choose all, full, resumed or early"));
}

// "2", "0,2" or "0-3,6".
absl::Status set_cpus(const std::string& text, std::vector<uint32_t>* cpus) {
  cpus->clear();
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    uint32_t first = 0;
    uint32_t last = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &first) ||
        !absl::SimpleAtoi(ends.back(), &last) || last < first || last > 1023) {
      return absl::InvalidArgumentError(absl::StrCat("'", part, "' is no CPU; write 0,2 or 0-3"));
    }
    for (uint32_t cpu = first; cpu <= last; ++cpu) cpus->push_back(cpu);
  }
  return absl::OkStatus();
}

absl::Status set_huge_pages(const std::string& text, HugePages* huge_pages) {
  if (text == "auto") {
    *huge_pages = HugePages::kAuto;
  } else if (text == "yes") {
    *huge_pages = HugePages::kYes;
  } else if (text == "no") {
    *huge_pages = HugePages::kNo;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "': choose auto, yes or no"));
  }
  return absl::OkStatus();
}

// Adds a value to one list of the port that was named last.
absl::Status add_to_port(const std::string& text, std::vector<PortOptions>* ports,
                         std::vector<std::string> PortOptions::*list) {
  if (ports->empty()) return absl::InvalidArgumentError("name the --port that it is for before it");
  (ports->back().*list).push_back(text);
  return absl::OkStatus();
}

void add_place(OptionSet* set, Options* o) {
  set->section("This end (without --port, both ends run in this process)");
  set->add("port", "DEVICE",
           "a device: net_memif0,role=client, net_af_packet0,iface=eth1, net_pcap0,..., a PCI "
           "address; may be repeated",
           [o](const std::string& text) {
             o->ports.emplace_back().device = text;
             return absl::OkStatus();
           });
  set->add("address", "IP/LEN",
           "of the --port before it: 10.0.0.1/24 or fd00::1/64; one of each family",
           [o](const std::string& text) {
             return add_to_port(text, &o->ports, &PortOptions::addresses);
           });
  set->add("gateway", "IP", "next hop of the --port before it, for peers outside its networks",
           [o](const std::string& text) {
             return add_to_port(text, &o->ports, &PortOptions::gateways);
           });
  set->add_count("udp-port", "N", "UDP port of lane 0, here; lane i has the i-th after it",
                 &o->udp_port, 1, 65000);
  set->add_switch("native-ip", "an IP protocol of its own instead of UDP", &o->native_ip);
  set->add_count("vlan", "ID", "802.1Q tag; 0: none", &o->vlan, 0, 4094);
  set->add_count("mtu", "BYTES", "of an IP packet; 0: what the device says", &o->mtu, 0, 9000);
  set->add("cpus", "LIST", "CPUs of the lcores, one each: 0,2 or 0-3",
           [o](const std::string& text) { return set_cpus(text, &o->cpus); });
  set->add_count("lcores", "N", "lcores of this end, each with a lane to each of the peer's",
                 &o->lcores, 1, 64);
  set->add(
      "idle", "HOW",
      "lcores to which nothing comes: poll (default), interrupts: sleep until a packet, if the "
      "device can tell, or sleep:1ms, with any device: a packet may wait so long",
      [o](const std::string& text) { return set_idle(text, &o->idle); });
  set->add_nanos("idle-spin", "how long they poll before they sleep (default 200us)",
                 &o->idle.spin_ns);
  set->add_count("server-lcores", "N", "both ends in this process: the server's; 0: as --lcores",
                 &o->server_lcores, 0, 64);
  set->add_text("capture", "FILE", "record all packets of this end as pcap", &o->capture);
}

void add_security(OptionSet* set, Options* o) {
  set->section("Peer and crypto");
  set->add_text("peer", "IP[:PORT]", "the server; 10.0.0.2, fd00::2 or [fd00::2]:7470", &o->peer);
  set->add_count("sessions", "N", "sessions to begin with the peer, used in turn", &o->sessions, 1,
                 128);
  set->add_nanos("connect-timeout", "how long to try, with retries (default 5s)",
                 &o->connect_timeout);
  set->add_text("psk-file", "FILE", "the key that both sides share, at least 32 bytes",
                &o->psk_file);
  set->add_text("cert", "FILE", "this end's certificate (PEM); with --key and --trust, no psk",
                &o->certificate);
  set->add_text("key", "FILE", "its private key (PEM), readable by its owner alone", &o->key);
  set->add("trust", "FILE[=NAME]",
           "CA certificates that peers are issued by; =dc.example: for names below it only; may be "
           "repeated",
           [o](const std::string& text) { return add_trust(text, &o->trust); });
  set->add_text("name", "NAME", "the DNS name that the server's certificate has to show",
                &o->peer_name);
  set->add_list("allow", "NAME",
                "a client's name that is accepted; may be repeated (default: all that are trusted)",
                &o->allowed);
  set->add_text(
      "policy-file", "FILE",
      "rules: which peer may connect, call and use what; the rest is denied (with --cert)",
      &o->policy_file);
  set->add_text("audit", "FILE",
                "record every acceptance and refusal there; see sluice audit --help (with --cert)",
                &o->audit_file);
  set->add_count("audit-size", "BYTES",
                 "begin another file when the audit log is as long, and keep the full one as "
                 "FILE.N; 0: never",
                 &o->audit_size, 0, kAnyCount);
  set->add("cipher", "NAME",
           "aes-128-gcm (default), aes-256-gcm, chacha20-poly1305; plaintext takes no key and both "
           "sides must choose it",
           [o](const std::string& text) { return set_cipher(text, &o->cipher); });
  set->add("crypto", "NAME",
           "auto (default), ipsec-mb, boringssl, lookaside: a crypto device of DPDK, or inline: "
           "records, or ESP, sealed by the port; taken or refused",
           [o](const std::string& text) { return set_backend(text, &o->backend); });
  set->add("handshake", "KIND",
           "of the mode handshakes: all (default), full, resumed, or early: with a request in the "
           "first packets",
           [o](const std::string& text) { return set_handshake(text, &o->handshake); });
  set->add_switch("core-dumps", "a crash may leave this process's memory on disk, keys included",
                  &o->core_dumps);
}

void add_traffic(OptionSet* set, Options* o) {
  set->section("Traffic");
  set->add_count("size", "BYTES", "of every message", &o->size, 1, kMaxMessage);
  set->add_text("workload", "NAME", "sizes drawn from W1, W2, W3, W4 or W5 instead", &o->workload);
  set->add_count("max-size", "BYTES", "larger sizes of a workload are cut to this (default 1M)",
                 &o->max_size, 1, kMaxMessage);
  set->add_count("outstanding", "N", "messages in flight at a time, per lcore", &o->outstanding, 1,
                 Content::kPlaces);
  set->add_count(
      "load", "N",
      "calls to begin per second and lcore, at Poisson times; a latency counts from then, "
      "whoever was late; 0: as many as --outstanding allows",
      &o->load, 0, kMostLoad);
  set->add_count("beside", "BYTES",
                 "per lcore, one message of this size always on its way to service 2 beside those, "
                 "of which only the rate is reported; 0: none",
                 &o->beside, 0, kMaxMessage);
  set->add_count("count", "N", "messages in all; files for recvfile", &o->count, 1, kAnyCount);
  set->add_nanos("duration", "stop after this time", &o->duration);
  set->add_count("warmup", "N", "messages before measuring begins", &o->warmup, 0, kAnyCount);
  set->add_nanos("deadline", "of each message; 0: none", &o->deadline);
  set->add_count("service", "N",
                 "number of the service called: 1 answers with as many bytes, 2 with eight",
                 &o->service, 1, 65535);
  set->add_count("seed", "N", "of sizes and faults", &o->seed, 0, kAnyCount);
  set->add_text("file", "FILE", "what sendfile and loopback send", &o->file);
  set->add_text("dir", "FOLDER", "where received files are put", &o->folder);
  set->add_switch("overwrite", "received files may replace files of the same name", &o->overwrite);
}

void add_protocol(OptionSet* set, Options* o) {
  set->section("Memory, protocol and injected faults");
  set->add("huge-pages", "WHEN", "auto (default: when enough are free), yes or no",
           [o](const std::string& text) { return set_huge_pages(text, &o->huge_pages); });
  set->add_switch("shared-memory", "memory that virtio_user and zero-copy memif can pass on",
                  &o->shared_memory);
  set->add_count("memory", "MB", "for DPDK; 0: what the limits need", &o->memory_mb, 0, 1 << 20);
  set->add_count("arena", "MB", "message memory per lcore, a power of two", &o->arena_mb, 1, 65536);
  set->add_count("max-buffered", "BYTES", "larger messages are streamed or refused",
                 &o->max_buffered, 1, kMaxMessage);
  set->add_nanos("peer-timeout", "silence, with work pending, that ends a session (default 1s)",
                 &o->peer_timeout);
  set->add_switch("bundling", "small messages may share a packet (default)", &o->bundling);
  set->add("policy", "NAME", "who may send to this end: hybrid (default), homa, sird or fair",
           [o](const std::string& text) { return set_policy(text, &o->policy); });
  set->add_switch("multipath", "the network sends packets of one message over several paths",
                  &o->multipath);
  set->add_switch("record-mode", "seal records of up to 16 KiB, if the peer does so too",
                  &o->record_mode);
  set->add_switch("esp", "packets travel as ESP, which ports may seal, if the peer does so too",
                  &o->esp);
  set->add("pad", "HOW",
           "none (default), or buckets: conceal the lengths of messages, on both sides",
           [o](const std::string& text) { return set_padding(text, &o->padding); });
  set->add_count("model-nic", "N",
                 "before each port a model of a NIC that seals, with so many contexts for keys; 0: "
                 "none",
                 &o->model_contexts, 0, kMostModelContexts);
  set->add("model-engine", "NAME",
           "what that model is: rte_security (default), for records, by that; connectx, by its "
           "commands and descriptors; or esp, for ESP, by rte_security",
           [o](const std::string& text) { return set_model_engine(text, &o->model_engine); });
  set->add_switch("shuffle", "debug: deliver ready messages in random order", &o->shuffle);
  set->add_ppm("loss", "received packets to drop: 1% or 200ppm", &o->faults.loss_ppm);
  set->add_ppm("reorder", "received packets to hold back", &o->faults.reorder_ppm);
  set->add_ppm("duplicate", "received packets to receive twice", &o->faults.duplicate_ppm);
  set->add_ppm("corrupt", "received packets to flip a bit of", &o->faults.corrupt_ppm);
  set->add_nanos("delay", "added to every received packet", &o->faults.delay_ns);
  set->add_nanos("jitter", "up to so much more, at random", &o->faults.jitter_ns);
}

void add_control(OptionSet* set, Options* o) {
  set->section("Output and control");
  set->add_text("json", "FILE", "write the results here, whole or not at all", &o->json);
  set->add_switch("interactive", "a prompt; `help` lists its commands", &o->interactive);
  set->letter('i', "interactive");
  set->add_switch("auto-start", "with a prompt: start the traffic at once", &o->auto_start);
  set->letter('a', "auto-start");
  set->add_text("cmdline-file", "FILE", "commands of the prompt to carry out first",
                &o->cmdline_file);
  set->add_nanos("stats-period", "print counters this often", &o->stats_period);
  set->add_switch("progress", "a progress bar on a terminal (default)", &o->progress);
  set->add_switch("report", "print what was found and chosen at start (default)", &o->report);
  set->add_text("log-level", "LEVEL", "debug, info, warning (default), error or off",
                &o->log_level);
}

LogLevel log_level_of(const std::string& text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "error") return LogLevel::kError;
  if (text == "off") return LogLevel::kOff;
  return LogLevel::kWarning;
}

bool is_log_level(const std::string& text) {
  return log_level_of(text) != LogLevel::kWarning || text == "warning";
}

NodeOptions base_node(const Options& options) {
  NodeOptions node;
  node.udp_port = static_cast<uint16_t>(options.udp_port);
  node.encapsulation = options.native_ip ? Encapsulation::kNativeIp : Encapsulation::kUdp;
  node.faults = options.faults;
  node.faults.seed = options.seed;
  node.lcores = static_cast<uint32_t>(options.lcores);
  return node;
}

PortOptions complete_port(const Options& options, PortOptions port) {
  port.vlan = static_cast<uint16_t>(options.vlan);
  port.mtu = static_cast<uint32_t>(options.mtu);
  port.capture_file = options.capture;
  port.model_contexts = static_cast<uint32_t>(options.model_contexts);
  port.model_engine = options.model_engine;
  return port;
}

// Two nodes joined by a cable inside the process.
std::vector<NodeOptions> embedded_nodes(const Options& options) {
  PortOptions end;
  end.device = "pair:loopback";
  NodeOptions client = base_node(options);
  client.name = "client";
  end.addresses = {"10.77.0.1/24"};
  client.ports = {complete_port(options, end)};
  NodeOptions server = base_node(options);
  server.name = "server";
  end.addresses = {absl::StrCat(kEmbeddedPeer, "/24")};
  server.ports = {complete_port(options, end)};
  server.ports[0].capture_file.clear();
  server.accept = true;
  server.faults.seed = options.seed + 1;
  if (options.server_lcores != 0) server.lcores = static_cast<uint32_t>(options.server_lcores);
  return {client, server};
}

absl::Status check_certificates(const Options& o) {
  const std::pair<const char*, bool> parts[] = {
      {"--cert", o.certificate.empty()}, {"--key", o.key.empty()}, {"--trust", o.trust.empty()}};
  for (const auto& [option, missing] : parts) {
    if (!missing) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        option, " is missing: certificates need --cert=FILE, --key=FILE and --trust=FILE"));
  }
  if (!o.psk_file.empty()) {
    return absl::InvalidArgumentError("--psk-file and --cert exclude each other: drop one");
  }
  if (o.cipher == CryptoAlgorithm::kPlaintext) {
    return absl::InvalidArgumentError("--cipher=plaintext takes no --cert: drop one");
  }
  return absl::OkStatus();
}

absl::Status check_esp(const Options& o) {
  if (!o.esp) return absl::OkStatus();
  if (!o.native_ip) {
    return absl::InvalidArgumentError("--esp is an IP protocol of its own: add --native-ip");
  }
  if (o.record_mode) {
    return absl::InvalidArgumentError(
        "--esp and --record-mode: packets of ESP make no records; drop one");
  }
  if (o.cipher != CryptoAlgorithm::kAes128Gcm && o.cipher != CryptoAlgorithm::kAes256Gcm) {
    return absl::InvalidArgumentError(
        "--esp takes AES-GCM: choose --cipher=aes-128-gcm or aes-256-gcm, or drop it");
  }
  return absl::OkStatus();
}

absl::Status check_sealing(const Options& o) {
  if (o.padding != Padding::kNone && o.cipher == CryptoAlgorithm::kPlaintext) {
    return absl::InvalidArgumentError(
        "--cipher=plaintext shows all of a message: drop --pad, or choose another cipher");
  }
  if (auto status = check_esp(o); !status.ok()) return status;
  if (o.backend != CryptoBackend::kInline) return absl::OkStatus();
  if (o.cipher == CryptoAlgorithm::kPlaintext) {
    return absl::InvalidArgumentError("--cipher=plaintext seals nothing: drop --crypto=inline");
  }
  if (o.esp) return absl::OkStatus();
  if (!o.record_mode || !o.native_ip) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--crypto=inline: ports seal the records of record mode, behind headers of TCP's shape, or "
        "packets (--esp): add ",
        o.record_mode ? "" : "--record-mode", o.record_mode || o.native_ip ? "" : " and ",
        o.native_ip ? "" : "--native-ip"));
  }
  return absl::OkStatus();
}

// Exactly one way to know the peer.
absl::Status check_credentials(const Options& o) {
  if (has_certificates(o)) return check_certificates(o);
  if (!o.peer_name.empty() || !o.allowed.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        o.peer_name.empty() ? "--allow" : "--name",
        " names a peer by its certificate: give --cert, --key and --trust too, or drop it"));
  }
  if (!o.policy_file.empty() || !o.audit_file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(o.audit_file.empty() ? "--policy-file" : "--audit",
                     " is about names, and a pre-shared key proves none: give --cert, --key and "
                     "--trust, or drop it"));
  }
  const bool plain = o.cipher == CryptoAlgorithm::kPlaintext;
  if (plain && !o.psk_file.empty()) {
    return absl::InvalidArgumentError("--cipher=plaintext takes no --psk-file: drop one");
  }
  if (!o.embedded() && o.psk_file.empty() && !plain) {
    return absl::InvalidArgumentError(
        "no key: give --psk-file=FILE, the same 32 bytes or more on both sides, or a certificate "
        "(--cert, --key and --trust)");
  }
  return absl::OkStatus();
}

}  // namespace

const char* handshake_kind_name(HandshakeKind kind) {
  switch (kind) {
    case HandshakeKind::kFull:
      return "full";
    case HandshakeKind::kResumed:
      return "resumed";
    case HandshakeKind::kEarly:
      return "early";
    case HandshakeKind::kAll:
      break;
  }
  return "all";
}

bool has_certificates(const Options& o) {
  return !o.certificate.empty() || !o.key.empty() || !o.trust.empty();
}

OptionSet option_set(Options* options) {
  OptionSet set;
  add_place(&set, options);
  add_security(&set, options);
  add_traffic(&set, options);
  add_protocol(&set, options);
  add_control(&set, options);
  return set;
}

absl::Status check_options(const Options& o) {
  if (o.size != 0 && !o.workload.empty()) {
    return absl::InvalidArgumentError("--size and --workload exclude each other: drop one");
  }
  if (!is_log_level(o.log_level)) {
    return absl::InvalidArgumentError(absl::StrCat("--log-level: '", o.log_level,
                                                   "': choose debug, info, warning, error or off"));
  }
  if ((o.arena_mb & (o.arena_mb - 1)) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--arena: ", o.arena_mb, " is no power of two; try 64 or 128"));
  }
  if (o.embedded() && !o.peer.empty()) {
    return absl::InvalidArgumentError(
        "--peer needs a --port to reach it; without one both ends run in this process");
  }
  for (const PortOptions& port : o.ports) {
    if (!port.addresses.empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--port=", port.device, " has no address: add --address=10.0.0.1/24 after it"));
  }
  const size_t ends = o.embedded() ? 2 : 1;
  const uint64_t servers = o.server_lcores == 0 ? o.lcores : o.server_lcores;
  const uint64_t lcores = o.embedded() ? o.lcores + servers : o.lcores;
  if (!o.cpus.empty() && o.cpus.size() != lcores) {
    return absl::InvalidArgumentError(
        absl::StrCat("--cpus names ", o.cpus.size(), " CPUs for ", lcores, " lcores",
                     ends == 2 ? " of both ends" : "", ": name one each, or set --lcores"));
  }
  if (absl::Status status = check_sealing(o); !status.ok()) return status;
  return check_credentials(o);
}

uint64_t connect_timeout_of(const Options& options) {
  if (options.connect_timeout != 0) return options.connect_timeout;
  return options.embedded() ? kEmbeddedTimeout : kConnectTimeout;
}

absl::StatusOr<base::Workload> workload_of(const Options& options) {
  if (!options.workload.empty()) {
    return base::Workload::named(options.workload, static_cast<uint32_t>(options.max_size));
  }
  return base::Workload::fixed(static_cast<uint32_t>(options.size));
}

EngineOptions engine_options(const Options& options, bool accept, std::vector<uint8_t> psk) {
  EngineOptions engine;
  if (options.embedded()) {
    engine.nodes = embedded_nodes(options);
  } else {
    NodeOptions node = base_node(options);
    node.name = options.mode;
    for (const PortOptions& port : options.ports) {
      node.ports.push_back(complete_port(options, port));
    }
    node.accept = accept;
    engine.nodes = {node};
  }
  engine.crypto.algorithms = {options.cipher};
  engine.crypto.backend = options.backend;
  engine.crypto.psk_file = options.psk_file;
  engine.crypto.certificate_file = options.certificate;
  engine.crypto.key_file = options.key;
  engine.crypto.trust = options.trust;
  engine.crypto.allowed_names = options.allowed;
  engine.access.policy_file = options.policy_file;
  engine.access.audit_file = options.audit_file;
  engine.access.audit_max_bytes = options.audit_size;
  if (options.psk_file.empty() && !has_certificates(options) &&
      options.cipher != CryptoAlgorithm::kPlaintext) {
    engine.crypto.psk = std::move(psk);
  }
  engine.limits.arena_bytes = options.arena_mb << 20;
  engine.limits.max_buffered_message = static_cast<uint32_t>(options.max_buffered);
  if (options.peer_timeout != 0) {
    engine.limits.peer_timeout_ns = options.peer_timeout;
  } else if (options.embedded()) {
    engine.limits.peer_timeout_ns = kEmbeddedTimeout;
  }
  engine.idle = options.idle;
  engine.bundling = options.bundling;
  engine.grant_policy = options.policy;
  engine.multipath = options.multipath;
  engine.record_mode = options.record_mode;
  engine.esp = options.esp;
  engine.padding = options.padding;
  engine.shuffle_deliveries = options.shuffle;
  engine.eal.arguments = options.eal;
  engine.eal.memory_mb = static_cast<uint32_t>(options.memory_mb);
  engine.eal.huge_pages = options.huge_pages;
  engine.eal.shared_memory = options.shared_memory;
  engine.eal.cpus = options.cpus;
  engine.log_level = log_level_of(options.log_level);
  return engine;
}

}  // namespace sluice::cli
