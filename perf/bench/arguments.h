// SPDX-License-Identifier: Apache-2.0
//
// `--name=value` and `--name` of the small programs that scripts/bench starts.
#ifndef SLUICE_PERF_BENCH_ARGUMENTS_H_
#define SLUICE_PERF_BENCH_ARGUMENTS_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace sluice::bench {

// What a contestant ends with that this machine does not have; its reason is on standard error.
inline constexpr int kExitAbsent = 77;

class Arguments {
 public:
  // Reads the words from `first` on; a word that begins otherwise ends the program.
  Arguments(int argc, char** argv, int first) {
    for (int i = first; i < argc; ++i) {
      const std::string word = argv[i];
      if (word.rfind("--", 0) != 0) {
        std::fprintf(stderr, "%s: '%s' is no --name=value\n", argv[0], argv[i]);
        std::exit(2);
      }
      const size_t equals = word.find('=');
      values_[word.substr(2, equals == std::string::npos ? equals : equals - 2)] =
          equals == std::string::npos ? "yes" : word.substr(equals + 1);
    }
  }

  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  uint64_t number(const std::string& name, uint64_t otherwise) const {
    return has(name) ? std::strtoull(text(name).c_str(), nullptr, 10) : otherwise;
  }
  double real(const std::string& name, double otherwise) const {
    return has(name) ? std::strtod(text(name).c_str(), nullptr) : otherwise;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_ARGUMENTS_H_
