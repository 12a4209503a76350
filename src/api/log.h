// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_LOG_H_
#define SLUICE_API_LOG_H_

#include <memory>

#include "sluice/options.h"
#include "spdlog/logger.h"

namespace sluice::internal {

// A logger of its own (not in spdlog's registry, which may be the host program's) that writes to
// standard error. Control threads only: it locks and allocates.
std::shared_ptr<spdlog::logger> make_logger(LogLevel level);

// Makes failed checks of the library say where before the process stops.
void install_check_handler();

}  // namespace sluice::internal

#endif  // SLUICE_API_LOG_H_
