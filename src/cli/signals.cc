// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <unistd.h>

#include <csignal>

namespace sluice::cli {
namespace {

volatile sig_atomic_t received = 0;
volatile sig_atomic_t reload = 0;

void on_signal(int number) {
  received = received + 1;
  if (received >= 3) ::_exit(128 + number);
}

void on_hangup(int) { reload = 1; }

}  // namespace

void watch_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  ::sigaction(SIGXFSZ, &action, nullptr);
}

void watch_reload() {
  struct sigaction action = {};
  action.sa_handler = on_hangup;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGHUP, &action, nullptr);
}

bool take_reload() {
  if (reload == 0) return false;
  reload = 0;
  return true;
}

int signals_received() { return received; }

}  // namespace sluice::cli
