// SPDX-License-Identifier: Apache-2.0
//
// Stateless proof of address: a server hands a client a cookie that only the holder of that
// address can return, and keeps nothing meanwhile.
//
//   cookie = u32 time in seconds of the server's own clock | 16 first bytes of
//            HMAC-SHA-256(key, "sluice cookie 1" || u32 time || u64 attempt id || address)
//
// The key is random, local to the server, and replaced every kCookieKeyLifetime; the previous key
// is honoured until the cookies made with it have expired (base::limits::kCookieLifetime). To
// clients the cookie is opaque bytes.
//
// An address token is the same for later handshakes of a client that has completed one: it names
// the address without port and attempt, holds for base::limits::kAddressTokenLifetime, and is made
// under a key that lives as long as the process:
//
//   token = u32 time | 16 first bytes of HMAC-SHA-256(token key, "sluice token 1" || u32 time ||
//           address)
#ifndef SLUICE_CRYPTO_HANDSHAKE_COOKIE_H_
#define SLUICE_CRYPTO_HANDSHAKE_COOKIE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/limits.h"
#include "base/types.h"
#include "crypto/handshake.h"
#include "crypto/primitives.h"

namespace sluice::crypto {

inline constexpr size_t kCookieSize = 20;
inline constexpr size_t kMaxTokenSize = 64;  // What a client accepts and returns.
inline constexpr base::Nanos kCookieKeyLifetime = base::seconds(60);

using Cookie = std::array<uint8_t, kCookieSize>;

enum class CookieVerdict : uint8_t { kValid, kForged, kExpired };

// Makes and checks cookies. `now` is the clock of every other verb and never goes backwards.
class CookieJar {
 public:
  CookieJar(const Primitives* primitives, RandomSource random);
  ~CookieJar();
  CookieJar(const CookieJar&) = delete;
  CookieJar& operator=(const CookieJar&) = delete;

  // `address` is whatever names the client's address and port, the same bytes each time.
  Cookie make(std::span<const uint8_t> address, uint64_t attempt, base::Nanos now);
  CookieVerdict check(std::span<const uint8_t> cookie, std::span<const uint8_t> address,
                      uint64_t attempt, base::Nanos now);
  // `address`: without the port, the same bytes each time.
  Cookie make_token(std::span<const uint8_t> address, base::Nanos now) const;
  CookieVerdict check_token(std::span<const uint8_t> token, std::span<const uint8_t> address,
                            base::Nanos now) const;

 private:
  struct Key {
    std::array<uint8_t, kSha256Size> bytes{};
    base::Nanos made{};
    bool valid = false;
  };

  void rotate(base::Nanos now);
  void seal(const Key& key, uint32_t time, std::span<const uint8_t> address, uint64_t attempt,
            uint8_t* cookie) const;
  void seal_token(uint32_t time, std::span<const uint8_t> address, uint8_t* token) const;

  const Primitives* primitives_;
  RandomSource random_;
  Key current_;
  Key previous_;
  std::array<uint8_t, kSha256Size> token_key_{};
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_HANDSHAKE_COOKIE_H_
