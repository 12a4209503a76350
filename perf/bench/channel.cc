// SPDX-License-Identifier: Apache-2.0
#include "channel.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace sluice::bench {
void tls_failed(const char* what) {
  char reason[160] = "";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, reason, sizeof(reason));
  std::fprintf(stderr, "%s: %s %s\n", program_invocation_short_name, what, reason);
  std::exit(1);
}

void add_certificate(SSL_CTX* context) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  if (key == nullptr || certificate == nullptr) tls_failed("no key could be made:");
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("bench.example"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  if (X509_sign(certificate, key, EVP_sha256()) == 0 ||
      SSL_CTX_use_certificate(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey(context, key) != 1) {
    tls_failed("no certificate could be made:");
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TlsContext make_context(bool server, Security security) {
  if (security == Security::kNone) return nullptr;
  TlsContext context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256") != 1) {
    tls_failed("no TLS 1.3 here:");
  }
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (security == Security::kKernelTls) SSL_CTX_set_options(context.get(), SSL_OP_ENABLE_KTLS);
  // Tickets would be the first data that a client reads, and nobody resumes.
  SSL_CTX_set_num_tickets(context.get(), 0);
  if (server) add_certificate(context.get());
  return context;
}

Channel::Channel(int socket, bool server, SSL_CTX* context) : socket_(socket) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (context != nullptr) {
    tls_ = SSL_new(context);
    if (tls_ == nullptr || SSL_set_fd(tls_, socket_) != 1 ||
        (server ? SSL_accept(tls_) : SSL_connect(tls_)) != 1) {
      tls_failed("the handshake failed:");
    }
  }
  if (fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK) != 0) tls_failed("fcntl");
}

Channel::~Channel() {
  SSL_free(tls_);
  close(socket_);
}

bool Channel::in_kernel() const {
  return tls_ != nullptr && BIO_get_ktls_send(SSL_get_wbio(tls_)) &&
         BIO_get_ktls_recv(SSL_get_rbio(tls_));
}

long Channel::tls_result(int returned) {
  if (returned > 0) return returned;
  const int error = SSL_get_error(tls_, returned);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : kClosed;
}

long Channel::read(uint8_t* out, size_t most) {
  if (tls_ != nullptr) {
    return tls_result(SSL_read(tls_, out, static_cast<int>(std::min<size_t>(most, INT_MAX))));
  }
  const ssize_t count = ::read(socket_, out, most);
  if (count > 0) return count;
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : kClosed;
}

long Channel::write(const uint8_t* bytes, size_t count) {
  if (tls_ != nullptr) {
    return tls_result(SSL_write(tls_, bytes, static_cast<int>(std::min<size_t>(count, INT_MAX))));
  }
  const ssize_t written = ::send(socket_, bytes, count, MSG_NOSIGNAL);
  if (written >= 0) return written;
  return errno == EAGAIN || errno == EINTR ? 0 : kClosed;
}

}  // namespace sluice::bench
