// SPDX-License-Identifier: Apache-2.0
//
// A connected socket that never blocks: bare TCP, or TLS 1.3 over it by OpenSSL.
#ifndef SLUICE_PERF_BENCH_CHANNEL_H_
#define SLUICE_PERF_BENCH_CHANNEL_H_

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::bench {

enum class Security {
  kNone,
  kTls,
  kKernelTls,  // Keys are given to the kernel, which seals and opens.
};

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, ContextDeleter>;

// Ends the program, with what OpenSSL has to say of it.
[[noreturn]] void tls_failed(const char* what);

// Gives it a key and a certificate signed by itself, good for a day.
void add_certificate(SSL_CTX* context);

// TLS 1.3 with AES-128-GCM alone. The server shows a certificate that it has made for this run; the
// client takes any, since who the peer is costs nothing once the handshake is over.
TlsContext make_context(bool server, Security security);

class Channel {
 public:
  static constexpr long kClosed = -1;

  // Takes the connected socket, and with a context does the handshake; ends the program where that
  // fails.
  Channel(int socket, bool server, SSL_CTX* context);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int socket() const { return socket_; }
  // Whether the kernel both seals and opens.
  bool in_kernel() const;

  // Bytes read or written; 0: none for now; kClosed: no more at all.
  long read(uint8_t* out, size_t most);
  long write(const uint8_t* bytes, size_t count);

 private:
  long tls_result(int returned);

  int socket_;
  SSL* tls_ = nullptr;
};

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_CHANNEL_H_
