// SPDX-License-Identifier: Apache-2.0
#include "cli/handshake_job.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr uint32_t kMedian = 500'000;
constexpr uint32_t kP99 = 990'000;
constexpr auto kLook = std::chrono::microseconds(50);

double per_second(const HandshakeFigures& figures) {
  return figures.nanos == 0
             ? 0
             : static_cast<double>(figures.begun) * 1e9 / static_cast<double>(figures.nanos);
}

}  // namespace

HandshakeJob::HandshakeJob(Rig* rig, std::vector<HandshakeKind> kinds, uint64_t count,
                           uint32_t size)
    : rig_(rig), count_(count), size_(size) {
  for (const HandshakeKind kind : kinds) {
    figures_.emplace_back();
    figures_.back().kind = kind;
  }
}

HandshakeJob::~HandshakeJob() {
  stop();
  if (thread_.joinable()) thread_.join();
}

absl::Status HandshakeJob::start() {
  thread_ = std::thread([this] { run(); });
  return absl::OkStatus();
}

Progress HandshakeJob::progress() {
  return {"sessions", progress_.load(std::memory_order_relaxed), count_ * figures_.size()};
}

// The time is taken here, since the thread that waits may be late.
void HandshakeJob::on_answer(void* context, CallResult& result) {
  auto* answer = static_cast<Answer*>(context);
  answer->at = answer->engine->now_ns();
  answer->ok = result.code == StatusCode::kOk;
  answer->right = answer->ok && Content::matches(answer->expected, 0, result.response.bytes());
  answer->there.store(true, std::memory_order_release);
}

absl::Status HandshakeJob::run_one(HandshakeFigures* figures, uint64_t number) {
  const Options& options = rig_->options();
  Engine& engine = rig_->engine();
  Answer answer;
  answer.engine = &engine;
  answer.expected = rig_->content().response(number, size_);
  FirstCall call;
  call.options.service = kEchoService;
  call.options.idempotent = figures->kind == HandshakeKind::kEarly;
  call.options.deadline_ns = connect_timeout_of(options);
  call.request = Buffer::borrow(rig_->content().request(number, size_), size_);
  call.done = &on_answer;
  call.context = &answer;
  ConnectOptions connect;
  connect.timeout_ns = connect_timeout_of(options);
  connect.peer_name = options.peer_name;
  connect.resume = figures->kind != HandshakeKind::kFull;
  connect.calls = {&call, 1};
  const uint64_t begun = engine.now_ns();
  auto session =
      engine.connect(kClientNode, options.embedded() ? kEmbeddedPeer : options.peer, connect);
  ++figures->begun;
  // What was not taken over, because the engine is closing, is never completed.
  while (!call.request && !answer.there.load(std::memory_order_acquire)) {
    if (stop_.load(std::memory_order_relaxed) && !session.ok()) break;
    std::this_thread::sleep_for(kLook);
  }
  if (session.ok()) engine.disconnect(*session).IgnoreError();
  if (!answer.ok) {
    ++figures->failed;
    return session.ok() ? absl::UnavailableError("an RPC of a new session was not answered")
                        : session.status();
  }
  if (!answer.right) ++figures->corrupt;
  figures->first_answer.record(answer.at - begun);
  return absl::OkStatus();
}

void HandshakeJob::run() {
  uint64_t number = 0;
  for (HandshakeFigures& figures : figures_) {
    const StatsSnapshot before = rig_->engine().stats();
    const uint64_t begun = rig_->engine().now_ns();
    for (uint64_t i = 0; i < count_ && failure_.ok(); ++i) {
      if (stop_.load(std::memory_order_relaxed)) break;
      failure_ = run_one(&figures, number++);
      progress_.fetch_add(1, std::memory_order_relaxed);
    }
    figures.nanos = rig_->engine().now_ns() - begun;
    figures.counted = rig_->engine().stats().since(before);
  }
  ended_.store(true, std::memory_order_release);
}

void HandshakeJob::add(const HandshakeFigures& figures, JsonReport* json) const {
  const Labels labels = {{"kind", handshake_kind_name(figures.kind)}};
  json->add("handshake.sessions", figures.begun, "sessions", labels);
  json->add("handshake.failed", figures.failed, "sessions", labels);
  json->add("rpc.corrupt", figures.corrupt, "RPCs", labels);
  json->add("handshake.first_answer.p50", figures.first_answer.quantile_ppm(kMedian), "ns", labels);
  json->add("handshake.first_answer.p99", figures.first_answer.quantile_ppm(kP99), "ns", labels);
  json->add_real("handshake.rate", per_second(figures), "sessions/s", labels);
  for (const char* name :
       {"handshake.sent", "handshake.received", "handshake.resumed", "handshake.retries_received",
        "handshake.early.taken", "handshake.early.refused", "handshake.early.replayed"}) {
    json->add(name, figures.counted.value(name), "count", labels);
  }
}

absl::Status HandshakeJob::finish(JsonReport* json, std::string* text) {
  thread_.join();
  Table table(
      {"handshake", "sessions", "resumed", "early", "first answer p50", "p99", "sessions/s"});
  for (const HandshakeFigures& figures : figures_) {
    add(figures, json);
    table.row({handshake_kind_name(figures.kind), count_text(figures.begun),
               count_text(figures.counted.value("handshake.resumed")),
               count_text(figures.counted.value("handshake.early.taken")),
               nanos_text(figures.first_answer.quantile_ppm(kMedian)),
               nanos_text(figures.first_answer.quantile_ppm(kP99)),
               absl::StrFormat("%.0f", per_second(figures))});
    if (figures.corrupt != 0 && failure_.ok()) {
      failure_ = absl::DataLossError("answers arrived corrupt");
    }
  }
  absl::StrAppend(text, "one session after another, each with one RPC of ", bytes_text(size_), "\n",
                  table.text());
  return failure_;
}

}  // namespace sluice::cli
