// SPDX-License-Identifier: Apache-2.0
//
// TLS 1.3 sessions over kernel TCP, one after another, each with one request and one answer: what
// `sluice handshakes` is measured beside. Both sides show a certificate of ECDSA P-256, X25519 and
// AES-128-GCM; OpenSSL's side of either checks the other's signature, and not whom it trusts.
// usage: tls_handshakes serve
//        tls_handshakes call --port=N [--count=N] [--size=BYTES] [--kind=full|resumed|early]
// `early`: resumed, with the request in early data, which the server answers before the client's
// part of the handshake has come; its tickets are good for one session each. The client spins on
// its socket; the server, which prints its port, too. It ends when it is told.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "arguments.h"
#include "channel.h"
#include "latencies.h"
#include "loopback.h"

namespace {

using sluice::bench::Arguments;
using sluice::bench::Latencies;
using sluice::bench::now_ns;
using sluice::bench::tls_failed;

constexpr uint32_t kMostRequest = 16384;
constexpr uint64_t kPatienceNs = 10'000'000'000;  // For one session.

SSL_SESSION* latest_session = nullptr;

int keep_session(SSL*, SSL_SESSION* session) {
  SSL_SESSION_free(latest_session);
  latest_session = session;
  return 1;
}

sluice::bench::TlsContext handshake_context(bool server) {
  auto owned = sluice::bench::make_context(server, sluice::bench::Security::kTls);
  SSL_CTX* const context = owned.get();
  if (SSL_CTX_set1_groups_list(context, "X25519") != 1) tls_failed("no X25519 here:");
  if (!server) sluice::bench::add_certificate(context);
  // Any peer will do, as long as it shows a certificate and has its key.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     [](int, X509_STORE_CTX*) { return 1; });
  const unsigned char name[] = "bench";
  SSL_CTX_set_session_id_context(context, name, sizeof(name));
  SSL_CTX_set_session_cache_mode(
      context, server ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (server) {
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_max_early_data(context, sizeof(uint32_t) + kMostRequest);
  } else {
    SSL_CTX_sess_set_new_cb(context, keep_session);
  }
  return owned;
}

void prepare_socket(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK) != 0)
    sluice::bench::socket_failed("fcntl");
}

// Repeats a call of OpenSSL's until it has done all of its work.
template <class Call>
void spin(SSL* tls, const char* what, Call call) {
  const uint64_t begun = now_ns();
  for (;;) {
    const int result = call();
    if (result == 1) return;
    const int error = SSL_get_error(tls, result);
    const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (!waits || now_ns() - begun > kPatienceNs) tls_failed(what);
  }
}

void read_all(SSL* tls, std::vector<uint8_t>* bytes, size_t done = 0) {
  while (done < bytes->size()) {
    size_t count = 0;
    spin(tls, "reading failed:", [&] {
      return SSL_read_ex(tls, bytes->data() + done, bytes->size() - done, &count);
    });
    done += count;
  }
}

void write_all(SSL* tls, const std::vector<uint8_t>& bytes) {
  size_t count = 0;
  spin(tls,
       "writing failed:", [&] { return SSL_write_ex(tls, bytes.data(), bytes.size(), &count); });
}

// Appends what the client has sent early, which is nothing where it has not tried to.
void read_early(SSL* tls, std::vector<uint8_t>* bytes) {
  uint8_t some[4096];
  const uint64_t begun = now_ns();
  for (;;) {
    size_t count = 0;
    const int result = SSL_read_early_data(tls, some, sizeof(some), &count);
    bytes->insert(bytes->end(), some, some + count);
    if (result == SSL_READ_EARLY_DATA_FINISH) return;
    // The end of it comes with the client's part of the handshake, and a whole request is not kept
    // waiting for that.
    uint32_t size = 0;
    if (bytes->size() >= sizeof(size)) {
      std::memcpy(&size, bytes->data(), sizeof(size));
      if (bytes->size() >= sizeof(size) + size) return;
    }
    if (result == SSL_READ_EARLY_DATA_SUCCESS) continue;
    const int error = SSL_get_error(tls, result);
    const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (!waits || now_ns() - begun > kPatienceNs) tls_failed("reading early data failed:");
  }
}

void serve_one(SSL* tls) {
  std::vector<uint8_t> bytes;
  read_early(tls, &bytes);
  const bool early = !bytes.empty();
  if (!early) {
    spin(tls, "the handshake failed:", [&] { return SSL_accept(tls); });
    bytes.resize(sizeof(uint32_t));
    read_all(tls, &bytes);
  }
  uint32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  if (size > kMostRequest) tls_failed("a request is too long");
  const size_t have = bytes.size();
  bytes.resize(sizeof(size) + size);
  if (!early) {
    read_all(tls, &bytes, have);
    write_all(tls, bytes);
    return;
  }
  size_t count = 0;
  spin(tls, "writing early failed:", [&] {
    return SSL_write_early_data(tls, bytes.data(), bytes.size(), &count);
  });
  spin(tls, "a client sent more than its request:", [&] {
    uint8_t more;
    return SSL_read_early_data(tls, &more, 1, &count) == SSL_READ_EARLY_DATA_FINISH ? 1 : 0;
  });
  spin(tls, "the handshake failed:", [&] { return SSL_accept(tls); });
}

