// SPDX-License-Identifier: Apache-2.0
//
// How much memory a program with sessions takes that do nothing: both sides of each are in this
// process, which begins them one after another and then says what it has in use. Run with one
// session and with many: the difference is theirs, what the control thread keeps of them included.
//
// usage: session_memory [--sessions=N] [--cert=FILE --key=FILE --trust=FILE[=SUFFIX] --name=NAME]
//   --sessions   to begin (default 1; up to 65536), and to have tables for
//   --cert, ...  certificates on both sides, full handshakes; else a pre-shared key. NAME is in it
// Prints `sessions N`, `resident.bytes N`.
#include <sluice/sluice.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/arguments.h"
#include "bench/resident.h"

namespace {

constexpr uint64_t kMostSessions = 65'536;
constexpr uint64_t kPatienceNs = 10'000'000'000;  // For one handshake.
constexpr char kServer[] = "10.77.0.2";

sluice::NodeOptions end_of_cable(const char* name, const char* address) {
  sluice::NodeOptions node;
  node.name = name;
  node.ports.emplace_back();
  node.ports[0].device = "pair:sessions";
  node.ports[0].addresses = {address};
  return node;
}

sluice::EngineOptions engine_options(const sluice::bench::Arguments& arguments, uint64_t sessions) {
  sluice::EngineOptions options;
  options.nodes = {end_of_cable("client", "10.77.0.1/24"), end_of_cable("server", "10.77.0.2/24")};
  options.nodes[1].accept = true;
  if (arguments.has("cert")) {
    options.crypto.certificate_file = arguments.text("cert");
    options.crypto.key_file = arguments.text("key");
    const std::string trust = arguments.text("trust");  // FILE, or FILE=SUFFIX.
    const size_t equals = trust.find('=');
    options.crypto.trust = {
        {trust.substr(0, equals), equals == std::string::npos ? "" : trust.substr(equals + 1)}};
  } else {
    options.crypto.psk.assign(32, 0x5a);
  }
  options.limits.max_sessions = options.limits.max_lanes = static_cast<uint32_t>(sessions);
  return options;
}

int fail(const absl::Status& status) {
  std::fprintf(stderr, "session_memory: %s\n", status.ToString().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const sluice::bench::Arguments arguments(argc, argv, 1);
  const uint64_t sessions = arguments.number("sessions", 1);
  if (sessions < 1 || sessions > kMostSessions) {
    std::fprintf(stderr, "session_memory: --sessions must be 1 to 65536\n");
    return 2;
  }
  const auto engine = sluice::Engine::create(engine_options(arguments, sessions));
  if (!engine.ok()) return fail(engine.status());
  if (const absl::Status status = (*engine)->start(); !status.ok()) return fail(status);
  for (uint64_t i = 0; i < sessions; ++i) {
    const auto session = (*engine)->connect(0, kServer, kPatienceNs, arguments.text("name"));
    if (!session.ok()) return fail(session.status());
  }
  std::printf("sessions %llu\n", static_cast<unsigned long long>(sessions));
  std::printf("resident.bytes %.0f\n", sluice::bench::resident_bytes());
  return 0;
}
