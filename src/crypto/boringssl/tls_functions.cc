// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/tls_functions.h"

#include "crypto/boringssl/connection.h"
#include "crypto/boringssl/identity.h"
#include "crypto/boringssl/issue.h"

namespace sluice::crypto {
namespace {

void free_identity(TlsIdentity* identity) { delete identity; }

}  // namespace

const TlsFunctions* boringssl_tls_functions() {
  static const TlsFunctions kFunctions = {
      .size = sizeof(TlsFunctions),
      .key_groups = tls_key_groups(),
      .hybrid = tls_is_hybrid(),
      .identity_new = read_identity,
      .identity_free = free_identity,
      .identity_facts = identity_facts,
      .identity_secret = identity_secret,
      .connect = tls_connect,
      .accept = tls_accept,
      .connection_free = tls_free,
      .provide = tls_provide,
      .refusal = tls_refusal,
      .early = tls_early,
      .ticket = tls_ticket,
      .export_secret = tls_export,
      .peer_parameters = tls_peer_parameters,
      .peer = tls_peer,
      .peer_certificates = tls_peer_certificates,
      .ticket_refused = tls_ticket_refused,
      .judge = tls_judge,
      .issue = issue_pem,
      .inspect = inspect_pem,
  };
  return &kFunctions;
}

}  // namespace sluice::crypto
