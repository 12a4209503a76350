// SPDX-License-Identifier: Apache-2.0
//
// What a service gets from the kernel: RPCs over TCP, or over TLS 1.3 on TCP, spinning on sockets
// that never block or sleeping in epoll. A program of its own, which links OpenSSL, and of Sluice
// the tables of message sizes alone.
// usage: socket_rpc serve [--tls | --ktls] [--epoll] [--connections=N]
//        socket_rpc call --port=N [--tls | --ktls] [--epoll] [--connections=N] [--size=BYTES]
//            [--answer=BYTES] [--outstanding=N] [--seconds=S] [--beside=BYTES] [--load=N]
//            [--workload=W1|W2|W3|W4|W5]
// The server prints its port, takes so many connections, and ends when all are closed. The client
// keeps --outstanding requests on their way on each connection; with --beside, one more of so many
// bytes, of which only the rate is reported; with --load, so many requests a second at Poisson
// times, as far as --outstanding allows, on one connection that is spun on; with --workload, each
// of a size drawn from it, up to 1 MB, and answered by as many bytes.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "arguments.h"
#include "base/workload.h"
#include "channel.h"
#include "latencies.h"
#include "loopback.h"
#include "rpc_connection.h"

namespace {

using sluice::bench::Arguments;
using sluice::bench::Channel;
using sluice::bench::Header;
using sluice::bench::Latencies;
using sluice::bench::now_ns;
using sluice::bench::RpcConnection;
using sluice::bench::Security;
using sluice::bench::socket_failed;

constexpr double kWarmupShare = 0.1;  // Of the run's time, before anything is measured.
constexpr uint32_t kSinkAnswer = 8;   // To a message of which only the rate counts.
constexpr int kMostEvents = 64;
constexpr uint32_t kMostDrawn = 1'000'000;  // As `sluice` cuts a workload's sizes.

// One connection and the requests whose answers it waits for, oldest first.
struct Peer {
  Peer(int socket, bool server, SSL_CTX* context)
      : channel(socket, server, context), rpc(&channel) {}

  struct Sent {
    uint64_t at = 0;
    uint32_t bytes = 0;  // Of the request and its answer.
    bool beside = false;
  };
  Channel channel;
  RpcConnection rpc;
  std::deque<Sent> sent;
  uint32_t small = 0;  // Of `sent`, those that are measured.
  uint32_t large = 0;  // And those beside them.
  bool watched_for_writing = false;
};

// Who is ready: all connections in turn, or those that epoll names.
class Readiness {
 public:
  Readiness(bool sleep, std::vector<std::unique_ptr<Peer>>* peers) : sleep_(sleep), peers_(peers) {
    // One connection is asked directly. Of many, only those with something to read are.
    if (!sleep_ && peers->size() == 1) return;
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < peers->size(); ++i) watch(i, EPOLL_CTL_ADD, EPOLLIN);
  }
  ~Readiness() {
    if (epoll_ >= 0) close(epoll_);
  }
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Calls `step` for each connection that is ready; it returns whether it did anything.
  template <class Step>
  void serve(Step step) {
    if (epoll_ < 0) {
      step(*peers_->front());
      return;
    }
    epoll_event events[kMostEvents];
    const int count = epoll_wait(epoll_, events, kMostEvents, sleep_ ? kSleepMs : 0);
    for (int i = 0; i < count; ++i) {
      const auto place = static_cast<size_t>(events[i].data.u64);
      Peer& peer = *(*peers_)[place];
      // TLS may keep what epoll no longer sees, so each is worked on until nothing is left.
      while (step(peer)) {
      }
      watch_writing(place);
    }
  }

