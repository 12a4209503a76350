// SPDX-License-Identifier: Apache-2.0
#include "crypto/policy.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "crypto/dns_name.h"

namespace sluice::crypto {
namespace {

constexpr size_t kShownText = 60;

// What a file holds goes to logs and terminals.
std::string quoted(std::string_view text) {
  std::string out = "'" + std::string(text.substr(0, kShownText)) + "'";
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<uint16_t> number_of(std::string_view text) {
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

const char* policy_layer_name(PolicyLayer layer) {
  return layer == PolicyLayer::kRpc ? "rpc" : "one-way";
}

// Whole words at a time: a policy may have thousands of ranges.
void Permissions::set_services(uint16_t first, uint16_t last, bool allowed) {
  for (size_t word = first / 64; word <= last / 64; ++word) {
    uint64_t mask = ~uint64_t{0};
    if (word == first / 64) mask &= ~uint64_t{0} << (first % 64);
    if (word == last / 64) mask &= ~uint64_t{0} >> (63 - last % 64);
    services_[word] = allowed ? services_[word] | mask : services_[word] & ~mask;
  }
}

void Permissions::set_layer(PolicyLayer layer, bool allowed) {
  const unsigned bit = 1u << static_cast<unsigned>(layer);
  layers_ = static_cast<uint8_t>(allowed ? layers_ | bit : layers_ & ~bit);
}

// Reads one text, line by line, into the rules of one policy.
class Policy::Parser {
 public:
  explicit Parser(Policy* policy) : policy_(policy) {}

  // Empty, or the first error.
  std::string parse(std::string_view text) {
    if (text.size() > kMaxPolicyBytes) {
      return policy_->file_ + ": the file is longer than " + std::to_string(kMaxPolicyBytes) +
             " bytes; name groups by .NAME";
    }
    while (!text.empty() && error_.empty()) {
      ++line_;
      const size_t end = std::min(text.find('\n'), text.size());
      parse_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return error_;
  }

 private:
  using Words = std::vector<std::string_view>;

  bool fail(const std::string& what) {
    error_ = policy_->file_ + ":" + std::to_string(line_) + ": " + what;
    return false;
  }

  void parse_line(std::string_view line) {
    if (line.size() > kMaxPolicyLine) {
      fail("the line is longer than " + std::to_string(kMaxPolicyLine) +
           " characters; write several");
      return;
    }
    const Words words = split(line.substr(0, line.find('#')), " \t\r");
    if (words.empty()) return;
    Rule rule;
    rule.line = line_;
    rule.allow = words[0] == "allow";
    if (!rule.allow && words[0] != "deny") {
      fail(quoted(words[0]) + " is no beginning; write allow or deny");
      return;
    }
    if (words.size() < 3) {
      fail("the rule is not whole; write " + std::string(words[0]) + " WHO connect");
      return;
    }
    if (!parse_who(words[1], &rule)) return;
    for (size_t at = 2; at < words.size();) {
      if (!parse_clause(words, &at, rule)) return;
    }
  }

  bool parse_who(std::string_view who, Rule* rule) {
    if (who == "*") {
      rule->below = true;
      return true;
    }
    rule->below = who.front() == '.';
    rule->name = normalize_dns_name(rule->below ? who.substr(1) : who);
    if (!rule->name.empty()) return true;
    return fail(quoted(who) + " names nobody; write a.dc.example, .dc.example for that name and " +
                "those below it, or *");
  }

  bool parse_clause(const Words& words, size_t* at, Rule rule) {
    const std::string_view verb = words[(*at)++];
    if (verb == "connect") {
      rule.verb = PolicyVerb::kConnect;
      return add(std::move(rule));
    }
    if (verb != "call" && verb != "use") {
      return fail(quoted(verb) + " cannot be allowed or denied; write connect, call or use");
    }
    if (*at == words.size()) {
      return fail(verb == "call" ? "call names no service; write call 1-5,9 or call all"
                                 : "use names no layer; write use rpc,one-way");
    }
    const std::string_view list = words[(*at)++];
    const bool good = verb == "call" ? parse_services(list, &rule) : parse_layers(list, &rule);
    return good && add(std::move(rule));
  }

  bool parse_services(std::string_view list, Rule* rule) {
    rule->verb = PolicyVerb::kCall;
    if (list == "all") {
      rule->services.push_back({0, UINT16_MAX});
      return true;
    }
    for (const std::string_view part : split(list, ",")) {
      const size_t dash = std::min(part.find('-'), part.size());
      const auto first = number_of(part.substr(0, dash));
      const auto last = dash == part.size() ? first : number_of(part.substr(dash + 1));
      if (!first || !last || *last < *first) {
        return fail(quoted(part) + " is no service; write numbers from 0 to 65535 as 1-5,9, or " +
                    "all");
      }
      rule->services.push_back({*first, *last});
    }
    return !rule->services.empty() || fail("call names no service; write call 1-5,9 or call all");
  }

  bool parse_layers(std::string_view list, Rule* rule) {
    rule->verb = PolicyVerb::kUse;
    for (const std::string_view part : split(list, ",")) {
      if (part == "all") {
        rule->layers = (1u << kPolicyLayers) - 1;
        continue;
      }
      const PolicyLayer known[] = {PolicyLayer::kRpc, PolicyLayer::kOneWay};
      const auto* found = std::find_if(std::begin(known), std::end(known), [&](PolicyLayer layer) {
        return part == policy_layer_name(layer);
      });
      if (found == std::end(known)) {
        return fail(quoted(part) + " is no layer; write rpc, one-way or all");
      }
      rule->layers = static_cast<uint8_t>(rule->layers | 1u << static_cast<unsigned>(*found));
    }
    return rule->layers != 0 || fail("use names no layer; write use rpc,one-way");
  }

  bool add(Rule rule) {
    if (policy_->rules_.size() == kMaxPolicyRules) {
      return fail("the file has more than " + std::to_string(kMaxPolicyRules) +
                  " clauses; name groups by .NAME");
    }
    policy_->rules_.push_back(std::move(rule));
    return true;
  }

  Policy* policy_;
  uint32_t line_ = 0;
  std::string error_;
};

bool Policy::Rule::is_about(std::string_view who) const {
  return below ? dns_name_below(who, name) : who == name;
}

PolicyResult Policy::parse(std::string_view file, std::string_view text) {
  auto policy = std::make_shared<Policy>();
  policy->file_ = file;
  PolicyResult out;
  out.error = Parser(policy.get()).parse(text);
  if (out.ok()) out.policy = std::move(policy);
  return out;
}

template <typename Applies>
PolicyDecision Policy::decide(std::string_view name, PolicyVerb verb, Applies&& applies) const {
  PolicyDecision out;
  for (const Rule& rule : rules_) {
    if (rule.verb != verb || !applies(rule) || !rule.is_about(name)) continue;
    if (!rule.allow) return {false, rule.line};
    if (!out.allowed) out = {true, rule.line};
  }
  return out;
}

// PROTOCOL MUST-P1
PolicyDecision Policy::connect(std::string_view name) const {
  return decide(name, PolicyVerb::kConnect, [](const Rule&) { return true; });
}

PolicyDecision Policy::send(std::string_view name, uint16_t service, PolicyLayer layer) const {
  const PolicyDecision called = decide(name, PolicyVerb::kCall, [&](const Rule& rule) {
    return std::any_of(rule.services.begin(), rule.services.end(), [&](const ServiceRange& range) {
      return service >= range.first && service <= range.last;
    });
  });
  if (!called.allowed) return called;
  const PolicyDecision used = decide(name, PolicyVerb::kUse, [&](const Rule& rule) {
    return (rule.layers >> static_cast<unsigned>(layer) & 1) != 0;
  });
  return used.allowed ? called : used;
}

// All that is allowed, and then without all that is denied: the order of the lines means nothing.
std::shared_ptr<const Permissions> Policy::permissions(std::string_view name) const {
  auto out = std::make_shared<Permissions>();
  for (const bool allow : {true, false}) {
    for (const Rule& rule : rules_) {
      if (rule.allow != allow || !rule.is_about(name)) continue;
      for (const ServiceRange& range : rule.services) {
        out->set_services(range.first, range.last, allow);
      }
      for (const PolicyLayer layer : {PolicyLayer::kRpc, PolicyLayer::kOneWay}) {
        if ((rule.layers >> static_cast<unsigned>(layer) & 1) != 0) out->set_layer(layer, allow);
      }
    }
  }
  return out;
}

std::string Policy::Rule::text() const {
  std::string out = allow ? "allow " : "deny ";
  out += name.empty() ? "*" : (below ? "." : "") + name;
  if (verb == PolicyVerb::kConnect) return out + " connect";
  std::string list;
  for (const ServiceRange& range : services) {
    if (!list.empty()) list += ',';
    list += std::to_string(range.first);
    if (range.last != range.first) list += "-" + std::to_string(range.last);
  }
  for (size_t i = 0; i < kPolicyLayers; ++i) {
    if ((layers >> i & 1) == 0) continue;
    if (!list.empty()) list += ',';
    list += policy_layer_name(static_cast<PolicyLayer>(i));
  }
  return out + (verb == PolicyVerb::kCall ? " call " : " use ") + list;
}

std::vector<std::string> Policy::rule_lines() const {
  std::vector<std::string> out;
  for (const Rule& rule : rules_) {
    out.push_back(rule_text({rule.allow, rule.line}) + ": " + rule.text());
  }
  return out;
}

std::string Policy::rule_text(const PolicyDecision& decision) const {
  return decision.line == 0 ? "default" : file_ + ":" + std::to_string(decision.line);
}

}  // namespace sluice::crypto
