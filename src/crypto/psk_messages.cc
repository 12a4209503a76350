// SPDX-License-Identifier: Apache-2.0
#include "crypto/psk_messages.h"

#include <algorithm>

#include "base/byte_order.h"
#include "base/check.h"
#include "crypto/hkdf.h"
#include "crypto/message_bytes.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

constexpr std::string_view kExtractSalt = "sluice psk 1";
constexpr std::string_view kTranscriptLabel = "sluice psk transcript 1";

// Reads fields off the front of a message; once short, always short.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : all_(bytes), rest_(bytes) {}

  std::span<const uint8_t> take(size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  uint8_t u8() {
    const auto v = take(1);
    return v.empty() ? uint8_t{0} : v[0];
  }
  uint16_t u16() {
    const auto v = take(2);
    return v.empty() ? uint16_t{0} : base::load_be16(v.data());
  }
  uint64_t u64() {
    const auto v = take(8);
    return v.empty() ? 0 : base::load_be64(v.data());
  }
  template <size_t N>
  void copy(std::array<uint8_t, N>* out) {
    const auto v = take(N);
    if (v.size() == N) std::copy(v.begin(), v.end(), out->begin());
  }
  std::span<const uint8_t> consumed() const { return all_.first(all_.size() - rest_.size()); }
  bool complete() const { return !failed_ && rest_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::span<const uint8_t> all_;
  std::span<const uint8_t> rest_;
  bool failed_ = false;
};

Digest transcript(const Primitives& primitives, std::span<const uint8_t> before, HandshakeType type,
                  std::span<const uint8_t> core) {
  uint8_t head[5];
  head[0] = static_cast<uint8_t>(type);
  base::store_be32(head + 1, static_cast<uint32_t>(core.size()));
  const ByteView parts[] = {view_of(before), {head, sizeof(head)}, view_of(core)};
  Digest out;
  primitives.sha256(parts, std::size(parts), out.data());
  return out;
}

}  // namespace

PskKeys::~PskKeys() {
  wipe(binder_key.data(), binder_key.size());
  wipe(salt.data(), salt.size());
  wipe(reset_key.data(), reset_key.size());
}

PskSecrets::~PskSecrets() {
  wipe(server_mac.data(), server_mac.size());
  wipe(client_mac.data(), client_mac.size());
  wipe(done_mac.data(), done_mac.size());
}

PskKeys derive_psk_keys(const Primitives& primitives, const Psk& psk) {
  // PROTOCOL MUST-H5
  Digest prk;
  const WipeOnExit wipe_prk(&prk);
  hkdf_extract(primitives, as_bytes(kExtractSalt), psk.bytes(), prk);
  PskKeys out;
  hkdf_expand_label(primitives, prk, "psk key id", {}, out.key_id);
  hkdf_expand_label(primitives, prk, "psk binder", {}, out.binder_key);
  hkdf_expand_label(primitives, prk, "psk salt", {}, out.salt);
  hkdf_expand_label(primitives, prk, "psk reset", {}, out.reset_key);
  return out;
}

std::vector<uint8_t> encode_hello_core(const PskClientHello& hello) {
  std::vector<uint8_t> out;
  out.push_back(static_cast<uint8_t>(HandshakeMechanismId::kPsk));
  out.push_back(kPskFormat);
  uint8_t attempt[8];
  base::store_be64(attempt, hello.attempt);
  append(&out, attempt);
  append(&out, hello.random);
  append(&out, hello.share);
  append(&out, hello.key_id);
  append_u16(&out, hello.block.size());
  append(&out, hello.block);
  return out;
}

std::vector<uint8_t> hello_padding(size_t core_size, size_t min_bytes) {
  const size_t unpadded = core_size + 2 + kPskMacSize;
  return std::vector<uint8_t>(min_bytes > unpadded ? min_bytes - unpadded : 0, uint8_t{0});
}

std::vector<uint8_t> join_hello(std::span<const uint8_t> core, std::span<const uint8_t> padding,
                                std::span<const uint8_t> binder) {
  std::vector<uint8_t> out;
  out.reserve(core.size() + 2 + padding.size() + binder.size());
  append(&out, core);
  append_u16(&out, padding.size());
  append(&out, padding);
  append(&out, binder);
  return out;
}

