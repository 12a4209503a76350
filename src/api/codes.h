// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_CODES_H_
#define SLUICE_API_CODES_H_

#include "base/status.h"
#include "sluice/status.h"

namespace sluice::internal {

// The public codes are those of the house under another name: the values are the same.
#define SLUICE_SAME_CODE(name) \
  static_assert(static_cast<uint8_t>(StatusCode::name) == static_cast<uint8_t>(base::Code::name))
SLUICE_SAME_CODE(kOk);
SLUICE_SAME_CODE(kInvalidArgument);
SLUICE_SAME_CODE(kResourceExhausted);
SLUICE_SAME_CODE(kDeadlineExceeded);
SLUICE_SAME_CODE(kCancelled);
SLUICE_SAME_CODE(kUnavailable);
SLUICE_SAME_CODE(kPermissionDenied);
SLUICE_SAME_CODE(kNotFound);
SLUICE_SAME_CODE(kTooLarge);
SLUICE_SAME_CODE(kClosed);
SLUICE_SAME_CODE(kAborted);
SLUICE_SAME_CODE(kDataLoss);
SLUICE_SAME_CODE(kInternal);
SLUICE_SAME_CODE(kExpired);
#undef SLUICE_SAME_CODE

constexpr StatusCode to_public(base::Code code) { return static_cast<StatusCode>(code); }
constexpr base::Code to_base(StatusCode code) { return static_cast<base::Code>(code); }

}  // namespace sluice::internal

#endif  // SLUICE_API_CODES_H_
