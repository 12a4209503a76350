// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/connection.h"

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pool.h>
#include <openssl/stack.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_order.h"
#include "crypto/boringssl/certificate.h"
#include "crypto/boringssl/x509_support.h"

namespace sluice::crypto {

struct TlsConnection {
  TlsIdentity* identity = nullptr;
  TlsCallbacks callbacks{};
  bool client = false;
  bssl::UniquePtr<SSL> ssl;
  std::string expected_name;
  uint64_t wall_ns = 0;
  bool done = false;
  bool early = false;  // As client offered, as server accepted.
  bool resumed = false;
  bool ticket_refused = false;
  std::vector<uint8_t> ticket;  // As server: what the client's hello offers first.
  RefuseReason reason = RefuseReason::kNone;
  std::string detail;
  CertificateVerdict verdict;
};

namespace {

constexpr uint8_t kAlpn[] = {8, 's', 'l', 'u', 'i', 'c', 'e', '/', '1'};
constexpr uint16_t kSignatures[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519};
// What a Sluice message can hold bounds what the library is to take.
constexpr size_t kMaxChainBytes = kMaxHandshakeMessage;
constexpr uint32_t kTicketSeconds = 3600;

// The library asks for the time without saying for which connection: one is driven at a time.
thread_local uint64_t t_wall_ns = 0;

void tell_time(const SSL*, timeval* out) {
  out->tv_sec = static_cast<time_t>(t_wall_ns / kNanosPerSecond);
  out->tv_usec = static_cast<suseconds_t>(t_wall_ns % kNanosPerSecond / 1000);
}

TlsConnection* connection_of(const SSL* ssl) {
  return static_cast<TlsConnection*>(SSL_get_app_data(ssl));
}

void refuse(TlsConnection* connection, RefuseReason reason, std::string detail) {
  if (connection->reason != RefuseReason::kNone) return;
  connection->reason = reason;
  connection->detail = std::move(detail);
}

TlsLevel level_of(ssl_encryption_level_t level) {
  switch (level) {
    case ssl_encryption_initial:
      return TlsLevel::kInitial;
    case ssl_encryption_early_data:
      return TlsLevel::kEarly;
    case ssl_encryption_handshake:
      return TlsLevel::kHandshake;
    default:
      return TlsLevel::kApplication;
  }
}

ssl_encryption_level_t library_level(TlsLevel level) {
  switch (level) {
    case TlsLevel::kInitial:
      return ssl_encryption_initial;
    case TlsLevel::kEarly:
      return ssl_encryption_early_data;
    case TlsLevel::kHandshake:
      return ssl_encryption_handshake;
    case TlsLevel::kApplication:
      break;
  }
  return ssl_encryption_application;
}

int set_read_secret(SSL* ssl, ssl_encryption_level_t level, const SSL_CIPHER*,
                    const uint8_t* secret, size_t size) {
  TlsConnection* connection = connection_of(ssl);
  connection->callbacks.secret(connection->callbacks.context, level_of(level), !connection->client,
                               {secret, size});
  return 1;
}

int set_write_secret(SSL* ssl, ssl_encryption_level_t level, const SSL_CIPHER*,
                     const uint8_t* secret, size_t size) {
  TlsConnection* connection = connection_of(ssl);
  connection->callbacks.secret(connection->callbacks.context, level_of(level), connection->client,
                               {secret, size});
  return 1;
}

int add_handshake_data(SSL* ssl, ssl_encryption_level_t level, const uint8_t* data, size_t size) {
  TlsConnection* connection = connection_of(ssl);
  connection->callbacks.write(connection->callbacks.context, level_of(level), {data, size});
  return 1;
}

int flush_flight(SSL*) { return 1; }

// An alert says less than the reasons of a REFUSE, which the mechanism sends in its place.
int send_alert(SSL*, ssl_encryption_level_t, uint8_t) { return 1; }

constexpr SSL_QUIC_METHOD kQuicMethod = {
    .set_read_secret = set_read_secret,
    .set_write_secret = set_write_secret,
    .add_handshake_data = add_handshake_data,
    .flush_flight = flush_flight,
    .send_alert = send_alert,
};

std::vector<ByteView> views_of(const STACK_OF(CRYPTO_BUFFER) * certificates) {
  std::vector<ByteView> out;
  for (size_t i = 0; certificates != nullptr && i < sk_CRYPTO_BUFFER_num(certificates); ++i) {
    const CRYPTO_BUFFER* each = sk_CRYPTO_BUFFER_value(certificates, i);
    out.push_back({CRYPTO_BUFFER_data(each), CRYPTO_BUFFER_len(each)});
  }
  return out;
}

CertificateVerdict verdict_on(const TlsConnection& connection,
                              const STACK_OF(CRYPTO_BUFFER) * certificates) {
  const std::vector<ByteView> chain = views_of(certificates);
  CertificateExpectation expected;
  expected.of_server = connection.client;
  expected.name = connection.expected_name;
  if (!connection.client) expected.allowed = connection.identity->allowed;
  TlsIdentity* const identity = connection.identity;
  return identity->judged.judge(chain, identity->anchors, expected, connection.wall_ns);
}

// PROTOCOL MUST-I2
bool judge(TlsConnection* connection) {
  connection->verdict = verdict_on(*connection, SSL_get0_peer_certificates(connection->ssl.get()));
  if (connection->verdict.reason == RefuseReason::kNone) return true;
  refuse(connection, connection->verdict.reason, connection->verdict.detail);
  return false;
}

ssl_verify_result_t judge_peer(SSL* ssl, uint8_t* alert) {
  *alert = SSL_AD_CERTIFICATE_UNKNOWN;
  return judge(connection_of(ssl)) ? ssl_verify_ok : ssl_verify_invalid;
}

// A client keeps the last tickets of each server that it knows by name.
int keep_ticket(SSL* ssl, SSL_SESSION* session) {
  TlsConnection* connection = connection_of(ssl);
  auto& tickets = connection->identity->tickets;
  const uint8_t* ticket = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &size);
  const std::string& name = connection->expected_name;
  if (!connection->client || name.empty() || size == 0) return 0;
  connection->ticket_refused = size > kMaxTicketBytes;
  if (connection->ticket_refused) return 0;
  if (tickets.size() >= kMaxTickets && tickets.find(name) == tickets.end()) {
    tickets.erase(tickets.begin());
  }
  auto& kept = tickets[name];
  if (kept.size() >= kMaxTicketsOfName) kept.pop_front();
  kept.emplace_back(session);
  return 1;  // The session is ours now.
}

int select_alpn(SSL*, const uint8_t** out, uint8_t* out_size, const uint8_t* in, unsigned size,
                void*) {
  uint8_t* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpn, sizeof(kAlpn), in, size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void append(void* context, ByteView bytes) {
  auto* out = static_cast<std::vector<uint8_t>*>(context);
  out->insert(out->end(), bytes.data, bytes.data + bytes.size);
}

// The first identity of a pre_shared_key extension (RFC 8446 section 4.2.11), the only one that the
// library looks at; empty when there is none.
std::vector<uint8_t> first_ticket(const SSL_CLIENT_HELLO* hello) {
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (SSL_early_callback_ctx_extension_get(hello, TLSEXT_TYPE_pre_shared_key, &data, &size) != 1 ||
      size < 4) {
    return {};
  }
  const size_t length = base::load_be16(data + 2);
  if (length > size - 4) return {};
  return {data + 4, data + 4 + length};
}

// The server's answer to the client's parameters, before anything of it is written.
ssl_select_cert_result_t on_client_hello(const SSL_CLIENT_HELLO* hello) {
  TlsConnection* connection = connection_of(hello->ssl);
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (SSL_early_callback_ctx_extension_get(hello, TLSEXT_TYPE_quic_transport_parameters, &data,
                                           &size) != 1) {
    refuse(connection, RefuseReason::kMalformed, "no session parameters");
    return ssl_select_cert_error;
  }
  connection->ticket = first_ticket(hello);
  std::vector<uint8_t> own;
  const RefuseReason reason =
      connection->callbacks.answer(connection->callbacks.context, {data, size}, {append, &own});
  if (reason != RefuseReason::kNone) {
    refuse(connection, reason, {});
    return ssl_select_cert_error;
  }
  const bool set = SSL_set_quic_transport_params(hello->ssl, own.data(), own.size()) == 1;
  return set ? ssl_select_cert_success : ssl_select_cert_error;
}

bool set_groups(SSL_CTX* context) {
#ifdef SSL_GROUP_X25519_MLKEM768
  static constexpr uint16_t kGroups[] = {SSL_GROUP_X25519_MLKEM768, SSL_GROUP_X25519,
                                         SSL_GROUP_SECP256R1};
  return SSL_CTX_set1_group_ids(context, kGroups, std::size(kGroups)) == 1;
#else
  static constexpr int kGroups[] = {NID_X25519, NID_X9_62_prime256v1};
  return SSL_CTX_set1_curves(context, kGroups, std::size(kGroups)) == 1;
#endif
}

std::string last_error() {
  const uint32_t error = ERR_peek_error();
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return text == nullptr ? "" : text;
}

TlsStep refused_by_library(TlsConnection* connection) {
  const uint32_t error = ERR_peek_error();
  const bool none = ERR_GET_LIB(error) == ERR_LIB_SSL &&
                    ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  if (none) {
    refuse(connection, RefuseReason::kNoCertificate, {});
  } else {
    refuse(connection, RefuseReason::kTls, last_error());
  }
  return TlsStep::kRefused;
}

// The library would go on: a client may send early data now, a server has accepted it. A server
// judges the certificates of the ticket first, and lets what it refuses end with the handshake.
TlsStep begin_early(TlsConnection* connection) {
  connection->early = true;
  if (connection->client) return TlsStep::kMore;
  connection->resumed = true;
  return judge(connection) ? TlsStep::kEarly : TlsStep::kMore;
}

TlsStep drive(TlsConnection* connection) {
  const int result = SSL_do_handshake(connection->ssl.get());
  if (result == 1 && SSL_in_early_data(connection->ssl.get()) == 1) return begin_early(connection);
  if (result == 1) {
    connection->done = true;
    connection->resumed = SSL_session_reused(connection->ssl.get()) == 1;
    // PROTOCOL MUST-I10
    // A ticket proves nothing by itself: the certificates in it are judged anew, by today's time.
    const bool good = !connection->resumed || judge(connection);
    return good ? TlsStep::kDone : TlsStep::kRefused;
  }
  const int error = SSL_get_error(connection->ssl.get(), result);
  if (error == SSL_ERROR_EARLY_DATA_REJECTED) {
    SSL_reset_early_data_reject(connection->ssl.get());
    return drive(connection);
  }
  return error == SSL_ERROR_WANT_READ ? TlsStep::kMore : refused_by_library(connection);
}

std::unique_ptr<TlsConnection> make_connection(TlsIdentity* identity, bool client,
                                               const TlsCallbacks* callbacks) {
  auto out = std::make_unique<TlsConnection>();
  out->identity = identity;
  out->client = client;
  out->callbacks = *callbacks;
  out->ssl.reset(SSL_new(identity->context.get()));
  if (!out->ssl || SSL_set_app_data(out->ssl.get(), out.get()) != 1) return nullptr;
  return out;
}

// The client resumes by this ticket. What it sends early goes to whom the ticket's certificates
// name, so they have to be good today; without that there is no early data, and the server has to
// be judged by its answer.
void offer_ticket(TlsConnection* connection, SSL_SESSION* ticket, bool early) {
  SSL_set_session(connection->ssl.get(), ticket);
  if (!early) return;
  connection->verdict = verdict_on(*connection, SSL_SESSION_get0_peer_certificates(ticket));
  const bool good = connection->verdict.reason == RefuseReason::kNone;
  SSL_set_early_data_enabled(connection->ssl.get(), good ? 1 : 0);
}

template <size_t N>
void copy_text(const std::string& text, char (&out)[N]) {
  const size_t size = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), size);
  out[size] = 0;
}

}  // namespace

