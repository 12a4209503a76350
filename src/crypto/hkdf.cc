// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/byte_order.h"
#include "base/check.h"
#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

ByteView view(std::span<const uint8_t> bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

void hkdf_extract(const Primitives& primitives, std::span<const uint8_t> salt,
                  std::span<const uint8_t> input, std::span<uint8_t, kSha256Size> prk) {
  const ByteView part = view(input);
  primitives.hmac_sha256(view(salt), &part, 1, prk.data());
}

void hkdf_expand(const Primitives& primitives, std::span<const uint8_t, kSha256Size> prk,
                 std::span<const uint8_t> info, std::span<uint8_t> out) {
  SLUICE_CHECK(out.size() <= kHkdfMaxOutput);
  std::array<uint8_t, kSha256Size> block;
  WipeOnExit wipe_block(&block);
  uint8_t counter = 0;
  for (size_t done = 0; done < out.size();) {
    // T(0) is empty, so the first round leaves the first part out.
    const size_t previous = counter == 0 ? 0 : block.size();
    ++counter;
    const ByteView parts[] = {{block.data(), previous}, view(info), {&counter, 1}};
    primitives.hmac_sha256(view(prk), parts, 3, block.data());
    const size_t take = std::min(block.size(), out.size() - done);
    std::memcpy(out.data() + done, block.data(), take);
    done += take;
  }
}

void hkdf_expand_label(const Primitives& primitives, std::span<const uint8_t, kSha256Size> secret,
                       std::string_view label, std::span<const uint8_t> context,
                       std::span<uint8_t> out) {
  SLUICE_CHECK(label.size() <= kHkdfMaxLabel && context.size() <= kHkdfMaxContext);
  SLUICE_CHECK(out.size() <= kHkdfMaxOutput);
  std::array<uint8_t, 2 + 1 + 255 + 1 + 255> info;
  uint8_t* at = info.data();
  base::store_be16(at, static_cast<uint16_t>(out.size()));
  at += 2;
  *at++ = static_cast<uint8_t>(kHkdfLabelPrefix.size() + label.size());
  at = std::copy(kHkdfLabelPrefix.begin(), kHkdfLabelPrefix.end(), at);
  at = std::copy(label.begin(), label.end(), at);
  *at++ = static_cast<uint8_t>(context.size());
  at = std::copy(context.begin(), context.end(), at);
  const size_t length = static_cast<size_t>(at - info.data());
  hkdf_expand(primitives, secret, std::span<const uint8_t>(info.data(), length), out);
}

}  // namespace sluice::crypto
