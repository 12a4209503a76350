// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/x509_support.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace sluice::crypto {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

bool read_seconds(const ASN1_TIME* time, uint64_t* ns) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || time == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return false;
  }
  const int64_t total = int64_t{days} * kSecondsPerDay + seconds;
  // Before 1970 is long ago; far beyond what 64 bits of nanoseconds hold is never.
  if (total < 0) {
    *ns = 0;
  } else if (static_cast<uint64_t>(total) > UINT64_MAX / kNanosPerSecond) {
    *ns = UINT64_MAX;
  } else {
    *ns = static_cast<uint64_t>(total) * kNanosPerSecond;
  }
  return true;
}

// The extension's content, or null where the certificate has none.
const ASN1_STRING* precise_validity(const X509* certificate) {
  const bssl::UniquePtr<ASN1_OBJECT> oid(ASN1_OBJECT_create(
      NID_undef, kPreciseValidityOid, sizeof(kPreciseValidityOid), nullptr, nullptr));
  if (!oid) return nullptr;
  const int at = X509_get_ext_by_OBJ(certificate, oid.get(), -1);
  if (at < 0) return nullptr;
  return X509_EXTENSION_get_data(X509_get_ext(certificate, at));
}

std::string name_entry(const X509_NAME* name) {
  char text[256];
  const int length = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
  return length > 0 ? std::string(text, static_cast<size_t>(length)) : std::string();
}

// Keys with a pass phrase would ask for it on the terminal.
int no_pass_phrase(char*, int, int, void*) { return 0; }

}  // namespace

ErrorsOf::ErrorsOf() { ERR_clear_error(); }
ErrorsOf::~ErrorsOf() { ERR_clear_error(); }

bssl::UniquePtr<X509> parse_certificate(ByteView der) {
  if (der.size == 0) return nullptr;
  const uint8_t* at = der.data;
  bssl::UniquePtr<X509> out(d2i_X509(nullptr, &at, static_cast<long>(der.size)));
  if (!out || at != der.data + der.size) return nullptr;
  return out;
}

std::vector<uint8_t> certificate_der(const X509* certificate) {
  uint8_t* bytes = nullptr;
  const int size = i2d_X509(const_cast<X509*>(certificate), &bytes);
  if (size <= 0) return {};
  const bssl::UniquePtr<uint8_t> owned(bytes);
  return {bytes, bytes + size};
}

bool read_validity(const X509* certificate, Validity* out) {
  if (!read_seconds(X509_get0_notBefore(certificate), &out->not_before_ns) ||
      !read_seconds(X509_get0_notAfter(certificate), &out->not_after_ns)) {
    return false;
  }
  const ASN1_STRING* precise = precise_validity(certificate);
  if (precise == nullptr) return true;
  CBS bytes;
  CBS fields;
  uint64_t begin = 0;
  uint64_t end = 0;
  CBS_init(&bytes, ASN1_STRING_get0_data(precise),
           static_cast<size_t>(ASN1_STRING_length(precise)));
  if (!CBS_get_asn1(&bytes, &fields, CBS_ASN1_SEQUENCE) || CBS_len(&bytes) != 0 ||
      !CBS_get_asn1_uint64(&fields, &begin) || !CBS_get_asn1_uint64(&fields, &end) ||
      CBS_len(&fields) != 0) {
    return false;
  }
  // It can only narrow what X.509 states.
  out->not_before_ns = std::max(out->not_before_ns, begin);
  out->not_after_ns = std::min(out->not_after_ns, end);
  return true;
}

SubjectNames read_names(const X509* certificate) {
  SubjectNames out;
  int critical = 0;
  const bssl::UniquePtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (!names) {
    out.readable = critical == -1;  // Not there at all, rather than broken or there twice.
    return out;
  }
  for (size_t i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) {
      out.other_types = true;
      continue;
    }
    const ASN1_STRING* text = name->d.dNSName;
    out.raw.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return out;
}

std::string common_name(const X509* certificate) {
  return name_entry(X509_get_subject_name(certificate));
}

std::string issuer_common_name(const X509* certificate) {
  return name_entry(X509_get_issuer_name(certificate));
}

KeyKind kind_of(const EVP_PKEY* key) {
  if (key == nullptr) return KeyKind::kOther;
  if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) return KeyKind::kEd25519;
  if (EVP_PKEY_id(key) != EVP_PKEY_EC) return KeyKind::kOther;
  const EC_KEY* ec = EVP_PKEY_get0_EC_KEY(key);
  const bool p256 =
      ec != nullptr && EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) == NID_X9_62_prime256v1;
  return p256 ? KeyKind::kEcdsaP256 : KeyKind::kOther;
}

bool key_allowed(const EVP_PKEY* key) { return kind_of(key) != KeyKind::kOther; }

bool signature_allowed(const X509* certificate) {
  const int nid = X509_get_signature_nid(certificate);
  return nid == NID_ecdsa_with_SHA256 || nid == NID_ED25519;
}

std::vector<bssl::UniquePtr<X509>> read_pem_certificates(ByteView pem) {
  const ErrorsOf errors;
  std::vector<bssl::UniquePtr<X509>> out;
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data, static_cast<ptrdiff_t>(pem.size)));
  if (!bio) return out;
  for (;;) {
    bssl::UniquePtr<X509> one(PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr));
    if (!one) break;
    out.push_back(std::move(one));
  }
  // The end of the text is the one good reason to stop.
  const uint32_t last = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (!at_end) out.clear();
  return out;
}

bssl::UniquePtr<EVP_PKEY> read_pem_key(ByteView pem) {
  const ErrorsOf errors;
  const bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data, static_cast<ptrdiff_t>(pem.size)));
  if (!bio) return nullptr;
  return bssl::UniquePtr<EVP_PKEY>(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
}

}  // namespace sluice::crypto
