// SPDX-License-Identifier: Apache-2.0
//
// Early requests in the TLS handshake: who may send them, and what happens to a hello that is heard
// twice.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/byte_order.h"
#include "crypto/tls_handshake.h"
#include "crypto/tls_messages.h"
#include "handshake_support.h"
#include "support.h"
#include "tls_support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::issue_pair;
using test::kTlsSecond;
using test::kTlsToday;
using test::make_tls;
using test::PemPair;
using test::sample_parameters;

constexpr uint64_t kAttempt = 77;
const Buffer kToken = {1, 2, 3};

std::vector<EarlyRequest> requests_of(size_t count, size_t size = 5) {
  std::vector<EarlyRequest> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back({static_cast<uint16_t>(100 + i), Buffer(size, static_cast<uint8_t>('a' + i))});
  }
  return out;
}

// One handshake, message by message.
struct Flights {
  std::unique_ptr<ClientHandshake> client;
  std::unique_ptr<ServerHandshake> server;
  Buffer hello;
  HandshakeOutcome at_server;  // Of the hello,
  HandshakeOutcome at_client;  // of the answer to it,
  HandshakeOutcome finished;   // of the client's flight,
  HandshakeOutcome done;       // and of the server's last message.
};

struct Bench {
  Bench() : ca(issue_pair(nullptr, {})) { rebuild(3600 * kTlsSecond, 3600 * kTlsSecond); }

  void rebuild(uint64_t client_life, uint64_t server_life) {
    client_side = make_tls(issue_pair(&ca, {"client.example"}, kTlsToday + client_life),
                           {{ca.certificate, ""}}, &clock);
    restart_server(server_life);
  }
  // A new process: the same certificate would do no less.
  void restart_server(uint64_t life = 3600 * kTlsSecond) {
    server_side = make_tls(issue_pair(&ca, {"server.example"}, kTlsToday + life),
                           {{ca.certificate, ""}}, &clock);
  }

  Flights start(std::vector<EarlyRequest> early) {
    Flights out;
    ++attempt;
    out.client = client_side->new_client(attempt, sample_parameters(0x10001, 1), "server.example");
    out.client->offer({.early = std::move(early)});
    out.hello = out.client->begin(kToken, 1100).send.at(0).bytes;
    return out;
  }
  std::unique_ptr<ServerHandshake> fresh_server() {
    return server_side->new_server(attempt, sample_parameters(0x20002, 2));
  }
  void answer(Flights* run) {
    run->server = fresh_server();
    run->at_server = run->server->on_hello(kToken, run->hello);
    run->at_client =
        run->client->on_message(HandshakeType::kServerHello, run->at_server.send.at(0).bytes);
  }
  void end(Flights* run) {
    run->finished =
        run->server->on_message(HandshakeType::kClientFinished, run->at_client.send.at(0).bytes);
    run->done = run->client->on_message(HandshakeType::kServerDone, run->finished.send.at(0).bytes);
  }
  Flights complete(std::vector<EarlyRequest> early = {}) {
    Flights out = start(std::move(early));
    answer(&out);
    end(&out);
    EXPECT_EQ(out.finished.step, HandshakeStep::kEstablished);
    EXPECT_EQ(out.done.step, HandshakeStep::kEstablished);
    return out;
  }

  PemPair ca;
  test::SetClock clock;
  uint64_t attempt = kAttempt;
  std::unique_ptr<TlsMechanism> client_side;
  std::unique_ptr<TlsMechanism> server_side;
};

void expect_refused(const Flights& run, EarlyVerdict at_server) {
  EXPECT_EQ(run.at_server.early, at_server);
  EXPECT_FALSE(run.at_server.usable);
  EXPECT_EQ(run.at_client.early, EarlyVerdict::kRefused);
  EXPECT_FALSE(run.at_client.usable);
  EXPECT_EQ(run.client->result().early_taken, 0u);
  EXPECT_TRUE(run.server->result().early.empty());
}