bssl::UniquePtr<SSL_CTX> make_tls_context(const std::vector<bssl::UniquePtr<X509>>& chain,
                                          EVP_PKEY* key) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  if (!context) return nullptr;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER*> buffers;
  for (const auto& each : chain) {
    const std::vector<uint8_t> der = certificate_der(each.get());
    owned.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    if (!owned.back()) return nullptr;
    buffers.push_back(owned.back().get());
  }
  SSL_CTX* raw = context.get();
  // PROTOCOL MUST-I1
  if (SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_quic_method(raw, &kQuicMethod) != 1 || !set_groups(raw) ||
      SSL_CTX_set_signing_algorithm_prefs(raw, kSignatures, std::size(kSignatures)) != 1 ||
      SSL_CTX_set_verify_algorithm_prefs(raw, kSignatures, std::size(kSignatures)) != 1 ||
      SSL_CTX_set_chain_and_key(raw, buffers.data(), buffers.size(), key, nullptr) != 1 ||
      SSL_CTX_set_session_id_context(raw, kAlpn, sizeof(kAlpn)) != 1 ||
      SSL_CTX_set_num_tickets(raw, kTicketsGiven) != 1 ||
      SSL_CTX_set_alpn_protos(raw, kAlpn, sizeof(kAlpn)) != 0) {
    return nullptr;
  }
  SSL_CTX_set_alpn_select_cb(raw, select_alpn, nullptr);
  SSL_CTX_set_custom_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge_peer);
  SSL_CTX_set_select_certificate_cb(raw, on_client_hello);
  SSL_CTX_set_current_time_cb(raw, tell_time);
  // Tickets are sealed under keys of this context: they end with the process.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, keep_ticket);
  SSL_CTX_set_session_psk_dhe_timeout(raw, kTicketSeconds);
  SSL_CTX_set_max_cert_list(raw, kMaxChainBytes);
  return context;
}

