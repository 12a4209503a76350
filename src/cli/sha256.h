// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_SHA256_H_
#define SLUICE_CLI_SHA256_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace sluice::cli {

using Digest = std::array<uint8_t, 32>;

// SHA-256 by the library that the handshake uses, loaded as the engine loads it. Unavailable when
// it cannot be had.
absl::StatusOr<Digest> sha256(std::span<const uint8_t> bytes);

// Of a file's content, which must not shrink meanwhile.
absl::StatusOr<Digest> sha256_of_file(const std::string& path);
absl::StatusOr<Digest> sha256_of_file(int fd);

// 64 hexadecimal digits.
std::string digest_text(const Digest& digest);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SHA256_H_
