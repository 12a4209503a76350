// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/issue.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/digest.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

namespace sluice::crypto {
namespace {

constexpr size_t kSerialBytes = 16;
constexpr long kX509Version3 = 2;  // X.509 counts its versions from 0.

bool set_serial(X509* certificate) {
  uint8_t bytes[kSerialBytes];
  RAND_bytes(bytes, sizeof(bytes));
  bytes[0] = static_cast<uint8_t>((bytes[0] & 0x7F) | 0x40);  // Positive, and of full length.
  const bssl::UniquePtr<BIGNUM> number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_precise_validity(X509* certificate, const Validity& validity) {
  bssl::ScopedCBB bytes;
  CBB fields;
  uint8_t* der = nullptr;
  size_t size = 0;
  if (!CBB_init(bytes.get(), 32) || !CBB_add_asn1(bytes.get(), &fields, CBS_ASN1_SEQUENCE) ||
      !CBB_add_asn1_uint64(&fields, validity.not_before_ns) ||
      !CBB_add_asn1_uint64(&fields, validity.not_after_ns) ||
      !CBB_finish(bytes.get(), &der, &size)) {
    return false;
  }
  const bssl::UniquePtr<uint8_t> owned(der);
  const bssl::UniquePtr<ASN1_OCTET_STRING> content(ASN1_OCTET_STRING_new());
  const bssl::UniquePtr<ASN1_OBJECT> oid(ASN1_OBJECT_create(
      NID_undef, kPreciseValidityOid, sizeof(kPreciseValidityOid), nullptr, nullptr));
  if (!content || !oid || ASN1_OCTET_STRING_set(content.get(), der, static_cast<int>(size)) != 1) {
    return false;
  }
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, content.get()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_validity(X509* certificate, const Validity& validity) {
  const auto first = static_cast<time_t>(validity.not_before_ns / kNanosPerSecond);
  const auto last =
      static_cast<time_t>((validity.not_after_ns + kNanosPerSecond - 1) / kNanosPerSecond);
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), first) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), last) == nullptr) {
    return false;
  }
  const bool whole =
      validity.not_before_ns % kNanosPerSecond == 0 && validity.not_after_ns % kNanosPerSecond == 0;
  return whole || add_precise_validity(certificate, validity);
}

bool add_extension(X509* certificate, int nid, const std::string& value, const X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer == nullptr ? certificate : issuer), certificate,
                 nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bssl::UniquePtr<GENERAL_NAME> dns_name_of(const std::string& name) {
  bssl::UniquePtr<GENERAL_NAME> out(GENERAL_NAME_new());
  if (!out) return nullptr;
  out->type = GEN_DNS;
  out->d.dNSName = ASN1_IA5STRING_new();
  if (out->d.dNSName == nullptr ||
      ASN1_STRING_set(out->d.dNSName, name.data(), static_cast<int>(name.size())) != 1) {
    return nullptr;
  }
  return out;
}

bool add_names(X509* certificate, const std::vector<std::string>& names) {
  const bssl::UniquePtr<GENERAL_NAMES> list(GENERAL_NAMES_new());
  if (!list) return false;
  for (const std::string& name : names) {
    if (!bssl::PushToStack(list.get(), dns_name_of(name))) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_APPEND) ==
         1;
}

// A CA that is constrained to suffixes may issue for no other kind of name either, since this
// module accepts none.
bool add_constraints(X509* certificate, const std::vector<std::string>& suffixes) {
  const bssl::UniquePtr<NAME_CONSTRAINTS> constraints(NAME_CONSTRAINTS_new());
  if (!constraints) return false;
  constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
  if (constraints->permittedSubtrees == nullptr) return false;
  for (const std::string& suffix : suffixes) {
    bssl::UniquePtr<GENERAL_SUBTREE> subtree(GENERAL_SUBTREE_new());
    auto name = dns_name_of(suffix);
    if (!subtree || !name) return false;
    GENERAL_NAME_free(subtree->base);
    subtree->base = name.release();
    if (!bssl::PushToStack(constraints->permittedSubtrees, std::move(subtree))) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_name_constraints, constraints.get(), 1,
                           X509V3_ADD_APPEND) == 1;
}

