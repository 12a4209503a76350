// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_messages.h"

#include <algorithm>

#include "base/byte_order.h"
#include "crypto/hkdf.h"
#include "crypto/message_bytes.h"

namespace sluice::crypto {
namespace {

constexpr std::string_view kHelloSalt = "sluice tls hello 1";
constexpr std::string_view kSealSalt = "sluice tls seal 1";
constexpr size_t kSealKeySize = 32;  // AES-256-GCM.
constexpr size_t kCoreHead = 1 + 1 + 8 + 2;

using Bytes = std::span<const uint8_t>;

// A key that only who has seen the hello can know: damage, and strangers off the path, are found
// before TLS sees a byte. It proves nothing else.
TlsCheck hello_key(const Primitives& primitives, Bytes core, std::string_view label) {
  TlsCheck prk;
  hkdf_extract(primitives, as_bytes(kHelloSalt), core, prk);
  TlsCheck out;
  hkdf_expand_label(primitives, prk, label, {}, out);
  return out;
}

TlsCheck hello_check(const Primitives& primitives, Bytes core, Bytes token, Bytes padding) {
  const TlsCheck key = hello_key(primitives, core, "tls client hello");
  const auto token_size = static_cast<uint8_t>(token.size());
  uint8_t padding_size[2];
  base::store_be16(padding_size, static_cast<uint16_t>(padding.size()));
  const ByteView parts[] = {
      {&token_size, 1}, view_of(token), {padding_size, sizeof(padding_size)}, view_of(padding)};
  TlsCheck out;
  primitives.hmac_sha256(view_of(key), parts, std::size(parts), out.data());
  return out;
}

TlsCheck server_check(const Primitives& primitives, Bytes core, Bytes body) {
  const TlsCheck key = hello_key(primitives, core, "tls server hello");
  const ByteView part = view_of(body);
  TlsCheck out;
  primitives.hmac_sha256(view_of(key), &part, 1, out.data());
  return out;
}

bool equal(Bytes given, const TlsCheck& expected) {
  return given.size() == expected.size() &&
         equal_constant_time(given.data(), expected.data(), expected.size());
}

}  // namespace

// PROTOCOL MUST-I7
std::vector<uint8_t> encode_tls_core(uint64_t attempt, Bytes tls) {
  std::vector<uint8_t> out{static_cast<uint8_t>(HandshakeMechanismId::kTls13), kTlsFormat};
  uint8_t id[8];
  base::store_be64(id, attempt);
  append(&out, id);
  append_u16(&out, tls.size());
  append(&out, tls);
  return out;
}

std::vector<uint8_t> join_tls_hello(const Primitives& primitives, Bytes core, Bytes token,
                                    size_t min_bytes) {
  const size_t unpadded = core.size() + 2 + kTlsCheckSize;
  const std::vector<uint8_t> padding(min_bytes > unpadded ? min_bytes - unpadded : 0, uint8_t{0});
  std::vector<uint8_t> out(core.begin(), core.end());
  append_u16(&out, padding.size());
  append(&out, padding);
  append(&out, hello_check(primitives, core, token, padding));
  return out;
}

std::optional<TlsClientHelloView> decode_tls_hello(Bytes message) {
  if (message.size() < kCoreHead ||
      message[0] != static_cast<uint8_t>(HandshakeMechanismId::kTls13) ||
      message[1] != kTlsFormat) {
    return std::nullopt;
  }
  TlsClientHelloView out;
  out.attempt = base::load_be64(message.data() + 2);
  const size_t tls = base::load_be16(message.data() + 10);
  if (message.size() < kCoreHead + tls + 2 + kTlsCheckSize) return std::nullopt;
  out.core = message.first(kCoreHead + tls);
  out.tls = out.core.subspan(kCoreHead);
  const size_t padding = base::load_be16(message.data() + out.core.size());
  const Bytes rest = message.subspan(out.core.size() + 2);
  if (rest.size() != padding + kTlsCheckSize) return std::nullopt;
  out.padding = rest.first(padding);
  out.check = rest.subspan(padding);
  return out;
}

bool tls_hello_intact(const Primitives& primitives, const TlsClientHelloView& hello, Bytes token) {
  return equal(hello.check, hello_check(primitives, hello.core, token, hello.padding));
}

std::vector<uint8_t> join_tls_server_hello(const Primitives& primitives, Bytes core, Bytes tls,
                                           Bytes sealed) {
  std::vector<uint8_t> out{kTlsFormat};
  append_u16(&out, tls.size());
  append(&out, tls);
  append(&out, sealed);
  append(&out, server_check(primitives, core, out));
  return out;
}

std::optional<TlsServerHelloView> decode_tls_server_hello(Bytes message) {
  if (message.size() < 3 + kTlsCheckSize || message[0] != kTlsFormat) return std::nullopt;
  const size_t tls = base::load_be16(message.data() + 1);
  if (message.size() < 3 + tls + kTlsCheckSize) return std::nullopt;
  TlsServerHelloView out;
  out.body = message.first(message.size() - kTlsCheckSize);
  out.tls = message.subspan(3, tls);
  out.sealed = out.body.subspan(3 + tls);
  out.check = message.last(kTlsCheckSize);
  return out;
}

bool tls_server_hello_intact(const Primitives& primitives, Bytes core,
                             const TlsServerHelloView& hello) {
  return equal(hello.check, server_check(primitives, core, hello.body));
}

TlsSeal::TlsSeal(const BoringsslModule* module, Bytes secret, std::string_view label)
    : module_(module) {
  TlsCheck prk;
  TlsCheck root;
  std::array<uint8_t, kSealKeySize> key;
  const WipeOnExit wipe_prk(&prk);
  const WipeOnExit wipe_root(&root);
  const WipeOnExit wipe_key(&key);
  hkdf_extract(module->primitives, as_bytes(kSealSalt), secret, prk);
  hkdf_expand_label(module->primitives, prk, label, {}, root);
  hkdf_expand_label(module->primitives, root, "key", {}, key);
  hkdf_expand_label(module->primitives, root, "iv", {}, nonce_);
  usable_ = module->aead_expand(AeadAlgorithm::kAes256Gcm, view_of(key), state_.data());
}

TlsSeal::~TlsSeal() {
  if (usable_) module_->aead_discard(state_.data());
  wipe(state_.data(), state_.size());
  wipe(nonce_.data(), nonce_.size());
}

std::vector<uint8_t> TlsSeal::seal(uint64_t attempt, Bytes plain) const {
  uint8_t aad[8];
  base::store_be64(aad, attempt);
  std::vector<uint8_t> out(plain.size() + kTagSize);
  if (!usable_ || !module_->aead_seal(state_.data(), nonce_.data(), {aad, sizeof(aad)},
                                      view_of(plain), out.data())) {
    out.clear();
  }
  return out;
}

std::optional<std::vector<uint8_t>> TlsSeal::open(uint64_t attempt, Bytes sealed) const {
  if (!usable_ || sealed.size() < kTagSize) return std::nullopt;
  uint8_t aad[8];
  base::store_be64(aad, attempt);
  const size_t size = sealed.size() - kTagSize;
  // Never without memory to point to, also for an empty message.
  std::vector<uint8_t> out(std::max<size_t>(size, 1));
  if (!module_->aead_open(state_.data(), nonce_.data(), {aad, sizeof(aad)}, {sealed.data(), size},
                          sealed.data() + size, out.data())) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

}  // namespace sluice::crypto
