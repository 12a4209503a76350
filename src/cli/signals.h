// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_SIGNALS_H_
#define SLUICE_CLI_SIGNALS_H_

namespace sluice::cli {

// SIGINT and SIGTERM are counted from now on instead of ending the process; a third one ends it at
// once. SIGPIPE is ignored, and SIGXFSZ: a file that may not grow is an error of its write.
void watch_signals();

// SIGHUP asks for a reload from now on, instead of ending the process.
void watch_reload();
// Whether it has come since the last call.
bool take_reload();

// How many of them have come.
int signals_received();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIGNALS_H_
