// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake_cookie.h"

#include <algorithm>
#include <string_view>

#include "base/byte_order.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

constexpr std::string_view kLabel = "sluice cookie 1";
constexpr std::string_view kTokenLabel = "sluice token 1";
constexpr size_t kTimeSize = 4;
constexpr uint64_t kNanosPerSecond = 1'000'000'000;

// Wraps after 136 years; differences are taken modulo 2^32.
uint32_t whole_seconds(base::Nanos now) {
  return static_cast<uint32_t>(now.value() / kNanosPerSecond);
}

}  // namespace

CookieJar::CookieJar(const Primitives* primitives, RandomSource random)
    : primitives_(primitives), random_(random) {
  random_(token_key_.data(), token_key_.size());
}

CookieJar::~CookieJar() {
  wipe(current_.bytes.data(), current_.bytes.size());
  wipe(previous_.bytes.data(), previous_.bytes.size());
  wipe(token_key_.data(), token_key_.size());
}

void CookieJar::rotate(base::Nanos now) {
  if (previous_.valid &&
      base::elapsed(current_.made, now) > base::limits::kCookieLifetime + base::seconds(1)) {
    wipe(previous_.bytes.data(), previous_.bytes.size());
    previous_.valid = false;
  }
  if (current_.valid && base::elapsed(current_.made, now) < kCookieKeyLifetime) return;
  previous_ = current_;
  random_(current_.bytes.data(), current_.bytes.size());
  current_.made = now;
  current_.valid = true;
}

void CookieJar::seal(const Key& key, uint32_t time, std::span<const uint8_t> address,
                     uint64_t attempt, uint8_t* cookie) const {
  uint8_t head[kTimeSize + 8];
  base::store_be32(head, time);
  base::store_be64(head + kTimeSize, attempt);
  // PROTOCOL MUST-H8
  const ByteView parts[] = {
      {reinterpret_cast<const uint8_t*>(kLabel.data()), kLabel.size()},
      {head, sizeof(head)},
      {address.data(), address.size()},
  };
  uint8_t mac[kSha256Size];
  primitives_->hmac_sha256({key.bytes.data(), key.bytes.size()}, parts, std::size(parts), mac);
  base::store_be32(cookie, time);
  std::copy(mac, mac + kCookieSize - kTimeSize, cookie + kTimeSize);
}

Cookie CookieJar::make(std::span<const uint8_t> address, uint64_t attempt, base::Nanos now) {
  rotate(now);
  Cookie out;
  seal(current_, whole_seconds(now), address, attempt, out.data());
  return out;
}

CookieVerdict CookieJar::check(std::span<const uint8_t> cookie, std::span<const uint8_t> address,
                               uint64_t attempt, base::Nanos now) {
  rotate(now);
  if (cookie.size() != kCookieSize) return CookieVerdict::kForged;
  const uint32_t time = base::load_be32(cookie.data());
  for (const Key* key : {&current_, &previous_}) {
    if (!key->valid) continue;
    Cookie expected;
    seal(*key, time, address, attempt, expected.data());
    if (!equal_constant_time(expected.data(), cookie.data(), kCookieSize)) continue;
    const uint32_t age = whole_seconds(now) - time;
    return base::seconds(age) <= base::limits::kCookieLifetime ? CookieVerdict::kValid
                                                               : CookieVerdict::kExpired;
  }
  return CookieVerdict::kForged;
}

// PROTOCOL MUST-E6
void CookieJar::seal_token(uint32_t time, std::span<const uint8_t> address, uint8_t* token) const {
  uint8_t head[kTimeSize];
  base::store_be32(head, time);
  const ByteView parts[] = {view_of(kTokenLabel), {head, sizeof(head)}, view_of(address)};
  uint8_t mac[kSha256Size];
  primitives_->hmac_sha256(view_of(token_key_), parts, std::size(parts), mac);
  std::copy_n(head, kTimeSize, token);
  std::copy_n(mac, kCookieSize - kTimeSize, token + kTimeSize);
}

Cookie CookieJar::make_token(std::span<const uint8_t> address, base::Nanos now) const {
  Cookie out;
  seal_token(whole_seconds(now), address, out.data());
  return out;
}

CookieVerdict CookieJar::check_token(std::span<const uint8_t> token,
                                     std::span<const uint8_t> address, base::Nanos now) const {
  if (token.size() != kCookieSize) return CookieVerdict::kForged;
  const uint32_t time = base::load_be32(token.data());
  Cookie expected;
  seal_token(time, address, expected.data());
  if (!equal_constant_time(expected.data(), token.data(), kCookieSize)) {
    return CookieVerdict::kForged;
  }
  const uint32_t age = whole_seconds(now) - time;
  return base::seconds(age) <= base::limits::kAddressTokenLifetime ? CookieVerdict::kValid
                                                                   : CookieVerdict::kExpired;
}

}  // namespace sluice::crypto
