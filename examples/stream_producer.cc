// SPDX-License-Identifier: Apache-2.0
//
// Sends a file to stream_consumer as one message, and checks what the consumer says of it.
//   stream_producer DEVICE ADDRESS KEY_FILE PEER FILE
//   stream_producer net_memif0,role=client,socket=/tmp/hello.sock 10.0.0.2/24 hello.key 10.0.0.1 f
#include <sluice/sluice.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "example_options.h"
#include "upload.h"

namespace {

// The consumer's receipt for `bytes`, or false with a word on standard error.
bool upload(sluice::Engine& engine, sluice::Session session, const std::vector<uint8_t>& bytes,
            Receipt* receipt) {
  const auto client = sluice::ThreadClient::create(engine, {});
  if (!client.ok()) {
    fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return false;
  }
  sluice::CallOptions options;
  options.service = kUpload;
  // The bytes are sealed from where they lie; they stay ours, and must stay, until the answer.
  const sluice::CallResult result = (*client)->call_and_wait(
      session, options, sluice::Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size())));
  if (result.code != sluice::StatusCode::kOk || result.response.length() != sizeof(*receipt)) {
    fprintf(stderr, "the upload failed: %s\n", sluice::status_code_name(result.code));
    return false;
  }
  std::memcpy(receipt, result.response.data(), sizeof(*receipt));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s DEVICE ADDRESS KEY_FILE PEER FILE\n", argv[0]);
    return 2;
  }
  std::ifstream file(argv[5], std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty()) {
    fprintf(stderr, "%s is empty or cannot be read\n", argv[5]);
    return 1;
  }
  const auto engine = example_engine(example_options(argv));
  if (engine == nullptr) return 1;
  if (const absl::Status status = engine->start(); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  const auto session = engine->connect(0, argv[4], 5'000'000'000);
  if (!session.ok()) {
    fprintf(stderr, "%s\n", session.status().ToString().c_str());
    return 1;
  }
  Receipt sent;
  sent.add(bytes);
  Receipt receipt;
  if (!upload(*engine, *session, bytes, &receipt)) return 1;
  printf("%llu bytes arrived, %s\n", static_cast<unsigned long long>(receipt.length),
         receipt == sent ? "all right" : "but NOT those that were sent");
  return receipt == sent ? 0 : 1;
}
