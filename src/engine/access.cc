// SPDX-License-Identifier: Apache-2.0
#include "engine/access.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/limits.h"
#include "wire/ip_address.h"

namespace sluice::engine {
namespace {

constexpr char kNoPolicy[] = "none";

std::string session_text(base::SessionId session) {
  return absl::StrFormat("%08x", session.value());
}

std::string address_text(const transport::PeerAddress& peer) {
  return absl::StrCat(wire::format_ip_address(peer.ip), " port ", peer.port);
}

}  // namespace

Access::Access(Setup setup)
    : setup_(std::move(setup)),
      strangers_(limits::kAuditStrangersPerSecond, limits::kAuditStrangersPerSecond) {}

crypto::PeerJudge Access::judge() {
  return {
      [](void* context, const crypto::HandshakeResult& peer, bool initiator, std::string* detail) {
        return static_cast<Access*>(context)->decide(peer, initiator, detail);
      },
      this,
      [](void* context, const std::string& name) {
        const auto* self = static_cast<const Access*>(context);
        AuditLog* const audit = self->setup_.audit;
        return self->may_connect(name) && (audit == nullptr || audit->healthy());
      }};
}

void Access::set_policy(std::shared_ptr<const crypto::Policy> policy) {
  setup_.policy = std::move(policy);
}

bool Access::may_connect(const std::string& peer_name) const {
  return setup_.policy == nullptr || setup_.policy->connect(peer_name).allowed;
}

std::shared_ptr<const crypto::Permissions> Access::permissions(const std::string& peer_name) const {
  return setup_.policy == nullptr ? nullptr : setup_.policy->permissions(peer_name);
}

// PROTOCOL MUST-P5
// An accepted session is on record before the peer hears of it; what cannot be recorded is refused.
crypto::RefuseReason Access::decide(const crypto::HandshakeResult& peer, bool initiator,
                                    std::string* detail) {
  crypto::PolicyDecision decision{.allowed = true, .line = 0};
  std::string rule = kNoPolicy;
  if (setup_.policy != nullptr) {
    decision = setup_.policy->connect(peer.peer_name);
    rule = setup_.policy->rule_text(decision);
  }
  if (!decision.allowed) {
    setup_.stats->peers_denied.add();
    *detail = absl::StrCat(peer.peer_name, ", rule ", rule);
  }
  if (setup_.audit == nullptr) {
    return decision.allowed ? crypto::RefuseReason::kNone : crypto::RefuseReason::kPolicy;
  }
  SessionInfo info;
  info.session = peer.local.session_id;
  info.peer_name = peer.peer_name;
  info.peer_chain = peer.peer_chain;
  info.peer_key = crypto::audit_hash_text(peer.peer_key_id);
  crypto::AuditRecord record = record_of(info, decision.allowed ? "accept" : "refuse");
  record.verb = "connect";
  record.object = initiator ? "to" : "from";
  record.decision = decision.allowed ? "allow" : "deny";
  record.rule = rule;
  if (!decision.allowed) {
    setup_.audit->append(std::move(record));
    return crypto::RefuseReason::kPolicy;
  }
  if (setup_.audit->healthy() && setup_.audit->append_durably(record)) {
    return crypto::RefuseReason::kNone;
  }
  // An acceptance that waits to be written is taken back by the record behind it.
  record.event = "refuse";
  record.decision = "deny";
  record.reason = crypto::refuse_reason_text(crypto::RefuseReason::kAudit);
  setup_.audit->append(std::move(record));
  setup_.stats->audit_refused.add();
  *detail = setup_.audit->file();
  return crypto::RefuseReason::kAudit;
}

void Access::refused(const transport::ConnectorEvent& event, base::Nanos now) {
  const bool judged = event.refused_here && (event.refuse == crypto::RefuseReason::kPolicy ||
                                             event.refuse == crypto::RefuseReason::kAudit);
  if (setup_.audit == nullptr || judged || event.refuse == crypto::RefuseReason::kNone) return;
  if (!strangers_.take(now)) {
    setup_.stats->audit_unrecorded.add();
    ++unrecorded_;
    return;
  }
  crypto::AuditRecord record;
  record.event = "refuse";
  record.node = setup_.node;
  record.peer = address_text(event.peer);
  record.verb = "connect";
  record.object = event.initiator ? "to" : "from";
  record.decision = "deny";
  record.reason = event.reason;
  record.count = 1 + std::exchange(unrecorded_, 0);
  write(std::move(record));
}

crypto::AuditRecord Access::record_of(const SessionInfo& session, const char* event) const {
  crypto::AuditRecord record;
  record.event = event;
  record.node = setup_.node;
  record.session = session_text(session.session);
  if (session.peer.port != 0) record.peer = address_text(session.peer);
  record.subject = session.peer_name;
  record.key = session.peer_key;
  record.chain = session.peer_chain;
  return record;
}

void Access::fill_use(crypto::AuditRecord* record, const SessionInfo& session,
                      const Use& use) const {
  record->verb = "call";
  const std::string what = use.others ? "other services" : absl::StrCat("service ", use.service);
  record->object = absl::StrCat(what, " ", policy_layer_name(use.layer));
  record->decision = use.allowed ? "allow" : "deny";
  record->rule = kNoPolicy;
  if (setup_.policy == nullptr) return;
  if (use.others) {
    record->rule = "several";
    return;
  }
  const auto decision = setup_.policy->send(session.peer_name, use.service, use.layer);
  // A policy that came meanwhile says nothing about what was decided before it.
  record->rule =
      decision.allowed == use.allowed ? setup_.policy->rule_text(decision) : "an earlier policy";
}

void Access::used(const SessionInfo& session, const Use& use) {
  if (setup_.audit == nullptr) return;
  crypto::AuditRecord record = record_of(session, use.allowed ? "accept" : "refuse");
  fill_use(&record, session, use);
  record.count = 1;
  write(std::move(record));
}

void Access::used_up(const SessionInfo& session, const Use& use, uint64_t messages) {
  if (setup_.audit == nullptr) return;
  crypto::AuditRecord record = record_of(session, "total");
  fill_use(&record, session, use);
  record.count = messages;
  write(std::move(record));
}

void Access::ended(const SessionInfo& session, base::Code code, const std::string& reason) {
  if (setup_.audit == nullptr) return;
  crypto::AuditRecord record = record_of(session, "end");
  record.verb = "connect";
  record.reason = absl::StrCat(base::code_name(code), ": ", reason);
  write(std::move(record));
}

void Access::write(crypto::AuditRecord record) { setup_.audit->append(std::move(record)); }

}  // namespace sluice::engine
