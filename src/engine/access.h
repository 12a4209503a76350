// SPDX-License-Identifier: Apache-2.0
//
// Who may do what on one node, and the record of it: the policy applied, the audit log written.
#ifndef SLUICE_ENGINE_ACCESS_H_
#define SLUICE_ENGINE_ACCESS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/types.h"
#include "crypto/audit.h"
#include "crypto/handshake.h"
#include "crypto/policy.h"
#include "engine/application.h"
#include "engine/audit_log.h"
#include "engine/stats.h"
#include "engine/uses.h"
#include "transport/connector_types.h"
#include "transport/token_bucket.h"

namespace sluice::engine {

// The control thread's.
class Access {
 public:
  struct Setup {
    std::string node;
    std::shared_ptr<const crypto::Policy> policy;  // Null: everything is allowed.
    AuditLog* audit = nullptr;                     // Null: nothing is recorded.
    ControlStats* stats = nullptr;
  };
  explicit Access(Setup setup);
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  // Asks this object, which outlives the mechanism's use of it.
  crypto::PeerJudge judge();
  void set_policy(std::shared_ptr<const crypto::Policy> policy);

  bool may_connect(const std::string& peer_name) const;
  // Null: everything.
  std::shared_ptr<const crypto::Permissions> permissions(const std::string& peer_name) const;

  // What the control thread hears, for the record. Refusals by judge() are in it already.
  void refused(const transport::ConnectorEvent& event, base::Nanos now);
  void used(const SessionInfo& session, const Use& use);
  // The messages of one use, told when its session ends.
  void used_up(const SessionInfo& session, const Use& use, uint64_t messages);
  void ended(const SessionInfo& session, base::Code code, const std::string& reason);

 private:
  crypto::RefuseReason decide(const crypto::HandshakeResult& peer, bool initiator,
                              std::string* detail);
  crypto::AuditRecord record_of(const SessionInfo& session, const char* event) const;
  void fill_use(crypto::AuditRecord* record, const SessionInfo& session, const Use& use) const;
  void write(crypto::AuditRecord record);

  Setup setup_;
  transport::TokenBucket strangers_;
  uint64_t unrecorded_ = 0;  // Refusals of strangers since the last record of one.
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_ACCESS_H_