bool tls_is_hybrid() {
#ifdef SSL_GROUP_X25519_MLKEM768
  return true;
#else
  return false;
#endif
}

const char* tls_key_groups() {
  return tls_is_hybrid() ? "X25519 with ML-KEM-768, X25519, P-256" : "X25519, P-256";
}

TlsConnection* tls_connect(TlsIdentity* identity, const TlsClientInput* input,
                           const TlsCallbacks* callbacks) {
  const ErrorsOf errors;
  auto out = make_connection(identity, true, callbacks);
  if (!out) return nullptr;
  out->expected_name.assign(reinterpret_cast<const char*>(input->peer_name.data),
                            input->peer_name.size);
  out->wall_ns = input->wall_ns;
  t_wall_ns = input->wall_ns;
  SSL_set_connect_state(out->ssl.get());
  const auto ticket = identity->tickets.find(out->expected_name);
  if (input->resume && ticket != identity->tickets.end()) {
    offer_ticket(out.get(), ticket->second.back().get(), input->early);
    ticket->second.pop_back();
    if (ticket->second.empty()) identity->tickets.erase(ticket);
  }
  if (SSL_set_quic_transport_params(out->ssl.get(), input->parameters.data,
                                    input->parameters.size) != 1 ||
      drive(out.get()) != TlsStep::kMore) {
    return nullptr;
  }
  return out.release();
}