bool add_extensions(X509* certificate, const CertificateRequest& request, const X509* issuer) {
  if (!request.ca) {
    return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE", issuer) &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature", issuer) &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth", issuer) &&
           add_names(certificate, request.names);
  }
  const std::string basic =
      "critical,CA:TRUE,pathlen:" + std::to_string(static_cast<unsigned>(request.path_length));
  if (!add_extension(certificate, NID_basic_constraints, basic, issuer) ||
      !add_extension(certificate, NID_key_usage, "critical,keyCertSign", issuer)) {
    return false;
  }
  return request.names.empty() || add_constraints(certificate, request.names);
}

std::string text_of(ByteView view) { return {reinterpret_cast<const char*>(view.data), view.size}; }

bool put_bio(BIO* bio, ByteSink sink) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (BIO_mem_contents(bio, &bytes, &size) != 1) return false;
  sink.put(sink.context, {bytes, size});
  return true;
}

bool put_certificate(X509* certificate, ByteSink sink) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  return bio && PEM_write_bio_X509(bio.get(), certificate) == 1 && put_bio(bio.get(), sink);
}

bool put_key(EVP_PKEY* key, ByteSink sink) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      !put_bio(bio.get(), sink)) {
    return false;
  }
  uint8_t* bytes = nullptr;
  size_t size = 0;
  if (BIO_mem_contents(bio.get(), const_cast<const uint8_t**>(&bytes), &size) == 1) {
    OPENSSL_cleanse(bytes, size);
  }
  return true;
}

void copy_text(const std::string& text, char (&out)[kMaxNameText]) {
  const size_t size = std::min(text.size(), kMaxNameText - 1);
  std::memcpy(out, text.data(), size);
  out[size] = 0;
}

std::vector<std::string> permitted_suffixes(const X509* certificate) {
  std::vector<std::string> out;
  const bssl::UniquePtr<NAME_CONSTRAINTS> constraints(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(certificate, NID_name_constraints, nullptr, nullptr)));
  if (!constraints || constraints->permittedSubtrees == nullptr) return out;
  for (size_t i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    const GENERAL_NAME* base = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base;
    if (base->type != GEN_DNS) continue;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(base->d.dNSName)),
                     static_cast<size_t>(ASN1_STRING_length(base->d.dNSName)));
  }
  return out;
}

}  // namespace

bssl::UniquePtr<EVP_PKEY> make_key(KeyKind kind) {
  bssl::UniquePtr<EVP_PKEY> key;
  if (kind == KeyKind::kEd25519) {
    const bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
    EVP_PKEY* made = nullptr;
    if (context && EVP_PKEY_keygen_init(context.get()) == 1) {
      EVP_PKEY_keygen(context.get(), &made);
    }
    key.reset(made);
  } else if (kind == KeyKind::kEcdsaP256) {
    bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
    key.reset(EVP_PKEY_new());
    if (!ec || !key || EC_KEY_generate_key(ec.get()) != 1 ||
        EVP_PKEY_assign_EC_KEY(key.get(), ec.get()) != 1) {
      return nullptr;
    }
    static_cast<void>(ec.release());
  }
  return key;
}

bssl::UniquePtr<X509> build_certificate(const CertificateRequest& request, EVP_PKEY* key,
                                        const X509* issuer) {
  bssl::UniquePtr<X509> out(X509_new());
  if (!out || X509_set_version(out.get(), kX509Version3) != 1 || !set_serial(out.get()) ||
      X509_set_pubkey(out.get(), key) != 1) {
    return nullptr;
  }
  // A common name has at most 64 characters; a longer one says nothing here anyway.
  const std::string common = request.common_name.substr(0, 64);
  X509_NAME* subject = X509_get_subject_name(out.get());
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const uint8_t*>(common.data()),
                                 static_cast<int>(common.size()), -1, 0) != 1) {
    return nullptr;
  }
  X509_NAME* by = issuer == nullptr ? subject : X509_get_subject_name(issuer);
  if (X509_set_issuer_name(out.get(), by) != 1 || !set_validity(out.get(), request.validity) ||
      !add_extensions(out.get(), request, issuer) ||
      !add_extension(out.get(), NID_subject_key_identifier, "hash", issuer)) {
    return nullptr;
  }
  // RFC 5280 section 4.2.1.1. Nothing here looks at it; stricter verifiers do.
  if (issuer != nullptr && X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0 &&
      !add_extension(out.get(), NID_authority_key_identifier, "keyid:always", issuer)) {
    return nullptr;
  }
  return out;
}

