// SPDX-License-Identifier: Apache-2.0
//
// One TLS 1.3 handshake, carried by somebody else: the QUIC interface of RFC 9001 section 4.1,
// with Sluice's own rules in the place of the library's. Certificates are judged by
// certificate.h alone.
#ifndef SLUICE_CRYPTO_BORINGSSL_CONNECTION_H_
#define SLUICE_CRYPTO_BORINGSSL_CONNECTION_H_

#include <openssl/base.h>
#include <openssl/ssl.h>

#include "crypto/boringssl/identity.h"
#include "crypto/boringssl/tls_functions.h"

namespace sluice::crypto {

// The library's settings for an identity; null when it does not take them.
bssl::UniquePtr<SSL_CTX> make_tls_context(const std::vector<bssl::UniquePtr<X509>>& chain,
                                          EVP_PKEY* key);

// The functions of the table.
const char* tls_key_groups();
bool tls_is_hybrid();
TlsConnection* tls_connect(TlsIdentity* identity, const TlsClientInput* input,
                           const TlsCallbacks* callbacks);
TlsConnection* tls_accept(TlsIdentity* identity, ByteView early_context,
                          const TlsCallbacks* callbacks);
void tls_free(TlsConnection* connection);
TlsStep tls_provide(TlsConnection* connection, TlsLevel level, ByteView bytes, uint64_t wall_ns);
void tls_refusal(const TlsConnection* connection, TlsRefusal* out);
TlsEarly tls_early(const TlsConnection* connection);
ByteView tls_ticket(const TlsConnection* connection);
bool tls_export(TlsConnection* connection, const char* label, ByteView context,
                uint8_t out[kTlsSecretSize]);
ByteView tls_peer_parameters(const TlsConnection* connection);
void tls_peer(const TlsConnection* connection, TlsPeer* out);
void tls_peer_certificates(const TlsConnection* connection,
                           void (*visit)(void* context, ByteView der), void* context);
bool tls_ticket_refused(const TlsConnection* connection);
RefuseReason tls_judge(const TlsIdentity* identity, const ByteView* chain, size_t count,
                       bool of_server, ByteView name, uint64_t wall_ns);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_CONNECTION_H_
