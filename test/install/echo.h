// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_INSTALL_ECHO_H_
#define SLUICE_TEST_INSTALL_ECHO_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "sluice/sluice.h"

// What a stranger would write first: two nodes of one process, joined by a cable, and a service
// that sends every request back.
class Echo : public sluice::Handler {
 public:
  ~Echo() override {
    client_.reset();
    if (engine_ != nullptr) (void)engine_->close();
  }

  // Of an engine with both nodes, whose requests go to `handler`.
  static sluice::EngineOptions options(sluice::Handler* handler) {
    sluice::EngineOptions options;
    options.crypto.psk.assign(32, 0x5a);
    options.eal.huge_pages = sluice::HugePages::kNo;
    options.eal.telemetry = false;
    options.limits.arena_bytes = 16u << 20;
    for (const char* address : {"10.0.0.1/24", "10.0.0.2/24"}) {
      sluice::NodeOptions node;
      node.ports.emplace_back();
      node.ports.back().device = "pair:cable";
      node.ports.back().addresses.emplace_back(address);
      node.accept = options.nodes.size() == 1;
      node.handler = handler;
      options.nodes.push_back(std::move(node));
    }
    return options;
  }

  // Brings both nodes and one session up; false, with the reason on standard output, when it fails.
  bool start() {
    auto engine = sluice::Engine::create(options(this));
    if (!engine.ok()) return say(engine.status());
    engine_ = *std::move(engine);
    if (absl::Status status = engine_->start(); !status.ok()) return say(status);
    auto session = engine_->connect(0, "10.0.0.2");
    if (!session.ok()) return say(session.status());
    session_ = *session;
    auto client = sluice::ThreadClient::create(*engine_, {});
    if (!client.ok()) return say(client.status());
    client_ = *std::move(client);
    return true;
  }

  // One call of `length` bytes; true when the same bytes came back.
  bool round_trip(uint32_t length) {
    std::vector<uint8_t> request(length);
    std::iota(request.begin(), request.end(), static_cast<uint8_t>(length));
    sluice::CallOptions options;
    options.deadline_ns = 10'000'000'000;
    sluice::CallResult result =
        client_->call_and_wait(session_, options, sluice::Buffer::borrow(request.data(), length));
    if (result.code != sluice::StatusCode::kOk) {
      std::printf("call of %u bytes: %s\n", length, sluice::status_code_name(result.code));
      return false;
    }
    const auto bytes = result.response.bytes();
    return std::vector<uint8_t>(bytes.begin(), bytes.end()) == request;
  }

  void on_request(sluice::Request& request) override {
    (void)request.respond(request.data(), request.length());
  }

 private:
  static bool say(const absl::Status& status) {
    std::printf("%s\n", status.ToString().c_str());
    return false;
  }

  std::unique_ptr<sluice::Engine> engine_;
  std::unique_ptr<sluice::ThreadClient> client_;
  sluice::Session session_;
};

#endif  // SLUICE_TEST_INSTALL_ECHO_H_
