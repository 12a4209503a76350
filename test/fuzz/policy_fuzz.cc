// SPDX-License-Identifier: Apache-2.0
//
// Policies and audit logs as anybody could have written them. What is read as a policy says the
// same whichever way it is asked, and what is read as a log is one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/audit.h"
#include "crypto/boringssl/module.h"
#include "crypto/policy.h"

namespace {

using namespace sluice::crypto;

void require(bool condition) {
  if (!condition) std::abort();
}

void read_policy(std::string_view text) {
  const PolicyResult result = Policy::parse("p", text);
  require(result.ok() == (result.policy != nullptr));
  if (!result.ok()) return;
  for (const char* name : {"a", "a.example", "job7.example", "x.job7.example"}) {
    const auto permissions = result.policy->permissions(name);
    for (uint32_t service = 0; service <= UINT16_MAX; service += 251) {
      for (const PolicyLayer layer : {PolicyLayer::kRpc, PolicyLayer::kOneWay}) {
        const auto number = static_cast<uint16_t>(service);
        const PolicyDecision decision = result.policy->send(name, number, layer);
        require(permissions->allows(number, layer) == decision.allowed);
        require(!decision.allowed || decision.line != 0);
      }
    }
    if (result.policy->connect(name).allowed) require(result.policy->rules() > 0);
  }
}

void read_log(std::string_view text) {
  AuditVerifier verifier(&sluice_boringssl_v1()->primitives);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (!verifier.take(text.substr(0, end))) break;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  verifier.finish(true);
  // Nobody guesses a hash.
  require(verifier.records() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_policy(text);
  read_log(text);
  return 0;
}
