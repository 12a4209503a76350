// SPDX-License-Identifier: Apache-2.0
#include "sluice/status.h"

#include "absl/strings/str_cat.h"
#include "api/codes.h"

namespace sluice {
namespace {

absl::StatusCode absl_code(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return absl::StatusCode::kOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kTooLarge:
      return absl::StatusCode::kInvalidArgument;
    case StatusCode::kResourceExhausted:
      return absl::StatusCode::kResourceExhausted;
    case StatusCode::kDeadlineExceeded:
      return absl::StatusCode::kDeadlineExceeded;
    case StatusCode::kCancelled:
      return absl::StatusCode::kCancelled;
    case StatusCode::kUnavailable:
      return absl::StatusCode::kUnavailable;
    case StatusCode::kPermissionDenied:
      return absl::StatusCode::kPermissionDenied;
    case StatusCode::kNotFound:
      return absl::StatusCode::kNotFound;
    case StatusCode::kClosed:
      return absl::StatusCode::kFailedPrecondition;
    case StatusCode::kAborted:
      return absl::StatusCode::kAborted;
    case StatusCode::kDataLoss:
      return absl::StatusCode::kDataLoss;
    case StatusCode::kExpired:
      return absl::StatusCode::kUnauthenticated;
    case StatusCode::kInternal:
      break;
  }
  return absl::StatusCode::kInternal;
}

}  // namespace

const char* status_code_name(StatusCode code) { return base::code_name(internal::to_base(code)); }

absl::Status to_status(StatusCode code, absl::string_view message) {
  if (code == StatusCode::kOk) return absl::OkStatus();
  return absl::Status(absl_code(code), absl::StrCat(message, ": ", status_code_name(code)));
}

}  // namespace sluice
