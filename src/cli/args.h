// SPDX-License-Identifier: Apache-2.0
//
// A command line as DPDK's users know it: EAL arguments, `--`, the program's own. The program's own
// are a mode and options, written `--name=value`, `--name value`, `--switch` or `--no-switch`.
#ifndef SLUICE_CLI_ARGS_H_
#define SLUICE_CLI_ARGS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>
#include "absl/strings/string_view.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::cli {

struct SplitArguments {
  std::vector<std::string> eal;  // Without a program name.
  std::vector<std::string> own;
  bool help = false;  // --help or -h stands before the `--`.
};

// Without a `--` all arguments are the program's own. An error is one line.
absl::StatusOr<SplitArguments> split_arguments(const std::vector<std::string>& arguments);

// The options that a program knows. Bound variables hold the defaults and must outlive the set.
class OptionSet {
 public:
  // Takes the text of a value; an error completes the sentence "--name: ...".
  using Setter = std::function<absl::Status(const std::string& value)>;

  // Begins a section of the help.
  void section(std::string title);
  void add(std::string name, std::string value_name, std::string help, Setter set);
  void add_switch(std::string name, std::string help, bool* value);
  void add_text(std::string name, std::string value_name, std::string help, std::string* value);
  // May be given several times.
  void add_list(std::string name, std::string value_name, std::string help,
                std::vector<std::string>* values);
  // A count with an optional unit (see parse_count()) between the bounds.
  void add_count(std::string name, std::string value_name, std::string help, uint64_t* value,
                 uint64_t least, uint64_t most);
  // A time (see parse_nanos()), stored in nanoseconds.
  void add_nanos(std::string name, std::string help, uint64_t* value);
  // A share (see parse_ppm()), stored in millionths.
  void add_ppm(std::string name, std::string help, uint32_t* value);
  // A one-letter name for an option that is there already.
  void letter(char letter, absl::string_view name);

  // Sets the bound variables and returns the words that are no options, in order. `-h` and
  // `--help` are returned as the word "--help".
  absl::StatusOr<std::vector<std::string>> parse(const std::vector<std::string>& arguments) const;
  std::string help() const;
  // Whether an option has been given in the last parse() is for the caller to know by the value;
  // this says whether the name exists.
  bool knows(absl::string_view name) const { return find(name) != nullptr; }

 private:
  struct Option {
    std::string name;
    std::string value_name;  // Empty for a switch.
    std::string help;
    Setter set;
    char letter = 0;
    std::string section;  // Set on the first option of one.
  };

  const Option* find(absl::string_view name) const;
  const Option* find(char letter) const;
  absl::Status unknown(absl::string_view name) const;
  absl::Status parse_long(const std::vector<std::string>& arguments, size_t* at) const;

  std::vector<Option> options_;
  std::string next_section_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_ARGS_H_
