// SPDX-License-Identifier: Apache-2.0
//
// Looking for plaintext: a text that applications send, anywhere in what goes by.
#ifndef SLUICE_TEST_ATTACK_CANARY_H_
#define SLUICE_TEST_ATTACK_CANARY_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace sluice::attack {

class Canary {
 public:
  // `text` is long enough not to come about by chance; empty: nothing is looked for.
  explicit Canary(std::string text) : text_(std::move(text)) {}

  void look(std::span<const uint8_t> bytes) {
    ++looked_;
    if (text_.empty()) return;
    if (std::search(bytes.begin(), bytes.end(), text_.begin(), text_.end()) != bytes.end()) ++seen_;
  }
  uint64_t looked() const { return looked_; }
  uint64_t seen() const { return seen_; }

 private:
  std::string text_;
  uint64_t looked_ = 0;
  uint64_t seen_ = 0;
};

}  // namespace sluice::attack

#endif  // SLUICE_TEST_ATTACK_CANARY_H_
