// SPDX-License-Identifier: Apache-2.0
//
// Calls that begin with their session, through two nodes of a real engine with certificates.
#include "api/first_calls.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../engine/engine_tls.h"
#include "test_engine.h"

namespace sluice::internal {
namespace {

using crypto::test::PemPair;
using testing_support::kClient;
using testing_support::kPatience;
using testing_support::kServer;

// Certificates as files, since the public options name files.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-first-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    ca_ = engine::issue_now(nullptr, {});
    write("ca.pem", ca_.certificate);
    for (const char* each : {"client.example", "server.example"}) {
      const PemPair pair = engine::issue_now(&ca_, {"client.example", "server.example"});
      write(std::string(each) + ".pem", pair.certificate);
      write(std::string(each) + ".key", pair.key);
    }
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    std::filesystem::permissions(
        file(name), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }

 private:
  std::string path_;
  PemPair ca_;
};

class Counting final : public testing_support::Echo {
 public:
  void on_request(Request& request) override {
    requests.fetch_add(1);
    Echo::on_request(request);
  }
  std::atomic<uint32_t> requests{0};
};

struct Completion {
  std::atomic<bool> there{false};
  StatusCode code = StatusCode::kOk;
  bool may_have_executed = false;
  std::vector<uint8_t> response;

  static void done(void* context, CallResult& result) {
    auto* self = static_cast<Completion*>(context);
    self->code = result.code;
    self->may_have_executed = result.may_have_executed;
    self->response.assign(result.response.bytes().begin(), result.response.bytes().end());
    self->there.store(true, std::memory_order_release);
  }
  void wait() const {
    for (int i = 0; i < 60'000 && !there.load(std::memory_order_acquire); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(there.load());
  }
};

FirstCall call_of(const std::vector<uint8_t>& bytes, Completion* completion, bool idempotent) {
  FirstCall out;
  out.options.service = 3;
  out.options.idempotent = idempotent;
  out.request = Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size()));
  out.done = &Completion::done;
  out.context = completion;
  return out;
}

struct Bench {
  explicit Bench(const std::string& policy = {}) {
    EngineOptions options = testing_support::two_nodes(&server);
    options.crypto.psk.clear();
    options.crypto.certificate_file = folder.file("server.example.pem");
    options.crypto.key_file = folder.file("server.example.key");
    options.crypto.trust = {{folder.file("ca.pem"), ""}};
    if (!policy.empty()) {
      folder.write("policy", policy);
      options.access.policy_file = folder.file("policy");
    }
    auto made = Engine::create(options);
    EXPECT_TRUE(made.ok()) << made.status();
    if (!made.ok()) return;
    engine = *std::move(made);
    EXPECT_EQ(engine->start(), absl::OkStatus());
  }

  absl::StatusOr<Session> connect(std::span<FirstCall> calls = {}, bool resume = true,
                                  const std::string& name = "server.example") {
    return engine->connect(
        kClient, "10.9.0.2",
        {.timeout_ns = kPatience, .peer_name = name, .resume = resume, .calls = calls});
  }
  uint64_t count(uint32_t node, const char* name) { return engine->stats(node).value(name); }

  Folder folder;
  Counting server;
  std::unique_ptr<Engine> engine;
};

const std::vector<uint8_t> kBytes = {1, 2, 3, 4};

// Verifies MUST-E1, MUST-E5
TEST(FirstCalls, without_a_ticket_they_are_ordinary_calls) {
  Bench bench;
  Completion completion;
  FirstCall calls[] = {call_of(kBytes, &completion, true)};
  const auto session = bench.connect(calls);
  ASSERT_TRUE(session.ok()) << session.status();
  completion.wait();
  EXPECT_EQ(completion.code, StatusCode::kOk);
  EXPECT_EQ(completion.response, kBytes);
  EXPECT_EQ(bench.server.requests, 1u);
  EXPECT_EQ(bench.count(kServer, "handshake.early.taken"), 0u);
}