// Until the peer has closed: what a socket holds unread would else reset it.
void end(SSL* tls, int socket) {
  SSL_shutdown(tls);
  uint8_t byte;
  const uint64_t begun = now_ns();
  while (::read(socket, &byte, 1) != 0 && now_ns() - begun < kPatienceNs) {
    if (errno != EAGAIN) break;
  }
  SSL_free(tls);
  close(socket);
}

int serve() {
  const int listener = sluice::bench::listen_on_loopback();
  fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
  const auto context = handshake_context(true);
  for (;;) {
    const int accepted = accept(listener, nullptr, nullptr);
    if (accepted < 0) continue;
    prepare_socket(accepted);
    SSL* tls = SSL_new(context.get());
    SSL_set_fd(tls, accepted);
    SSL_set_accept_state(tls);
    serve_one(tls);
    end(tls, accepted);
  }
}

double cpu_seconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The next ticket comes after the answer to an early request.
void await_ticket(SSL* tls) {
  const SSL_SESSION* const used = SSL_get_session(tls);
  const uint64_t begun = now_ns();
  while (latest_session == used) {
    uint8_t byte;
    size_t count = 0;
    const bool waits =
        SSL_read_ex(tls, &byte, 1, &count) != 1 && SSL_get_error(tls, 0) == SSL_ERROR_WANT_READ;
    if (latest_session == used && (!waits || now_ns() - begun > kPatienceNs))
      tls_failed("no ticket came");
  }
}

// From the connection to the whole answer.
uint64_t call_one(SSL_CTX* context, uint16_t port, const std::string& kind,
                  const std::vector<uint8_t>& request) {
  const uint64_t begun = now_ns();
  const int connected = sluice::bench::connect_on_loopback(port);
  prepare_socket(connected);
  SSL* tls = SSL_new(context);
  SSL_set_fd(tls, connected);
  SSL_set_connect_state(tls);
  const bool resume = kind != "full" && latest_session != nullptr;
  if (resume) SSL_set_session(tls, latest_session);
  if (resume && kind == "early") {
    size_t count = 0;
    spin(tls, "writing early failed:", [&] {
      return SSL_write_early_data(tls, request.data(), request.size(), &count);
    });
    spin(tls, "the handshake failed:", [&] { return SSL_connect(tls); });
    if (SSL_get_early_data_status(tls) != SSL_EARLY_DATA_ACCEPTED)
      tls_failed("early data were refused");
  } else {
    spin(tls, "the handshake failed:", [&] { return SSL_connect(tls); });
    write_all(tls, request);
  }
  std::vector<uint8_t> answer(request.size());
  read_all(tls, &answer);
  const uint64_t taken = now_ns() - begun;
  if (answer != request) tls_failed("an answer is wrong");
  if (resume && SSL_session_reused(tls) != 1) tls_failed("a session was not resumed");
  if (resume && kind == "early") await_ticket(tls);
  SSL_shutdown(tls);
  SSL_free(tls);
  close(connected);
  return taken;
}

int call(const Arguments& arguments) {
  const std::string kind = arguments.text("kind", "full");
  const uint64_t count = arguments.number("count", 100);
  const auto port = static_cast<uint16_t>(arguments.number("port", 0));
  const auto size = static_cast<uint32_t>(arguments.number("size", 64));
  std::vector<uint8_t> request(sizeof(size) + size, 0x5a);
  std::memcpy(request.data(), &size, sizeof(size));
  const auto context = handshake_context(false);
  Latencies latencies(count);
  call_one(context.get(), port, kind, request);  // Leaves a ticket behind.
  const double cpu = cpu_seconds();
  const uint64_t begun = now_ns();
  for (uint64_t i = 0; i < count; ++i)
    latencies.record(call_one(context.get(), port, kind, request));
  const double taken = static_cast<double>(now_ns() - begun) * 1e-9;
  std::printf("handshake.first_answer.p50 %u ns\n", latencies.quantile(0.5));
  std::printf("handshake.first_answer.p99 %u ns\n", latencies.quantile(0.99));
  std::printf("handshake.rate %.0f sessions/s\n", static_cast<double>(count) / taken);
  const double used = cpu_seconds() - cpu;
  std::printf("handshake.client_cpu %.0f ns\n", 1e9 * used / static_cast<double>(count));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role != "serve" && role != "call") {
    std::fprintf(stderr, "usage: tls_handshakes serve|call [--name=value ...]\n");
    return 2;
  }
  const Arguments arguments(argc, argv, 2);
  std::signal(SIGPIPE, SIG_IGN);
  return role == "serve" ? serve() : call(arguments);
}
