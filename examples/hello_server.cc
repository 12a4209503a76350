// SPDX-License-Identifier: Apache-2.0
//
// Answers every request with a greeting.
//   hello_server DEVICE ADDRESS KEY_FILE
//   hello_server net_memif0,role=server,socket=/tmp/hello.sock 10.0.0.1/24 hello.key
#include <sluice/sluice.h>

#include <cstdio>
#include <string_view>

#include "example_options.h"

namespace {

// Runs on the lcore: it answers at once, from its stack, and never blocks.
class Greeter : public sluice::Handler {
 public:
  void on_request(sluice::Request& request) override {
    const std::string_view name(reinterpret_cast<const char*>(request.data()), request.length());
    char greeting[128];
    const int length = snprintf(greeting, sizeof(greeting), "Hello, %.*s!",
                                static_cast<int>(name.size() < 80 ? name.size() : 80), name.data());
    request.respond(greeting, static_cast<uint32_t>(length));
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s DEVICE ADDRESS KEY_FILE\n", argv[0]);
    return 2;
  }
  const sigset_t end = block_end_signals();
  Greeter greeter;
  sluice::EngineOptions options = example_options(argv);
  options.nodes[0].accept = true;
  options.nodes[0].handler = &greeter;
  const auto engine = example_engine(options);
  if (engine == nullptr) return 1;
  if (const absl::Status status = engine->start(); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  printf("serving on %s\n", argv[2]);
  fflush(stdout);
  wait_for_end(end);
  // What is in flight finishes; new requests are refused.
  engine->drain(1'000'000'000).IgnoreError();
  printf("%llu requests answered\n",
         static_cast<unsigned long long>(engine->stats().value("requests.delivered")));
  return engine->close().ok() ? 0 : 1;
}
