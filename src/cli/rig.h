// SPDX-License-Identifier: Apache-2.0
//
// The engine of one command, with the services it offers and the sessions it has begun.
#ifndef SLUICE_CLI_RIG_H_
#define SLUICE_CLI_RIG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/content.h"
#include "cli/file_receiver.h"
#include "cli/options.h"
#include "cli/services.h"
#include "sluice/engine.h"
#include "sluice/inbox.h"
#include "sluice/session.h"

namespace sluice::cli {

// What this end is to do. With both ends in this process it serves always.
struct Roles {
  bool serve = false;  // The services 1 and 2.
  bool files = false;  // The service that receives files.
};

// One of them in a process at a time. All functions are for the main thread.
class Rig {
 public:
  // Brings up the engine, not yet started. `longest` is the longest test message, in bytes.
  static absl::StatusOr<std::unique_ptr<Rig>> open(const Options& options, Roles roles,
                                                   uint32_t longest);
  // Closes without draining.
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  absl::Status start() { return engine_->start(); }
  // Begins the sessions that the options ask for. A signal ends it: Cancelled, and closed.
  absl::Status connect();
  // Lets what is in flight finish, then closes. The status says when something did not finish.
  absl::Status close(uint64_t drain_ns);

  const Options& options() const { return options_; }
  Engine& engine() { return *engine_; }
  const Content& content() const { return *content_; }
  const std::vector<Session>& sessions() const { return sessions_; }
  // Begins to take files into a folder. The rig has the role `files`.
  FileReceiver& receive_files(const std::string& folder, bool overwrite);
  // The node that serves, when this process does.
  uint32_t server_node() const { return options_.embedded() ? kServerNode : 0; }

  uint64_t served() const;  // Messages.
  uint64_t served_bytes() const;
  uint64_t served_corrupt() const;  // Messages that arrived with wrong bytes.

  // The start-up report, for people: one line each of what was chosen and why.
  std::string report_text() const;

 private:
  explicit Rig(const Options& options) : options_(options) {}
  absl::StatusOr<Session> attempt(const std::string& peer, uint64_t timeout);
  absl::StatusOr<Session> connect_once(const std::string& peer);
  absl::Status install_services(Roles roles, uint32_t longest);

  Options options_;
  std::unique_ptr<Content> content_;
  std::unique_ptr<Engine> engine_;
  // Called by the engine's lcores, so they outlive its close().
  std::vector<std::unique_ptr<Services>> services_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<FileReceiver> receiver_;
  std::vector<Session> sessions_;
  bool closed_ = false;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_RIG_H_
