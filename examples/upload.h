// SPDX-License-Identifier: Apache-2.0
//
// What stream_producer and stream_consumer agree on.
#ifndef SLUICE_EXAMPLES_UPLOAD_H_
#define SLUICE_EXAMPLES_UPLOAD_H_

#include <cstdint>
#include <span>

constexpr uint16_t kUpload = 1;  // The service whose messages are streamed.

// The answer to an upload: what arrived, in the byte order that both machines share.
struct Receipt {
  uint64_t length = 0;
  uint64_t checksum = 14695981039346656037u;  // FNV-1a.

  void add(std::span<const uint8_t> bytes) {
    for (const uint8_t byte : bytes) checksum = (checksum ^ byte) * 1099511628211u;
    length += bytes.size();
  }
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

#endif  // SLUICE_EXAMPLES_UPLOAD_H_