bool sign_certificate(X509* certificate, EVP_PKEY* issuer_key) {
  const bool hashes = EVP_PKEY_id(issuer_key) != EVP_PKEY_ED25519;
  return X509_sign(certificate, issuer_key, hashes ? EVP_sha256() : nullptr) != 0;
}

bool issue_pem(const IssueInput* input, ByteSink certificate_pem, ByteSink key_pem) {
  const ErrorsOf errors;
  auto key = input->key_pem.size > 0 ? read_pem_key(input->key_pem) : make_key(input->key_kind);
  if (!key || !key_allowed(key.get())) return false;
  CertificateRequest request;
  request.common_name = text_of(input->common_name);
  for (size_t i = 0; i < input->name_count; ++i) request.names.push_back(text_of(input->names[i]));
  request.ca = input->ca;
  request.path_length = input->path_length;
  request.validity = {input->not_before_ns, input->not_after_ns};
  std::vector<bssl::UniquePtr<X509>> issuers;
  bssl::UniquePtr<EVP_PKEY> issuer_key = bssl::UpRef(key);
  if (input->ca_certificate_pem.size > 0) {
    issuers = read_pem_certificates(input->ca_certificate_pem);
    issuer_key = read_pem_key(input->ca_key_pem);
    if (issuers.empty() || !issuer_key ||
        X509_check_private_key(issuers.front().get(), issuer_key.get()) != 1) {
      return false;
    }
  }
  const X509* issuer = issuers.empty() ? nullptr : issuers.front().get();
  const auto certificate = build_certificate(request, key.get(), issuer);
  if (!certificate || !sign_certificate(certificate.get(), issuer_key.get()) ||
      !put_certificate(certificate.get(), certificate_pem)) {
    return false;
  }
  // Issuers that are no anchors themselves travel with what they issue.
  for (const auto& each : issuers) {
    if (X509_NAME_cmp(X509_get_subject_name(each.get()), X509_get_issuer_name(each.get())) == 0) {
      continue;
    }
    if (!put_certificate(each.get(), certificate_pem)) return false;
  }
  return put_key(key.get(), key_pem);
}

void read_facts(const X509* certificate, CertificateFacts* out, std::vector<std::string>* names) {
  *out = CertificateFacts{};
  const SubjectNames subject = read_names(certificate);
  out->is_ca = X509_check_ca(const_cast<X509*>(certificate)) == 1;
  *names = out->is_ca ? permitted_suffixes(certificate) : subject.raw;
  const std::string common = common_name(certificate);
  copy_text(subject.raw.empty() ? common : subject.raw.front(), out->name);
  copy_text(issuer_common_name(certificate), out->issuer);
  copy_text(common, out->subject);
  Validity validity;
  if (read_validity(certificate, &validity)) {
    out->not_before_ns = validity.not_before_ns;
    out->not_after_ns = validity.not_after_ns;
  }
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(const_cast<X509*>(certificate)));
  out->key = kind_of(key.get());
  unsigned size = kSha256Size;
  X509_digest(certificate, EVP_sha256(), out->fingerprint, &size);
}

size_t inspect_pem(ByteView pem,
                   void (*visit)(void* context, const CertificateFacts* facts, ByteView names),
                   void* context) {
  const ErrorsOf errors;
  const auto certificates = read_pem_certificates(pem);
  for (const auto& each : certificates) {
    CertificateFacts facts;
    std::vector<std::string> names;
    read_facts(each.get(), &facts, &names);
    std::string joined;
    for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
    visit(context, &facts, {reinterpret_cast<const uint8_t*>(joined.data()), joined.size()});
  }
  return certificates.size();
}

}  // namespace sluice::crypto