// Verifies MUST-E1, MUST-E4
TEST(TlsEarly, requests_travel_with_the_hello_and_the_session_is_there_before_its_end) {
  Bench bench;
  EXPECT_TRUE(decode_tls_hello(bench.complete(requests_of(2)).hello)->early.empty());
  Flights run = bench.start(requests_of(2));
  bench.answer(&run);
  EXPECT_EQ(run.at_server.step, HandshakeStep::kNeedMore);
  EXPECT_TRUE(run.at_server.usable);
  const HandshakeResult server = run.server->result();
  ASSERT_EQ(server.early.size(), 2u);
  EXPECT_EQ(server.early[1].service, 101u);
  EXPECT_EQ(server.early[1].bytes, Buffer(5, 'b'));
  EXPECT_EQ(server.peer_name, "client.example");
  EXPECT_TRUE(run.at_client.usable);
  const HandshakeResult client = run.client->result();
  EXPECT_EQ(client.early_taken, 2u);
  EXPECT_EQ(client.secrets.secret.bytes, server.secrets.secret.bytes);
  EXPECT_NE(client.secrets.secret.bytes, Secret().bytes);
  bench.end(&run);
  EXPECT_EQ(run.finished.step, HandshakeStep::kEstablished);
  EXPECT_EQ(run.done.step, HandshakeStep::kEstablished);
  EXPECT_EQ(run.server->result().secrets.secret.bytes, client.secrets.secret.bytes);
}

TEST(TlsEarly, each_early_handshake_leaves_a_ticket_for_the_next) {
  Bench bench;
  bench.complete();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(bench.complete(requests_of(1)).at_server.usable) << i;
  }
}

// Verifies MUST-E1
TEST(TlsEarly, nothing_is_sent_early_unless_it_is_offered_and_fits) {
  Bench bench;
  bench.complete();
  EXPECT_TRUE(decode_tls_hello(bench.complete().hello)->early.empty());
  EXPECT_TRUE(decode_tls_hello(
                  bench.complete(requests_of(1, base::limits::kMaxEarlyRequestBytes + 1)).hello)
                  ->early.empty());
  const Flights most = bench.complete(requests_of(base::limits::kMaxEarlyRequests + 1));
  EXPECT_EQ(most.server->result().early.size(), base::limits::kMaxEarlyRequests);
  const Flights longest = bench.complete(requests_of(9, base::limits::kMaxEarlyRequestBytes));
  EXPECT_EQ(longest.server->result().early.size(),
            base::limits::kMaxEarlyBytes / base::limits::kMaxEarlyRequestBytes);
  EXPECT_LE(longest.hello.size(), kMaxHandshakeMessage);
}

// Verifies MUST-E2
TEST(TlsEarly, a_hello_that_is_heard_again_brings_nothing_the_second_time) {
  Bench bench;
  bench.complete();
  Flights run = bench.start(requests_of(1));
  bench.answer(&run);
  ASSERT_TRUE(run.at_server.usable);
  // The very same server answers a repetition by the same bytes, and takes nothing.
  const HandshakeOutcome again = run.server->on_hello(kToken, run.hello);
  EXPECT_FALSE(again.usable);
  EXPECT_EQ(again.send.at(0).bytes, run.at_server.send.at(0).bytes);
  // One that has forgotten the handshake goes on with it, without the requests.
  Flights replay = bench.start({});
  replay.server = bench.server_side->new_server(kAttempt + 2, sample_parameters(0x20003, 2));
  const HandshakeOutcome second = replay.server->on_hello(kToken, run.hello);
  EXPECT_EQ(second.step, HandshakeStep::kNeedMore);
  EXPECT_EQ(second.early, EarlyVerdict::kReplayed);
  EXPECT_FALSE(second.usable);
}

// Verifies MUST-E2
TEST(TlsEarly, a_restarted_server_takes_nothing_by_its_earlier_tickets) {
  Bench bench;
  bench.complete();
  Flights run = bench.start(requests_of(1));
  const Buffer recorded = run.hello;
  bench.restart_server();
  bench.answer(&run);
  bench.end(&run);
  EXPECT_EQ(run.done.step, HandshakeStep::kEstablished);
  expect_refused(run, EarlyVerdict::kRefused);
  EXPECT_FALSE(run.client->result().resumed);
}

// Verifies MUST-E2, MUST-E5
TEST(TlsEarly, a_ticket_of_the_generation_before_resumes_and_brings_nothing) {
  Bench bench;
  bench.server_side->advance(base::seconds(1));
  bench.complete();
  Flights run = bench.start(requests_of(1));
  bench.server_side->advance(base::after(base::seconds(1), base::limits::kStrikeGeneration));
  bench.answer(&run);
  bench.end(&run);
  EXPECT_EQ(run.done.step, HandshakeStep::kEstablished);
  expect_refused(run, EarlyVerdict::kRefused);
  EXPECT_TRUE(run.client->result().resumed);
}

