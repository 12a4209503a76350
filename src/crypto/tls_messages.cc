// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_messages.h"

#include <algorithm>

#include "base/byte_order.h"
#include "crypto/handshake_cookie.h"
#include "crypto/hkdf.h"
#include "crypto/message_bytes.h"

namespace sluice::crypto {
namespace {

constexpr std::string_view kHelloSalt = "sluice tls hello 1";
constexpr std::string_view kSealSalt = "sluice tls seal 1";
constexpr size_t kSealKeySize = 32;  // AES-256-GCM.
constexpr size_t kCoreHead = 1 + 1 + 8 + 2;
constexpr size_t kEarlyHead = 2 + 2;  // Of each early request.

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

TlsCheck hello_check(const Primitives& primitives, Bytes core, Bytes token, Bytes padding,
                     Bytes early) {
  const TlsCheck key = hello_key(primitives, core, "tls client hello");
  const auto token_size = static_cast<uint8_t>(token.size());
  uint8_t padding_size[2];
  base::store_be16(padding_size, static_cast<uint16_t>(padding.size()));
  uint8_t early_size[2];
  base::store_be16(early_size, static_cast<uint16_t>(early.size()));
  const ByteView parts[] = {{&token_size, 1},
                            view_of(token),
                            {padding_size, sizeof(padding_size)},
                            view_of(padding),
                            {early_size, sizeof(early_size)},
                            view_of(early)};
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
                                    size_t min_bytes, Bytes early) {
  const size_t unpadded = core.size() + 2 + 2 + early.size() + kTlsCheckSize;
  const std::vector<uint8_t> padding(min_bytes > unpadded ? min_bytes - unpadded : 0, uint8_t{0});
  std::vector<uint8_t> out(core.begin(), core.end());
  append_u16(&out, padding.size());
  append(&out, padding);
  append_u16(&out, early.size());
  append(&out, early);
  append(&out, hello_check(primitives, core, token, padding, early));
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
  if (rest.size() < padding + 2 + kTlsCheckSize) return std::nullopt;
  const size_t early = base::load_be16(rest.data() + padding);
  if (rest.size() != padding + 2 + early + kTlsCheckSize) return std::nullopt;
  out.padding = rest.first(padding);
  out.early = rest.subspan(padding + 2, early);
  out.check = rest.last(kTlsCheckSize);
  return out;
}

bool tls_hello_intact(const Primitives& primitives, const TlsClientHelloView& hello, Bytes token) {
  return equal(hello.check, hello_check(primitives, hello.core, token, hello.padding, hello.early));
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

std::vector<uint8_t> encode_early(std::span<const EarlyRequest> requests) {
  std::vector<uint8_t> out{static_cast<uint8_t>(requests.size())};
  for (const EarlyRequest& request : requests) {
    append_u16(&out, request.service);
    append_u16(&out, request.bytes.size());
    append(&out, request.bytes);
  }
  return out;
}

std::optional<std::vector<EarlyRequest>> decode_early(Bytes bytes) {
  if (bytes.empty() || bytes[0] == 0 || bytes[0] > base::limits::kMaxEarlyRequests) {
    return std::nullopt;
  }
  std::vector<EarlyRequest> out(bytes[0]);
  bytes = bytes.subspan(1);
  for (EarlyRequest& request : out) {
    if (bytes.size() < kEarlyHead) return std::nullopt;
    request.service = base::load_be16(bytes.data());
    const size_t size = base::load_be16(bytes.data() + 2);
    if (size == 0 || size > base::limits::kMaxEarlyRequestBytes ||
        bytes.size() < kEarlyHead + size) {
      return std::nullopt;
    }
    const Bytes content = bytes.subspan(kEarlyHead, size);
    request.bytes.assign(content.begin(), content.end());
    bytes = bytes.subspan(kEarlyHead + size);
  }
  if (!bytes.empty()) return std::nullopt;
  return out;
}

size_t early_that_fit(std::span<const EarlyRequest> requests) {
  size_t total = 0;
  size_t count = 0;
  while (count < std::min(requests.size(), base::limits::kMaxEarlyRequests)) {
    const size_t size = requests[count].bytes.size();
    total += size;
    if (size == 0 || size > base::limits::kMaxEarlyRequestBytes ||
        total > base::limits::kMaxEarlyBytes) {
      break;
    }
    ++count;
  }
  return count;
}

std::vector<uint8_t> encode_client_flight(const ResetToken& token, Bytes tls) {
  std::vector<uint8_t> out(token.begin(), token.end());
  append(&out, tls);
  return out;
}

std::vector<uint8_t> encode_server_flight(const TlsServerFlight& flight) {
  std::vector<uint8_t> out(flight.reset_token.begin(), flight.reset_token.end());
  out.push_back(flight.early_taken);
  out.push_back(static_cast<uint8_t>(flight.address_token.size()));
  append(&out, flight.address_token);
  append(&out, flight.tls);
  return out;
}

std::optional<TlsServerFlight> decode_server_flight(Bytes bytes) {
  constexpr size_t kHead = kResetTokenSize + 2;
  if (bytes.size() < kHead) return std::nullopt;
  TlsServerFlight out;
  std::copy_n(bytes.begin(), kResetTokenSize, out.reset_token.begin());
  out.early_taken = bytes[kResetTokenSize];
  const size_t token = bytes[kResetTokenSize + 1];
  if (token > kMaxTokenSize || bytes.size() <= kHead + token) return std::nullopt;
  out.address_token = bytes.subspan(kHead, token);
  out.tls = bytes.subspan(kHead + token);
  return out;
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
