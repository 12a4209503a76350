// SPDX-License-Identifier: Apache-2.0
//
// Consumes messages of any length as they arrive, through a window of 1 MiB, and answers each with
// its length and a checksum: memory does not grow with the message.
//   stream_consumer DEVICE ADDRESS KEY_FILE
#include <sluice/sluice.h>

#include <cstdio>

#include "example_options.h"

namespace {

constexpr uint16_t kUpload = 1;        // The service whose messages are streamed.
constexpr uint32_t kWindow = 1 << 20;  // Bytes that may wait unconsumed, per message.
constexpr int kMaxUploads = 64;        // Messages at a time; more are refused.

struct Upload {
  bool used = false;
  uint64_t length = 0;
  uint64_t checksum = 14695981039346656037u;  // FNV-1a.
};

class Consumer : public sluice::Handler {
 public:
  // Bytes in order, each already authenticated. On return they are consumed, and the sender may
  // send as many more.
  void on_stream(sluice::StreamChunk& chunk) override {
    auto* upload = static_cast<Upload*>(chunk.context());
    if (upload == nullptr) upload = begin();
    if (upload == nullptr) return chunk.refuse(sluice::StatusCode::kResourceExhausted);
    chunk.set_context(upload);
    for (const uint8_t byte : chunk.bytes()) {
      upload->checksum = (upload->checksum ^ byte) * 1099511628211u;
    }
    upload->length += chunk.length();
    if (!chunk.last()) return;
    const uint64_t answer[2] = {upload->length, upload->checksum};
    if (chunk.request() != nullptr) chunk.request()->respond(answer, sizeof(answer));
    *upload = Upload();
  }

  // The sender gave up or is gone.
  void on_lost(sluice::Endpoint&, uint16_t, void* context, sluice::StatusCode) override {
    if (context != nullptr) *static_cast<Upload*>(context) = Upload();
  }

 private:
  Upload* begin() {
    for (Upload& upload : uploads_) {
      if (upload.used) continue;
      upload.used = true;
      return &upload;
    }
    return nullptr;
  }

  Upload uploads_[kMaxUploads];
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s DEVICE ADDRESS KEY_FILE\n", argv[0]);
    return 2;
  }
  const sigset_t end = block_end_signals();
  Consumer consumer;
  sluice::EngineOptions options = example_options(argv);
  options.nodes[0].accept = true;
  options.nodes[0].handler = &consumer;
  const auto engine = example_engine(options);
  if (engine == nullptr) return 1;
  engine->endpoint(0)->stream_landing(kUpload, kWindow);
  if (const absl::Status status = engine->start(); !status.ok()) {
    fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  printf("serving on %s\n", argv[2]);
  fflush(stdout);
  wait_for_end(end);
  engine->drain(1'000'000'000).IgnoreError();
  return engine->close().ok() ? 0 : 1;
}