// Verifies MUST-E1, MUST-E7
TEST(FirstCalls, idempotent_ones_are_taken_early_and_the_others_never) {
  Bench bench;
  ASSERT_TRUE(bench.connect().ok());
  std::vector<Completion> completions(4);
  std::vector<std::vector<uint8_t>> bytes(4);
  std::vector<FirstCall> calls;
  for (uint8_t i = 0; i < 4; ++i) {
    bytes[i] = {i, 7};
    calls.push_back(call_of(bytes[i], &completions[i], i % 2 == 1));
  }
  const auto session = bench.connect(calls);
  ASSERT_TRUE(session.ok()) << session.status();
  for (uint8_t i = 0; i < 4; ++i) {
    completions[i].wait();
    EXPECT_EQ(completions[i].code, StatusCode::kOk);
    EXPECT_EQ(completions[i].response, bytes[i]);
  }
  EXPECT_EQ(bench.server.requests, 4u);
  EXPECT_EQ(bench.count(kServer, "handshake.early.taken"), 1u);
  EXPECT_EQ(bench.count(kClient, "handshake.early.taken"), 1u);
  // Later calls go on behind them.
  Completion later;
  FirstCall again[] = {call_of(kBytes, &later, false)};
  ASSERT_TRUE(bench.connect(again).ok());
  later.wait();
  EXPECT_EQ(bench.count(kServer, "handshake.early.taken"), 1u);
  EXPECT_EQ(bench.count(kServer, "handshake.resumed"), 2u);
}

// Verifies MUST-P3
TEST(FirstCalls, what_a_peer_may_not_call_it_may_not_call_early) {
  Bench bench("allow * connect use rpc\nallow * call 4\n");
  ASSERT_TRUE(bench.connect().ok());
  Completion completion;
  FirstCall calls[] = {call_of(kBytes, &completion, true)};
  ASSERT_TRUE(bench.connect(calls).ok());
  completion.wait();
  EXPECT_EQ(completion.code, StatusCode::kPermissionDenied);
  EXPECT_FALSE(completion.may_have_executed);
  EXPECT_EQ(bench.server.requests, 0u);
  EXPECT_EQ(bench.count(kServer, "handshake.early.taken"), 1u);
}

TEST(FirstCalls, a_session_without_its_ticket_takes_nothing_early) {
  Bench bench;
  ASSERT_TRUE(bench.connect().ok());
  Completion completion;
  FirstCall calls[] = {call_of(kBytes, &completion, true)};
  ASSERT_TRUE(bench.connect(calls, false).ok());
  completion.wait();
  EXPECT_EQ(completion.code, StatusCode::kOk);
  EXPECT_EQ(bench.count(kServer, "handshake.resumed"), 0u);
  EXPECT_EQ(bench.count(kServer, "handshake.early.taken"), 0u);
}

TEST(FirstCalls, each_completes_also_when_there_is_no_session) {
  Bench bench;
  Completion completion;
  FirstCall calls[] = {call_of(kBytes, &completion, false)};
  EXPECT_FALSE(bench.connect(calls, true, "other.example").ok());
  completion.wait();
  EXPECT_EQ(completion.code, StatusCode::kUnavailable);
  EXPECT_FALSE(completion.may_have_executed);
}

TEST(FirstCalls, one_that_cannot_be_begun_is_refused_and_stays) {
  Bench bench;
  Completion completion;
  FirstCall none = call_of(kBytes, &completion, true);
  none.done = nullptr;
  FirstCall calls[] = {std::move(none)};
  EXPECT_EQ(bench.connect(calls).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(static_cast<bool>(calls[0].request));
  FirstCall empty[] = {call_of({}, &completion, true)};
  EXPECT_EQ(FirstCallsCore::check(empty), StatusCode::kInvalidArgument);
  FirstCall refusing[] = {call_of(kBytes, &completion, true)};
  refusing[0].options.landing = Landing::refuse();
  EXPECT_EQ(FirstCallsCore::check(refusing), StatusCode::kInvalidArgument);
}

// Verifies MUST-E1
TEST(FirstCalls, only_what_is_marked_and_small_is_offered) {
  Completion completion;
  const std::vector<uint8_t> large(base::limits::kMaxEarlyRequestBytes + 1, 1);
  FirstCall calls[] = {call_of(kBytes, &completion, false), call_of(large, &completion, true),
                       call_of(kBytes, &completion, true)};
  const FirstCallsCore first(nullptr, calls);
  ASSERT_EQ(first.early().size(), 1u);
  EXPECT_EQ(first.early()[0].service, 3);
  EXPECT_EQ(first.early()[0].bytes, kBytes);
}

}  // namespace
}  // namespace sluice::internal
