// SPDX-License-Identifier: Apache-2.0
//
// Whether a node's ports seal its records, or its packets of ESP.
#ifndef SLUICE_ENGINE_INLINE_CHOICE_H_
#define SLUICE_ENGINE_INLINE_CHOICE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "crypto/choose_backend.h"
#include "engine/report.h"
#include "wire/frame.h"

namespace sluice::engine {

// What the choice depends on.
struct InlineFacts {
  crypto::BackendKind wanted = crypto::BackendKind::kAuto;
  bool record_mode = false;
  bool esp = false;  // In place of record mode.
  wire::Encapsulation encapsulation = wire::Encapsulation::kUdp;
  std::vector<crypto::AeadAlgorithm> algorithms;  // One at least.
  struct OfPort {
    std::string name;
    bool seals = false;  // What the node has of the two.
    std::string detail;  // What does, or why nothing does.
    std::vector<crypto::AeadAlgorithm> algorithms;
  };
  std::vector<OfPort> ports;
  std::string cpu;  // The name of what seals otherwise.
};

struct InlineChoice {
  bool use = false;   // The ports that seal are to.
  ReportLine report;  // Of record mode or ESP only: empty without.
};

// With BackendKind::kInline every port must be able to, else Unimplemented says which is not and
// what to change; with a CPU backend asked for by name none is used; with kAuto those that can are,
// and the report gives the reason where one cannot. A pure function.
absl::StatusOr<InlineChoice> choose_inline(const InlineFacts& facts);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_INLINE_CHOICE_H_
