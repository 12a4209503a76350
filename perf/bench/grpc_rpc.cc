// SPDX-License-Identifier: Apache-2.0
//
// RPCs by gRPC over TCP, without TLS: its asynchronous interface, one thread on each side beside
// those that gRPC starts itself, and messages that are bytes without an encoding.
// usage: grpc_rpc serve
//        grpc_rpc call --port=N [--size=BYTES] [--answer=BYTES] [--outstanding=N] [--seconds=S]
// The server prints its port and runs until it is ended.
#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "latencies.h"
#include "pattern.h"

namespace {

using sluice::bench::Arguments;
using sluice::bench::kPattern;
using sluice::bench::Latencies;
using sluice::bench::now_ns;

constexpr double kWarmupShare = 0.1;
constexpr uint32_t kSinkAnswer = 8;
constexpr char kEcho[] = "/bench/echo";
constexpr char kSink[] = "/bench/sink";

// A message that refers to the pattern and copies nothing of it.
grpc::ByteBuffer message(size_t length) {
  std::vector<grpc::Slice> slices;
  for (size_t offset = 0; offset < length; offset += kPattern) {
    slices.emplace_back(sluice::bench::pattern().data(), std::min(kPattern, length - offset),
                        grpc::Slice::STATIC_SLICE);
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

void check(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return;
  size_t offset = 0;
  for (const grpc::Slice& slice : slices) {
    sluice::bench::check_bytes(slice.begin(), slice.size(), offset);
    offset += slice.size();
  }
}

// One RPC at the server, from being asked for to its end; the queue's tag.
class Served {
 public:
  Served(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), stream_(&context_) {
    service_->RequestCall(&context_, &stream_, queue_, queue_, this);
  }

  // What the queue has brought; ends itself with the RPC.
  void proceed(bool ok) {
    if (state_ == State::kWaiting && ok) {
      new Served(service_, queue_);
      state_ = State::kReading;
      stream_.Read(&request_, this);
      return;
    }
    if (state_ == State::kReading && ok) {
      check(request_);
      state_ = State::kAnswering;
      const size_t length = context_.method() == kSink ? kSinkAnswer : request_.Length();
      stream_.WriteAndFinish(message(length), grpc::WriteOptions(), grpc::Status::OK, this);
      return;
    }
    delete this;
  }

 private:
  enum class State { kWaiting, kReading, kAnswering };
  grpc::AsyncGenericService* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer request_;
  State state_ = State::kWaiting;
};

int serve() {
  int port = 0;
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterAsyncGenericService(&service);
  builder.SetMaxReceiveMessageSize(-1);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::fprintf(stderr, "grpc_rpc: cannot listen on the loopback interface\n");
    return 1;
  }
  std::printf("port %d\n", port);
  std::fflush(stdout);
  new Served(&service, queue.get());
  void* tag = nullptr;
  for (bool ok = false; queue->Next(&tag, &ok);) static_cast<Served*>(tag)->proceed(ok);
  return 0;
}

// One place for an RPC on its way, used again and again.
struct Slot {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer response;
  grpc::Status status;
  uint64_t sent_at = 0;
};

class Caller {
 public:
  explicit Caller(const Arguments& arguments)
      : size_(arguments.number("size", 64)),
        answer_(arguments.number("answer", size_)),
        seconds_(arguments.real("seconds", 1)),
        slots_(arguments.number("outstanding", 1)) {
    grpc::ChannelArguments channel;
    channel.SetMaxReceiveMessageSize(-1);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        "127.0.0.1:" + arguments.text("port"), grpc::InsecureChannelCredentials(), channel));
  }

  bool run() {
    const auto span = static_cast<uint64_t>(seconds_ * 1e9);
    const uint64_t begun = now_ns();
    const uint64_t from = begun + static_cast<uint64_t>(static_cast<double>(span) * kWarmupShare);
    const uint64_t end = from + span;
    for (Slot& slot : slots_) begin(&slot);
    size_t flying = slots_.size();
    void* tag = nullptr;
    for (bool ok = false; flying > 0 && queue_.Next(&tag, &ok);) {
      Slot* slot = static_cast<Slot*>(tag);
      const uint64_t now = now_ns();
      if (!ok || !slot->status.ok()) {
        std::fprintf(stderr, "grpc_rpc: %s\n", slot->status.error_message().c_str());
        return false;
      }
      check(slot->response);
      if (now >= from && now < end) latencies_.record(now - slot->sent_at);
      if (now < end) {
        begin(slot);
      } else {
        --flying;
      }
    }
    return true;
  }

  void print() {
    const double rate = static_cast<double>(latencies_.count()) / seconds_;
    std::printf("rpc.latency.p50 %u ns\n", latencies_.quantile(0.5));
    std::printf("rpc.latency.p99 %u ns\n", latencies_.quantile(0.99));
    std::printf("rpc.rate %.0f RPCs/s\n", rate);
    std::printf("goodput %.0f bit/s\n", rate * 8 * static_cast<double>(size_ + answer_));
  }

 private:
  void begin(Slot* slot) {
    slot->context = std::make_unique<grpc::ClientContext>();
    slot->context->set_wait_for_ready(true);
    slot->response.Clear();
    slot->sent_at = now_ns();
    slot->reader = stub_->PrepareUnaryCall(slot->context.get(), answer_ == size_ ? kEcho : kSink,
                                           message(size_), &queue_);
    slot->reader->StartCall();
    slot->reader->Finish(&slot->response, &slot->status, slot);
  }

  size_t size_;
  size_t answer_;
  double seconds_;
  std::vector<Slot> slots_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
  Latencies latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role != "serve" && role != "call") {
    std::fprintf(stderr, "usage: grpc_rpc serve|call [--name=value ...]\n");
    return 2;
  }
  if (role == "serve") return serve();
  Caller caller(Arguments(argc, argv, 2));
  if (!caller.run()) return 1;
  caller.print();
  return 0;
}