TlsConnection* tls_accept(TlsIdentity* identity, ByteView early_context,
                          const TlsCallbacks* callbacks) {
  const ErrorsOf errors;
  auto out = make_connection(identity, false, callbacks);
  if (!out) return nullptr;
  SSL_set_accept_state(out->ssl.get());
  if (early_context.size != 0) {
    SSL_set_early_data_enabled(out->ssl.get(), 1);
    if (SSL_set_quic_early_data_context(out->ssl.get(), early_context.data, early_context.size) !=
        1) {
      return nullptr;
    }
  }
  return out.release();
}

void tls_free(TlsConnection* connection) { delete connection; }

TlsStep tls_provide(TlsConnection* connection, TlsLevel level, ByteView bytes, uint64_t wall_ns) {
  const ErrorsOf errors;
  if (connection->reason != RefuseReason::kNone) return TlsStep::kRefused;
  connection->wall_ns = wall_ns;
  t_wall_ns = wall_ns;
  if (connection->done) {
    // Only a ticket can come now. Without it the next handshake is longer, and no worse.
    if (connection->client && level == TlsLevel::kApplication &&
        SSL_provide_quic_data(connection->ssl.get(), ssl_encryption_application, bytes.data,
                              bytes.size) == 1) {
      SSL_process_quic_post_handshake(connection->ssl.get());
    }
    return TlsStep::kDone;
  }
  if (SSL_provide_quic_data(connection->ssl.get(), library_level(level), bytes.data, bytes.size) !=
      1) {
    return refused_by_library(connection);
  }
  return drive(connection);
}

