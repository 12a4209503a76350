// SPDX-License-Identifier: Apache-2.0
//
// What the examples' command lines have in common: DEVICE ADDRESS KEY_FILE.
#ifndef SLUICE_EXAMPLES_EXAMPLE_OPTIONS_H_
#define SLUICE_EXAMPLES_EXAMPLE_OPTIONS_H_

#include <signal.h>
#include <sluice/sluice.h>

#include <cstdio>
#include <memory>

// One node on one port. argv[1] is a device such as
// "net_memif0,role=server,socket=/tmp/hello.sock" or "net_af_packet0,iface=eth1", argv[2] the
// node's own address such as "10.0.0.1/24", argv[3] a file with a key of 32 bytes or more.
inline sluice::EngineOptions example_options(char** argv) {
  sluice::NodeOptions node;
  node.ports.emplace_back();
  node.ports[0].device = argv[1];
  node.ports[0].addresses = {argv[2]};
  sluice::EngineOptions options;
  options.nodes = {node};
  options.crypto.psk_file = argv[3];
  return options;
}

// The engine, or nullptr with a word on standard error.
inline std::unique_ptr<sluice::Engine> example_engine(const sluice::EngineOptions& options) {
  auto engine = sluice::Engine::create(options);
  if (engine.ok()) return *std::move(engine);
  fprintf(stderr, "%s\n", engine.status().ToString().c_str());
  return nullptr;
}

// Blocks the signals that end a server, in all threads that are started afterwards, ...
inline sigset_t block_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// ... and waits for one of them.
inline void wait_for_end(const sigset_t& set) {
  int signal = 0;
  sigwait(&set, &signal);
}

#endif  // SLUICE_EXAMPLES_EXAMPLE_OPTIONS_H_