std::optional<PskClientHelloView> decode_hello(std::span<const uint8_t> message) {
  Reader in(message);
  PskClientHelloView out;
  if (in.u8() != static_cast<uint8_t>(HandshakeMechanismId::kPsk)) return std::nullopt;
  if (in.u8() != kPskFormat) return std::nullopt;
  out.fields.attempt = in.u64();
  in.copy(&out.fields.random);
  in.copy(&out.fields.share);
  in.copy(&out.fields.key_id);
  out.fields.block = in.take(in.u16());
  if (in.failed()) return std::nullopt;
  out.core = in.consumed();
  out.padding = in.take(in.u16());
  out.binder = in.take(kPskMacSize);
  if (!in.complete()) return std::nullopt;
  return out;
}

std::vector<uint8_t> encode_server_core(const PskServerHello& hello) {
  std::vector<uint8_t> out;
  out.push_back(kPskFormat);
  append(&out, hello.random);
  append(&out, hello.share);
  append_u16(&out, hello.block.size());
  append(&out, hello.block);
  return out;
}

std::optional<PskServerHelloView> decode_server_hello(std::span<const uint8_t> message) {
  Reader in(message);
  PskServerHelloView out;
  if (in.u8() != kPskFormat) return std::nullopt;
  in.copy(&out.fields.random);
  in.copy(&out.fields.share);
  out.fields.block = in.take(in.u16());
  if (in.failed()) return std::nullopt;
  out.core = in.consumed();
  out.mac = in.take(kPskMacSize);
  if (!in.complete()) return std::nullopt;
  return out;
}

Digest transcript_hello(const Primitives& primitives, std::span<const uint8_t> core) {
  return transcript(primitives, as_bytes(kTranscriptLabel), HandshakeType::kClientHello, core);
}

Digest transcript_server(const Primitives& primitives, const Digest& t1,
                         std::span<const uint8_t> core) {
  return transcript(primitives, t1, HandshakeType::kServerHello, core);
}

Digest hello_binder(const Primitives& primitives, const PskKeys& keys, const Digest& t1,
                    std::span<const uint8_t> token, std::span<const uint8_t> padding) {
  SLUICE_CHECK(token.size() <= UINT8_MAX);
  const uint8_t token_length = static_cast<uint8_t>(token.size());
  uint8_t padding_length[2];
  base::store_be16(padding_length, static_cast<uint16_t>(padding.size()));
  const ByteView parts[] = {
      view_of(t1), {&token_length, 1}, view_of(token), {padding_length, 2}, view_of(padding)};
  Digest out;
  primitives.hmac_sha256(view_of(keys.binder_key), parts, std::size(parts), out.data());
  return out;
}

std::optional<PskSecrets> derive_psk_secrets(const Primitives& primitives, const PskKeys& keys,
                                             std::span<const uint8_t, kX25519Size> private_key,
                                             std::span<const uint8_t, kX25519Size> peer_share,
                                             const Digest& t2) {
  std::array<uint8_t, kX25519Size> shared;
  const WipeOnExit wipe_shared(&shared);
  // PROTOCOL MUST-H11
  if (!primitives.x25519_shared(private_key.data(), peer_share.data(), shared.data())) {
    return std::nullopt;
  }
  Digest handshake;
  const WipeOnExit wipe_handshake(&handshake);
  hkdf_extract(primitives, keys.salt, shared, handshake);

  PskSecrets out;
  const auto mac = [&](std::string_view label, Digest* result) {
    Digest key;
    const WipeOnExit wipe_key(&key);
    hkdf_expand_label(primitives, handshake, label, t2, key);
    const ByteView part = view_of(t2);
    primitives.hmac_sha256(view_of(key), &part, 1, result->data());
  };
  mac("psk server hello", &out.server_mac);
  mac("psk client finished", &out.client_mac);
  mac("psk server done", &out.done_mac);
  hkdf_expand_label(primitives, handshake, "psk session", t2, out.session.bytes);
  return out;
}

}  // namespace sluice::crypto
