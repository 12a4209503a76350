// SPDX-License-Identifier: Apache-2.0
#include "engine/inline_choice.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::engine {
namespace {

// The first thing that the port lacks, or nothing.
std::string lack_of(const InlineFacts::OfPort& port, const InlineFacts& facts) {
  if (!port.seals) return port.detail;
  for (const crypto::AeadAlgorithm algorithm : facts.algorithms) {
    const bool there = std::find(port.algorithms.begin(), port.algorithms.end(), algorithm) !=
                       port.algorithms.end();
    if (!there) return absl::StrCat("the device has no ", crypto::algorithm_name(algorithm));
  }
  return "";
}

}  // namespace

absl::StatusOr<InlineChoice> choose_inline(const InlineFacts& facts) {
  const bool required = facts.wanted == crypto::BackendKind::kInline;
  const auto refuse = [](const std::string& why) {
    return absl::UnimplementedError(absl::StrCat("inline crypto was asked for: ", why));
  };
  if (!facts.record_mode && !facts.esp) {
    if (required) return refuse("it seals the records of record mode, or ESP; turn one of them on");
    return InlineChoice{};
  }
  const char* const what = facts.esp ? "ESP" : "records";
  if (facts.algorithms.front() == crypto::AeadAlgorithm::kNone) {  // PROTOCOL MUST-R8
    if (required) return refuse("plaintext is not sealed; choose a cipher");
    return InlineChoice{};
  }
  const auto by_cpu = [&](const std::string& why) {
    return InlineChoice{.use = false, .report = {what, absl::StrCat("sealed by ", facts.cpu), why}};
  };
  if (!required && facts.wanted != crypto::BackendKind::kAuto) {
    return by_cpu("asked for by name");
  }
  if (facts.encapsulation != wire::Encapsulation::kNative) {
    const char* const why = facts.esp ? "ESP stands behind IP, without UDP"
                                      : "NICs segment headers of TCP's shape, which UDP hides";
    if (required) return refuse(absl::StrCat(why, ": use native encapsulation"));
    return by_cpu(why);
  }
  std::string lacking;
  std::string sealing;
  for (const InlineFacts::OfPort& port : facts.ports) {
    const std::string lack = lack_of(port, facts);
    std::string& list = lack.empty() ? sealing : lacking;
    absl::StrAppend(&list, list.empty() ? "" : "; ", port.name, ": ",
                    lack.empty() ? port.detail : lack);
  }
  if (required && !lacking.empty()) {
    return refuse(absl::StrCat(lacking, "; ask for auto, or for another port or cipher"));
  }
  if (sealing.empty()) return by_cpu(lacking);
  const bool all = lacking.empty();
  return InlineChoice{
      .use = true,
      .report = {what,
                 absl::StrCat("sealed by the port", all ? "" : " where it can, else by ",
                              all ? "" : facts.cpu),
                 absl::StrCat(sealing, all ? "" : "; ", lacking)}};
}

}  // namespace sluice::engine
