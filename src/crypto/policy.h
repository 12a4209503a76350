// SPDX-License-Identifier: Apache-2.0
//
// Who may do what: the rules of a policy file, read and asked. Pure: text in, decisions out.
#ifndef SLUICE_CRYPTO_POLICY_H_
#define SLUICE_CRYPTO_POLICY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::crypto {

// A policy is text, one rule or comment a line:
//
//   # who             what
//   allow client.dc.example  connect  call 1-5,9  use rpc
//   allow .job7.dc.example   connect
//   allow *                  connect
//   deny  bad.job7.dc.example connect
//
// WHO is one DNS name; or, with a dot before it, that name and all names below it; or `*`, every
// name. Names are compared label by label, in lower case. WHAT is one clause or several:
// `connect`, a session, whichever side begins it; `call` and services, messages to these numbers;
// `use` and layers, ways of talking. What no line allows is denied, and what any line denies is
// denied, whatever else allows it: the order of the lines means nothing.

inline constexpr size_t kMaxPolicyBytes = size_t{1} << 20;  // Of the text,
inline constexpr size_t kMaxPolicyLine = 4096;              // and of a line of it.
inline constexpr size_t kMaxPolicyRules = 4096;             // Clauses of all lines.

enum class PolicyVerb : uint8_t { kConnect, kCall, kUse };

// What a peer may use of this side beside a service's number. `use` names them.
enum class PolicyLayer : uint8_t {
  kRpc = 0,     // "rpc": requests, which are answered.
  kOneWay = 1,  // "one-way": messages without an answer.
};
inline constexpr size_t kPolicyLayers = 2;
const char* policy_layer_name(PolicyLayer layer);

// What one peer may send to this side, as it is asked for each message: no rules are read there.
class Permissions {
 public:
  bool allows(uint16_t service, PolicyLayer layer) const {
    return (layers_ >> static_cast<unsigned>(layer) & 1) != 0 &&
           (services_[service / 64] >> (service % 64) & 1) != 0;
  }
  void set_services(uint16_t first, uint16_t last, bool allowed);
  void set_layer(PolicyLayer layer, bool allowed);
  friend bool operator==(const Permissions&, const Permissions&) = default;

 private:
  std::array<uint64_t, 65536 / 64> services_{};
  uint8_t layers_ = 0;
};

struct PolicyDecision {
  bool allowed = false;
  uint32_t line = 0;  // Of the rule that decided; 0: none did, so it is denied.
};

struct PolicyResult;

class Policy {
 public:
  // `file` is for messages. The error is one sentence: FILE:LINE: what is wrong; what to write.
  static PolicyResult parse(std::string_view file, std::string_view text);

  // `name` is normalised, as a handshake proves it.
  PolicyDecision connect(std::string_view name) const;
  // To send to a service in a way. Where both clauses deny, the service's is told.
  PolicyDecision send(std::string_view name, uint16_t service, PolicyLayer layer) const;
  // Everything that send() would allow, in one object.
  std::shared_ptr<const Permissions> permissions(std::string_view name) const;

  // "FILE:LINE", or "default".
  std::string rule_text(const PolicyDecision& decision) const;
  // Every rule for people, in the file's order: "FILE:LINE: allow .dc.example call 1-5".
  std::vector<std::string> rule_lines() const;
  const std::string& file() const { return file_; }
  size_t rules() const { return rules_.size(); }

 private:
  struct ServiceRange {
    uint16_t first = 0;
    uint16_t last = 0;
  };
  struct Rule {
    bool allow = false;
    bool below = false;  // Names below `name` too; an empty name has all names below it.
    std::string name;
    PolicyVerb verb = PolicyVerb::kConnect;
    std::vector<ServiceRange> services;  // kCall.
    uint8_t layers = 0;                  // kUse, a bit each.
    uint32_t line = 0;

    bool is_about(std::string_view who) const;
    std::string text() const;
  };
  class Parser;

  template <typename Applies>
  PolicyDecision decide(std::string_view name, PolicyVerb verb, Applies&& applies) const;

  std::string file_;
  std::vector<Rule> rules_;
};

struct PolicyResult {
  std::shared_ptr<const Policy> policy;  // Null with an error.
  std::string error;
  bool ok() const { return error.empty(); }
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_POLICY_H_
