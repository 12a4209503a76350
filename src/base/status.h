// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_STATUS_H_
#define SLUICE_BASE_STATUS_H_

#include <cstdint>

namespace sluice::base {

// How an operation ended. The values are stable: they cross the telemetry and trace formats.
enum class Code : uint8_t {
  kOk = 0,
  kInvalidArgument = 1,    // The caller broke the contract; trying again cannot help.
  kResourceExhausted = 2,  // A named limit is reached; later it may work.
  kDeadlineExceeded = 3,
  kCancelled = 4,         // By the caller.
  kUnavailable = 5,       // The peer cannot be reached or is lost.
  kPermissionDenied = 6,  // The handshake was refused, or a policy does not allow it.
  kNotFound = 7,          // No such service or session.
  kTooLarge = 8,
  kClosed = 9,    // The session or the endpoint was closed.
  kAborted = 10,  // The peer gave the exchange up.
  kDataLoss = 11,
  kInternal = 12,
  kExpired = 13,  // The session ended with a certificate of one of its sides.
};

inline constexpr uint8_t kCodeCount = 14;

// A stable lower-case name such as "deadline_exceeded"; "unknown" for a value outside the list.
const char* code_name(Code code);

}  // namespace sluice::base

#endif  // SLUICE_BASE_STATUS_H_