// Verifies MUST-E3
TEST(TlsEarly, a_full_register_refuses_the_requests_and_not_the_session) {
  Bench bench;
  bench.complete();
  Flights run = bench.start(requests_of(1));
  for (size_t i = 0; i < base::limits::kMaxStruckTickets; ++i) {
    uint8_t other[4];
    base::store_be32(other, static_cast<uint32_t>(i));
    ASSERT_EQ(bench.server_side->strikes()->strike(other), Strike::kFresh);
  }
  bench.answer(&run);
  bench.end(&run);
  EXPECT_EQ(run.done.step, HandshakeStep::kEstablished);
  expect_refused(run, EarlyVerdict::kFull);
}

// Verifies MUST-E2
TEST(TlsEarly, bytes_that_another_hello_brought_are_refused) {
  Bench bench;
  bench.complete();
  const Flights first = bench.start(requests_of(1));
  const Buffer early(decode_tls_hello(first.hello)->early.begin(),
                     decode_tls_hello(first.hello)->early.end());
  bench.complete();
  Flights second = bench.start(requests_of(1));
  const auto hello = decode_tls_hello(second.hello);
  ASSERT_FALSE(hello->early.empty());
  second.hello = join_tls_hello(test::primitives(), hello->core, kToken, 1100, early);
  bench.answer(&second);
  EXPECT_EQ(second.at_server.step, HandshakeStep::kNeedMore);
  EXPECT_EQ(second.at_server.early, EarlyVerdict::kRefused);
  EXPECT_FALSE(second.at_server.usable);
}

// Verifies MUST-I10, MUST-E1
TEST(TlsEarly, a_server_whose_certificate_has_ended_is_sent_nothing) {
  Bench bench;
  bench.rebuild(3600 * kTlsSecond, 10 * kTlsSecond);
  bench.complete();
  bench.clock.now = kTlsToday + 11 * kTlsSecond;
  EXPECT_TRUE(decode_tls_hello(bench.start(requests_of(1)).hello)->early.empty());
}

// Verifies MUST-I10
TEST(TlsEarly, a_client_whose_certificate_has_ended_is_heard_neither_early_nor_later) {
  Bench bench;
  bench.rebuild(10 * kTlsSecond, 3600 * kTlsSecond);
  bench.complete();
  bench.clock.now = kTlsToday + 11 * kTlsSecond;
  Flights run = bench.start(requests_of(1));
  bench.answer(&run);
  EXPECT_EQ(run.at_server.early, EarlyVerdict::kRefused);
  EXPECT_FALSE(run.at_server.usable);
  run.finished =
      run.server->on_message(HandshakeType::kClientFinished, run.at_client.send.at(0).bytes);
  EXPECT_EQ(run.finished.step, HandshakeStep::kRefused);
  EXPECT_EQ(run.finished.reason, RefuseReason::kCertificateExpired);
}

struct Judged {
  RefuseReason reason = RefuseReason::kPolicy;
  int asked = 0;
  bool early = true;
  PeerJudge judge() {
    return {
        .judge =
            [](void* context, const HandshakeResult&, bool, std::string*) {
              auto* self = static_cast<Judged*>(context);
              ++self->asked;
              return self->reason;
            },
        .context = this,
        .may_send_early = [](void* context,
                             const std::string&) { return static_cast<Judged*>(context)->early; }};
  }
};

// Verifies MUST-P2, MUST-E4
TEST(TlsEarly, whom_the_policy_refuses_brings_nothing_and_is_asked_about_once) {
  Bench bench;
  Judged judged;
  judged.reason = RefuseReason::kNone;
  bench.server_side->set_judge(judged.judge());
  bench.complete();
  judged.asked = 0;
  bench.complete(requests_of(1));
  EXPECT_EQ(judged.asked, 1);
  judged.reason = RefuseReason::kPolicy;
  Flights run = bench.start(requests_of(1));
  bench.answer(&run);
  EXPECT_EQ(run.at_server.early, EarlyVerdict::kRefused);
  run.finished =
      run.server->on_message(HandshakeType::kClientFinished, run.at_client.send.at(0).bytes);
  EXPECT_EQ(run.finished.reason, RefuseReason::kPolicy);
  EXPECT_EQ(judged.asked, 2);
}

// Verifies MUST-E1
TEST(TlsEarly, a_client_sends_nothing_to_whom_its_own_policy_refuses) {
  Bench bench;
  Judged judged;
  judged.reason = RefuseReason::kNone;
  judged.early = false;
  bench.client_side->set_judge(judged.judge());
  bench.complete();
  EXPECT_TRUE(decode_tls_hello(bench.start(requests_of(1)).hello)->early.empty());
}

}  // namespace
}  // namespace sluice::crypto
