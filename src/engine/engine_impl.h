// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENGINE_ENGINE_IMPL_H_
#define SLUICE_ENGINE_ENGINE_IMPL_H_

#include <memory>
#include <mutex>
#include <vector>

#include "engine/eal.h"
#include "engine/engine.h"
#include "engine/node.h"

namespace sluice::engine {

class EngineImpl {
 public:
  explicit EngineImpl(EngineConfig settings) : config(std::move(settings)) {}
  ~EngineImpl();
  EngineImpl(const EngineImpl&) = delete;
  EngineImpl& operator=(const EngineImpl&) = delete;

  absl::Status open();
  absl::Status start();
  absl::Status stop(base::Nanos drain);
  // The rules in force; empty without a policy.
  std::vector<std::string> policy_lines();
  absl::Status reload(const absl::StatusOr<ReloadConfig>& read);

  EngineConfig config;
  Eal* eal = nullptr;
  std::vector<uint32_t> eal_lcores;
  PoolBox pools;                    // Outlives the cables, which may hold buffers,
  CableBox cables;                  // which outlive the nodes' ports.
  std::unique_ptr<AuditLog> audit;  // Null where there is to be none. Outlives the nodes.
  std::vector<std::unique_ptr<Node>> nodes;
  EngineReport report;

 private:
  enum class State { kOpen, kRunning, kStopped };

  EalNeeds needs() const;
  absl::Status check() const;
  absl::Status add_cables();
  absl::Status open_access(const CryptoLibrary& library);
  absl::Status try_reload(const absl::StatusOr<ReloadConfig>& read);
  crypto::AuditRecord record_of(const char* event) const;
  absl::Status make_nodes(const CryptoLibrary& library);
  bool drain_calls(base::Nanos until);
  void close_sessions();
  void fill_report(const CryptoLibrary& library);

  const CryptoLibrary* library_ = nullptr;
  std::shared_ptr<const crypto::Policy> policy_;  // Of the last start or reload; null: none.
  std::string policy_text_;                       // Which it is, for the record.
  std::mutex mutex_;                              // Of start, stop and reload.
  State state_ = State::kOpen;
  uint64_t opened_at_ns_ = 0;
};

// For each lcore, whether it has to share its CPU with others, given the CPUs that each may use:
// then it yields when idle.
std::vector<bool> find_shared(const std::vector<std::vector<uint32_t>>& cpus_of_lcores,
                              size_t cpus_of_process);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_ENGINE_IMPL_H_
