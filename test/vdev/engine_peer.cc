// SPDX-License-Identifier: Apache-2.0
//
// One process of the tests on virtual devices: an echo server or a calling client on one port.
// Says on stdout, a line each: "ready", "up", "flowing" (calls have been answered), "down CODE",
// "refused", "result ...", and at the end every counter as "counter NAME VALUE". SIGTERM ends it
// gracefully.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../unit/engine/test_application.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "engine/engine.h"

namespace sluice::engine {
namespace {

constexpr uint64_t kFlow = 100;  // Calls answered, after which traffic is said to flow.

struct Options {
  bool serve = false;
  std::string device;
  std::string addresses;
  std::string peer;
  std::string capture;
  std::string eal;
  uint32_t psk = 7;
  uint32_t lcores = 1;
  uint32_t mtu = 0;
  uint32_t size = 64;
  uint32_t count = 1000;
  uint32_t outstanding = 8;
  uint32_t loss = 0;
  uint32_t vlan = 0;
  uint32_t native = 0;
  uint32_t linger = 0;  // After the calls, until SIGTERM.
  uint32_t frames = 0;  // A server says "received" after so many.
  // Far beyond what is needed, since a busy machine may let either side wait for its CPU.
  uint32_t connect_ms = 60'000;
  uint32_t call_ms = 60'000;
  uint32_t peer_ms = 30'000;  // Silence after which the peer is given up.
};

class SayingListener final : public SessionListener {
 public:
  void on_session_up(size_t, const SessionInfo&) override { say("up"); }
  void on_session_down(size_t, const SessionInfo&, base::Code code, const std::string&) override {
    say(std::string("down ") + base::code_name(code));
  }
  void on_peer_refused(size_t, const transport::PeerAddress&, const std::string& why) override {
    say("refused " + why);
  }
  static void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
};

std::atomic<bool> g_stop{false};

bool set_option(Options* options, const std::string& key, const std::string& value) {
  const struct {
    const char* name;
    std::string* place;
  } texts[] = {{"device", &options->device},
               {"address", &options->addresses},
               {"peer", &options->peer},
               {"capture", &options->capture},
               {"eal", &options->eal}};
  for (const auto& each : texts) {
    if (key == each.name) {
      *each.place = value;
      return true;
    }
  }
  const struct {
    const char* name;
    uint32_t* place;
  } numbers[] = {{"psk", &options->psk},         {"lcores", &options->lcores},
                 {"mtu", &options->mtu},         {"size", &options->size},
                 {"count", &options->count},     {"outstanding", &options->outstanding},
                 {"loss", &options->loss},       {"vlan", &options->vlan},
                 {"native", &options->native},   {"connect-ms", &options->connect_ms},
                 {"call-ms", &options->call_ms}, {"peer-ms", &options->peer_ms},
                 {"linger", &options->linger},   {"frames", &options->frames}};
  for (const auto& each : numbers) {
    if (key == each.name) return absl::SimpleAtoi(value, each.place);
  }
  return false;
}

bool read_options(int argc, char** argv, Options* options) {
  if (argc < 2) return false;
  options->serve = std::string(argv[1]) == "serve";
  for (int i = 2; i < argc; ++i) {
    const std::string text = argv[i];
    const size_t equals = text.find('=');
    if (equals == std::string::npos ||
        !set_option(options, text.substr(0, equals), text.substr(equals + 1))) {
      std::fprintf(stderr, "bad argument %s\n", argv[i]);
      return false;
    }
  }
  return true;
}

EngineConfig make_config(const Options& options, SessionListener* listener) {
  NodeConfig node;
  node.name = options.serve ? "server" : "client";
  node.accept = options.serve;
  node.lcores = static_cast<uint8_t>(options.lcores);
  node.listener = listener;
  node.psks = {crypto::Psk(std::vector<uint8_t>(32, static_cast<uint8_t>(options.psk)))};
  node.endpoint.arena_bytes = 16u << 20;
  node.endpoint.max_exchanges = 2048;
  node.endpoint.peer_timeout = base::millis(options.peer_ms);
  if (options.native != 0) node.encapsulation = wire::Encapsulation::kNative;
  PortConfig port;
  port.device = options.device;
  port.mtu = options.mtu;
  port.capture_file = options.capture;
  port.descriptors = 512;
  port.tx_faults.loss_ppm = options.loss;
  if (options.vlan != 0) port.vlan = static_cast<uint16_t>(options.vlan);
  for (const std::string& text : std::vector<std::string>(absl::StrSplit(options.addresses, ';'))) {
    if (const auto prefix = parse_ip_prefix(text)) port.addresses.push_back(*prefix);
  }
  node.ports = {port};
  EngineConfig config;
  config.eal.huge_pages = HugePages::kNo;
  config.eal.arguments = absl::StrSplit(options.eal, ' ', absl::SkipEmpty());
  config.nodes = {node};
  return config;
}

void say_counters(const Engine& engine) {
  const auto print = [](const char* name, const char*, uint64_t value) {
    std::printf("counter %s %llu\n", name, static_cast<unsigned long long>(value));
  };
  for (const LcoreSnapshot& lcore : engine.lcores()) {
    for_each_counter(*lcore.lcore_stats, print);
    for_each_counter(*lcore.endpoint_stats, print);
  }
  for (const NodeSnapshot& node : engine.nodes()) {
    for_each_counter(*node.control_stats, print);
    for_each_counter(*node.connector_stats, print);
  }
  for (const PortReport& port : engine.report().ports) {
    for (const ReportLine& line : port.features) {
      std::printf("feature %s: %s (%s)\n", line.what.c_str(), line.choice.c_str(),
                  line.why.c_str());
    }
  }
  std::printf("startup_ms %llu\n",
              static_cast<unsigned long long>(engine.report().startup_ns / 1'000'000));
  std::fflush(stdout);
}

void sleep_ms(uint32_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Connects and waits for the calls; false when the connect failed.
bool call(Engine* engine, const Options& options, CallApplication* client) {
  const auto address = wire::parse_ip_address(options.peer);
  if (!address) return false;
  const auto session =
      engine->connect_and_wait(0, {*address, kDefaultBasePort}, base::millis(options.connect_ms));
  if (!session.ok()) {
    std::printf("connect failed: %s\n", session.status().ToString().c_str());
    return false;
  }
  bool flowing = false;
  while (!client->done() && client->lanes_down == 0 && !g_stop) {
    if (client->completed >= kFlow && !std::exchange(flowing, true)) SayingListener::say("flowing");
    sleep_ms(1);
  }
  std::printf("result completed=%llu failed=%llu corrupt=%llu last=%s\n",
              static_cast<unsigned long long>(client->completed.load()),
              static_cast<unsigned long long>(client->failed.load()),
              static_cast<unsigned long long>(client->corrupt.load()),
              base::code_name(client->last_code));
  std::fflush(stdout);
  while (options.linger != 0 && !g_stop) sleep_ms(1);
  return true;
}

void serve(const Engine& engine, const Options& options) {
  bool said = options.frames == 0;
  while (!g_stop) {
    uint64_t received = 0;
    for (const LcoreSnapshot& lcore : engine.lcores()) {
      received += lcore.lcore_stats->rx_frames.value();
    }
    if (received >= options.frames && !std::exchange(said, true)) SayingListener::say("received");
    sleep_ms(1);
  }
}

int run(const Options& options) {
  SayingListener listener;
  std::vector<std::unique_ptr<EchoApplication>> servers;
  CallApplication client(options.size, options.count, options.outstanding);
  client.timeout = base::millis(options.call_ms);
  EngineConfig config = make_config(options, &listener);
  for (uint32_t i = 0; i < options.lcores; ++i) {
    servers.push_back(std::make_unique<EchoApplication>());
    config.nodes[0].applications.push_back(options.serve ? servers.back().get() : nullptr);
  }
  if (!options.serve) config.nodes[0].applications[0] = &client;
  auto engine = Engine::create(std::move(config));
  absl::Status status = engine.ok() ? (*engine)->start() : engine.status();
  if (!status.ok()) {
    std::printf("error %s\n", std::string(status.message()).c_str());
    return 1;
  }
  SayingListener::say("ready");
  bool ok = true;
  if (options.serve) {
    serve(**engine, options);
  } else {
    ok = call(engine->get(), options, &client);
  }
  status = (*engine)->stop(base::seconds(1));
  SayingListener::say("stopped " + status.ToString());
  say_counters(**engine);
  return ok ? 0 : 2;
}

}  // namespace
}  // namespace sluice::engine

int main(int argc, char** argv) {
  sluice::engine::Options options;
  if (!sluice::engine::read_options(argc, argv, &options)) return 64;
  signal(SIGTERM, [](int) { sluice::engine::g_stop = true; });
  return sluice::engine::run(options);
}