void tls_refusal(const TlsConnection* connection, TlsRefusal* out) {
  out->reason = connection->reason;
  copy_text(connection->detail, out->detail);
}

bool tls_export(TlsConnection* connection, const char* label, ByteView context,
                uint8_t out[kTlsSecretSize]) {
  const ErrorsOf errors;
  const bool known = connection->done || (connection->early && !connection->client);
  return known &&
         SSL_export_keying_material(connection->ssl.get(), out, kTlsSecretSize, label,
                                    std::strlen(label), context.data, context.size, 1) == 1;
}

TlsEarly tls_early(const TlsConnection* connection) {
  if (!connection->early) return TlsEarly::kNone;
  if (!connection->client) return TlsEarly::kAccepted;
  if (!connection->done) return TlsEarly::kOffered;
  return SSL_early_data_accepted(connection->ssl.get()) == 1 ? TlsEarly::kAccepted
                                                             : TlsEarly::kNone;
}

ByteView tls_ticket(const TlsConnection* connection) {
  return {connection->ticket.data(), connection->ticket.size()};
}

ByteView tls_peer_parameters(const TlsConnection* connection) {
  const uint8_t* data = nullptr;
  size_t size = 0;
  SSL_get_peer_quic_transport_params(connection->ssl.get(), &data, &size);
  return {data, size};
}

void tls_peer(const TlsConnection* connection, TlsPeer* out) {
  copy_text(connection->verdict.name, out->name);
  out->expires_ns = connection->verdict.expires_ns;
  out->resumed = connection->resumed;
  std::string chain;
  for (const std::string& each : connection->verdict.chain) {
    if (!chain.empty()) chain += '\n';
    chain += each;
  }
  copy_text(chain, out->chain);
  std::copy(connection->verdict.key_id.begin(), connection->verdict.key_id.end(), out->key_id);
}

void tls_peer_certificates(const TlsConnection* connection,
                           void (*visit)(void* context, ByteView der), void* context) {
  for (const ByteView der : views_of(SSL_get0_peer_certificates(connection->ssl.get()))) {
    visit(context, der);
  }
}

bool tls_ticket_refused(const TlsConnection* connection) { return connection->ticket_refused; }

RefuseReason tls_judge(const TlsIdentity* identity, const ByteView* chain, size_t count,
                       bool of_server, ByteView name, uint64_t wall_ns) {
  CertificateExpectation expected;
  expected.of_server = of_server;
  expected.name.assign(reinterpret_cast<const char*>(name.data), name.size);
  if (!of_server) expected.allowed = identity->allowed;
  return verify_certificates({chain, count}, identity->anchors, expected, wall_ns).reason;
}

}  // namespace sluice::crypto
