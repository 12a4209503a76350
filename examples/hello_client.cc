// SPDX-License-Identifier: Apache-2.0
//
// Calls hello_server and prints its greeting.
//   hello_client DEVICE ADDRESS KEY_FILE PEER [NAME]
//   hello_client net_memif0,role=client,socket=/tmp/hello.sock 10.0.0.2/24 hello.key 10.0.0.1
#include <sluice/sluice.h>

#include <cstdio>
#include <string>

#include "example_options.h"

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: %s DEVICE ADDRESS KEY_FILE PEER [NAME]\n", argv[0]);
    return 2;
  }
  const auto engine = example_engine(example_options(argv));
  if (engine == nullptr) return 1;
  if (const absl::Status status = engine->start(); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  // A handshake: the peer proves that it holds the same key.
  const auto session = engine->connect(0, argv[4], 5'000'000'000);
  if (!session.ok()) {
    fprintf(stderr, "%s\n", session.status().ToString().c_str());
    return 1;
  }
  // This thread is an ordinary one, so it calls through a ThreadClient and sleeps meanwhile.
  const auto client = sluice::ThreadClient::create(*engine, {});
  if (!client.ok()) {
    fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 1;
  }
  const std::string name = argc > 5 ? argv[5] : "world";
  sluice::CallOptions options;
  options.deadline_ns = 1'000'000'000;
  const sluice::CallResult result = (*client)->call_and_wait(
      *session, options, sluice::Buffer::borrow(name.data(), static_cast<uint32_t>(name.size())));
  if (result.code != sluice::StatusCode::kOk) {
    fprintf(stderr, "the call failed: %s\n", sluice::status_code_name(result.code));
    return 1;
  }
  printf("%.*s\n", static_cast<int>(result.response.length()),
         reinterpret_cast<const char*>(result.response.data()));
  return 0;
}
