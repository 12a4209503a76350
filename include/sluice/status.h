// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_STATUS_H_
#define SLUICE_STATUS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/export.h"

namespace sluice {

// How an operation of the data path ended: one byte, never an allocation. The control path
// (Engine, create functions) returns absl::Status with a sentence instead.
enum class StatusCode : uint8_t {
  kOk = 0,
  kInvalidArgument = 1,    // The caller broke the contract; trying again cannot help.
  kResourceExhausted = 2,  // A limit is reached: try again after completions.
  kDeadlineExceeded = 3,   // The deadline that the caller gave has passed.
  kCancelled = 4,          // By the caller.
  kUnavailable = 5,        // The peer cannot be reached or is lost.
  kPermissionDenied = 6,   // The handshake was refused, or the peer's policy does not allow it.
  kNotFound = 7,           // No such service, session or call.
  kTooLarge = 8,           // A message over a limit or over the memory named for it.
  kClosed = 9,             // The session or the engine was closed.
  kAborted = 10,           // The peer gave the exchange up.
  kDataLoss = 11,          // Bytes are gone for good.
  kInternal = 12,          // A defect of the library.
  kExpired = 13,           // The session ended with a certificate of one of its sides: renew it.
};

// A stable lower-case name such as "deadline_exceeded"; "unknown" for a value outside the list.
// A static string. Any thread.
SLUICE_EXPORT const char* status_code_name(StatusCode code);

// The same outcome for the control path; `message` says what was being done. Allocates unless the
// code is kOk: not for an lcore. Any ordinary thread.
SLUICE_EXPORT absl::Status to_status(StatusCode code, absl::string_view message);

}  // namespace sluice

#endif  // SLUICE_STATUS_H_
