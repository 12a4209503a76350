// SPDX-License-Identifier: Apache-2.0
//
// What most sources include, compiled once for each module: parsing it is half of the time of
// compiling one of them. A source names what it uses all the same, as the build for the fuzz
// targets goes without this file.
#ifndef SLUICE_BASE_PRECOMPILED_H_
#define SLUICE_BASE_PRECOMPILED_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#endif  // SLUICE_BASE_PRECOMPILED_H_
