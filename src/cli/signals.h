// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_SIGNALS_H_
#define SLUICE_CLI_SIGNALS_H_

namespace sluice::cli {

// SIGINT and SIGTERM are counted from now on instead of ending the process; a third one ends it at
// once. SIGPIPE is ignored.
void watch_signals();

// How many of them have come.
int signals_received();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIGNALS_H_