  // Asks to be woken when a connection that has bytes left can take more.
  void watch_writing(size_t place) {
    Peer& peer = *(*peers_)[place];
    if (epoll_ < 0 || peer.rpc.closed()) return;
    if (peer.rpc.wants_to_write() == peer.watched_for_writing) return;
    peer.watched_for_writing = peer.rpc.wants_to_write();
    watch(place, EPOLL_CTL_MOD, peer.watched_for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void forget(const Peer& peer) {
    if (epoll_ >= 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, peer.channel.socket(), nullptr);
  }

 private:
  static constexpr int kSleepMs = 100;  // Until the time is looked at, when nothing comes.

  void watch(size_t place, int operation, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = place;
    if (epoll_ctl(epoll_, operation, (*peers_)[place]->channel.socket(), &event) != 0) {
      socket_failed("epoll_ctl");
    }
  }

  bool sleep_;
  std::vector<std::unique_ptr<Peer>>* peers_;
  int epoll_ = -1;
};

Security security_of(const Arguments& arguments) {
  if (arguments.has("ktls")) return Security::kKernelTls;
  return arguments.has("tls") ? Security::kTls : Security::kNone;
}

int serve(const Arguments& arguments) {
  const int listener = sluice::bench::listen_on_loopback();
  const auto context = sluice::bench::make_context(true, security_of(arguments));
  std::vector<std::unique_ptr<Peer>> peers;
  for (uint64_t i = 0; i < arguments.number("connections", 1); ++i) {
    const int accepted = accept(listener, nullptr, nullptr);
    if (accepted < 0) socket_failed("accept");
    peers.push_back(std::make_unique<Peer>(accepted, true, context.get()));
  }
  Readiness readiness(arguments.has("epoll"), &peers);
  size_t open = peers.size();
  while (open > 0) {
    readiness.serve([&](Peer& peer) {
      const bool read = peer.rpc.receive([&](const Header& request) {
        peer.rpc.append({request.answer_length, 0});
      });
      const bool wrote = peer.rpc.flush();
      if (!peer.rpc.closed()) return read || wrote;
      readiness.forget(peer);
      --open;
      return false;
    });
  }
  return 0;
}

struct Load {
  uint32_t size = 64;
  uint32_t answer = 64;
  uint32_t outstanding = 1;
  uint32_t beside = 0;
  uint64_t rate = 0;  // Requests per second at Poisson times; 0: as many as may be outstanding.
  std::optional<sluice::base::Workload> workload;  // Instead of `size` and `answer`.
  double seconds = 1;
};

// The client's side of all connections.
class Caller {
 public:
  Caller(const Load& load, bool sleep, std::vector<std::unique_ptr<Peer>>* peers)
      : load_(load),
        peers_(peers),
        readiness_(sleep, peers),
        interval_(static_cast<double>(std::max<uint64_t>(load.rate, 1))) {}

  void run() {
    const auto span = static_cast<uint64_t>(load_.seconds * 1e9);
    const uint64_t begun = now_ns();
    due_ = begun;
    measured_from_ = begun + static_cast<uint64_t>(static_cast<double>(span) * kWarmupShare);
    end_ = measured_from_ + span;
    now_ = begun;
    for (size_t i = 0; i < peers_->size(); ++i) {
      fill(*(*peers_)[i]);
      (*peers_)[i]->rpc.flush();
      readiness_.watch_writing(i);
    }
    while (now_ < end_) {
      readiness_.serve([this](Peer& peer) { return step(peer); });
      now_ = now_ns();
    }
  }

  void print() {
    std::printf("rpc.latency.p50 %u ns\n", latencies_.quantile(0.5));
    std::printf("rpc.latency.p99 %u ns\n", latencies_.quantile(0.99));
    const double rate = static_cast<double>(latencies_.count()) / load_.seconds;
    std::printf("rpc.rate %.0f RPCs/s\n", rate);
    std::printf("goodput %.0f bit/s\n", static_cast<double>(bytes_) * 8 / load_.seconds);
    if (load_.beside == 0) return;
    std::printf("beside.goodput %.0f bit/s\n",
                static_cast<double>(large_) * 8 * load_.beside / load_.seconds);
  }

 private:
  void fill(Peer& peer) {
    while (peer.small < load_.outstanding && (load_.rate == 0 || now_ >= due_)) {
      Header request{load_.size, load_.answer};
      if (load_.workload)
        request.length = request.answer_length = load_.workload->sample(random_());
      peer.rpc.append(request);
      // A latency counts from when the request should have begun, whoever was late.
      peer.sent.push_back(
          {load_.rate == 0 ? now_ : due_, request.length + request.answer_length, false});
      if (load_.rate != 0) due_ += static_cast<uint64_t>(interval_(random_) * 1e9);
      ++peer.small;
    }
    if (load_.beside == 0 || peer.large > 0) return;
    peer.rpc.append({load_.beside, kSinkAnswer});
    peer.sent.push_back({now_, load_.beside + kSinkAnswer, true});
    ++peer.large;
  }

  bool step(Peer& peer) {
    const bool read = peer.rpc.receive([&](const Header&) {
      // Answers of one read came together; only the first has to look at the time.
      if (!clock_read_) now_ = now_ns();
      clock_read_ = true;
      answered(peer);
    });
    clock_read_ = false;
    if (read || load_.rate != 0) fill(peer);
    const bool wrote = peer.rpc.flush();
    if (peer.rpc.closed()) {
      std::fprintf(stderr, "socket_rpc: the server has closed the connection\n");
      std::exit(1);
    }
    return (read || wrote) && now_ < end_;
  }

  void answered(Peer& peer) {
    const Peer::Sent sent = peer.sent.front();
    peer.sent.pop_front();
    --(sent.beside ? peer.large : peer.small);
    if (now_ < measured_from_ || now_ >= end_) return;
    if (sent.beside) {
      ++large_;
    } else {
      latencies_.record(now_ - sent.at);
      bytes_ += sent.bytes;
    }
  }

  Load load_;
  std::vector<std::unique_ptr<Peer>>* peers_;
  Readiness readiness_;
  Latencies latencies_;
  uint64_t large_ = 0;
  uint64_t bytes_ = 0;  // Of the requests that are measured, and of their answers.
  uint64_t now_ = 0;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> interval_;
  uint64_t due_ = 0;  // When the next request is to begin, with a rate.
  uint64_t measured_from_ = 0;
  uint64_t end_ = 0;
  bool clock_read_ = false;
};

std::unique_ptr<Peer> connect_to(uint16_t port, SSL_CTX* context) {
  return std::make_unique<Peer>(sluice::bench::connect_on_loopback(port), false, context);
}

int call(const Arguments& arguments) {
  Load load;
  load.size = static_cast<uint32_t>(arguments.number("size", load.size));
  load.answer = static_cast<uint32_t>(arguments.number("answer", load.size));
  load.outstanding = static_cast<uint32_t>(arguments.number("outstanding", load.outstanding));
  load.beside = static_cast<uint32_t>(arguments.number("beside", load.beside));
  load.rate = arguments.number("load", load.rate);
  load.seconds = arguments.real("seconds", load.seconds);
  if (arguments.has("workload")) {
    const auto named = sluice::base::Workload::named(arguments.text("workload"), kMostDrawn);
    if (!named.ok()) {
      std::fprintf(stderr, "socket_rpc: %s\n", named.status().ToString().c_str());
      return 2;
    }
    load.workload = *named;
  }
  const Security security = security_of(arguments);
  const auto context = sluice::bench::make_context(false, security);
  std::vector<std::unique_ptr<Peer>> peers;
  for (uint64_t i = 0; i < arguments.number("connections", 1); ++i) {
    peers.push_back(connect_to(static_cast<uint16_t>(arguments.number("port", 0)), context.get()));
  }
  if (security == Security::kKernelTls && !peers.front()->channel.in_kernel()) {
    std::fprintf(stderr, "this kernel does no TLS (CONFIG_TLS)\n");
    return sluice::bench::kExitAbsent;
  }
  Caller caller(load, arguments.has("epoll"), &peers);
  caller.run();
  caller.print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role != "serve" && role != "call") {
    std::fprintf(stderr, "usage: socket_rpc serve|call [--name=value ...]\n");
    return 2;
  }
  const Arguments arguments(argc, argv, 2);
  std::signal(SIGPIPE, SIG_IGN);
  return role == "serve" ? serve(arguments) : call(arguments);
}
