// SPDX-License-Identifier: Apache-2.0
#include "api/log.h"

#include <unistd.h>

#include <cstdio>

#include "base/check.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace sluice::internal {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

// May run on any thread in any state: formats into the stack and writes once.
void report_failed_check(const char* condition, const char* file, int line) {
  char text[512];
  const int length =
      snprintf(text, sizeof(text), "sluice: check failed: %s (%s:%d)\n", condition, file, line);
  if (length <= 0) return;
  const size_t bytes =
      static_cast<size_t>(length) < sizeof(text) ? static_cast<size_t>(length) : sizeof(text) - 1;
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, bytes);
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(LogLevel level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("sluice", std::move(sink));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %n %l: %v");
  logger->set_level(to_spdlog(level));
  return logger;
}

void install_check_handler() { base::set_check_handler(&report_failed_check); }

}  // namespace sluice::internal
