// SPDX-License-Identifier: Apache-2.0
//
// Consumes messages of any length as they arrive, through a window of 1 MiB, and answers each with
// its length and a checksum: memory does not grow with the message. stream_producer sends them.
//   stream_consumer DEVICE ADDRESS KEY_FILE
//   stream_consumer net_memif0,role=server,socket=/tmp/hello.sock 10.0.0.1/24 hello.key
#include <sluice/sluice.h>

#include <cstdio>

#include "example_options.h"
#include "upload.h"

namespace {

constexpr uint32_t kWindow = 1 << 20;  // Bytes that may wait unconsumed, per message.
constexpr int kMaxUploads = 64;        // Messages at a time; more are refused.

struct Upload {
  bool used = false;
  Receipt receipt;
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
    upload->receipt.add(chunk.bytes());
    if (!chunk.last()) return;
    if (chunk.request() != nullptr) {
      chunk.request()->respond(&upload->receipt, sizeof(upload->receipt));
    }
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
