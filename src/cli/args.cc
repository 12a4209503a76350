// SPDX-License-Identifier: Apache-2.0
#include "cli/args.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr size_t kHelpColumn = 30;
constexpr size_t kHelpWidth = 98;

absl::string_view view(absl::string_view text) { return {text.data(), text.size()}; }

// Appends words, broken into lines that begin at the help's column.
void append_wrapped(std::string* out, absl::string_view text) {
  size_t column = kHelpColumn;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (column + end > kHelpWidth && column > kHelpColumn) {
      absl::StrAppend(out, "\n", std::string(kHelpColumn, ' '));
      column = kHelpColumn;
    }
    absl::StrAppend(out, column > kHelpColumn ? " " : "", view(text.substr(0, end)));
    column += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

absl::StatusOr<SplitArguments> split_arguments(const std::vector<std::string>& arguments) {
  SplitArguments split;
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) {
    split.own = arguments;
    return split;
  }
  split.eal.assign(arguments.begin(), dashes);
  split.own.assign(dashes + 1, arguments.end());
  if (!split.eal.empty() && !absl::StartsWith(split.eal[0], "-")) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", split.eal[0], "' stands before the `--`, where only EAL arguments may: ",
                     "write sluice [EAL arguments] -- ", split.eal[0], " ..."));
  }
  const auto asks = [](const std::string& word) { return word == "-h" || word == "--help"; };
  split.help = std::any_of(split.eal.begin(), split.eal.end(), asks);
  return split;
}

void OptionSet::section(std::string title) { next_section_ = std::move(title); }

void OptionSet::add(std::string name, std::string value_name, std::string help, Setter set) {
  options_.push_back({std::move(name), std::move(value_name), std::move(help), std::move(set), 0,
                      std::move(next_section_)});
  next_section_.clear();
}

void OptionSet::add_switch(std::string name, std::string help, bool* value) {
  add(std::move(name), "", std::move(help), [value](const std::string& text) {
    if (text != "true" && text != "false") {
      return absl::InvalidArgumentError("takes no value, or true or false");
    }
    *value = text == "true";
    return absl::OkStatus();
  });
}

void OptionSet::add_text(std::string name, std::string value_name, std::string help,
                         std::string* value) {
  add(std::move(name), std::move(value_name), std::move(help), [value](const std::string& text) {
    *value = text;
    return absl::OkStatus();
  });
}

void OptionSet::add_list(std::string name, std::string value_name, std::string help,
                         std::vector<std::string>* values) {
  add(std::move(name), std::move(value_name), std::move(help), [values](const std::string& text) {
    values->push_back(text);
    return absl::OkStatus();
  });
}

void OptionSet::add_count(std::string name, std::string value_name, std::string help,
                          uint64_t* value, uint64_t least, uint64_t most) {
  add(std::move(name), std::move(value_name), std::move(help),
      [value, least, most](const std::string& text) -> absl::Status {
        const auto count = parse_count(text);
        if (!count || *count < least || *count > most) {
          return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number from ", least,
                                                         " to ", most,
                                                         "; 10k, 1M and 64Ki are understood"));
        }
        *value = *count;
        return absl::OkStatus();
      });
}

void OptionSet::add_nanos(std::string name, std::string help, uint64_t* value) {
  add(std::move(name), "TIME", std::move(help), [value](const std::string& text) -> absl::Status {
    const auto nanos = parse_nanos(text);
    if (!nanos) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no time; write 10s, 250ms or 50us"));
    }
    *value = *nanos;
    return absl::OkStatus();
  });
}

void OptionSet::add_ppm(std::string name, std::string help, uint32_t* value) {
  add(std::move(name), "SHARE", std::move(help), [value](const std::string& text) -> absl::Status {
    const auto ppm = parse_ppm(text);
    if (!ppm) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no share; write 1%, 0.5% or 200ppm"));
    }
    *value = *ppm;
    return absl::OkStatus();
  });
}

void OptionSet::letter(char letter, absl::string_view name) {
  for (Option& option : options_) {
    if (option.name == name) option.letter = letter;
  }
}

const OptionSet::Option* OptionSet::find(absl::string_view name) const {
  for (const Option& option : options_) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

const OptionSet::Option* OptionSet::find(char letter) const {
  for (const Option& option : options_) {
    if (option.letter == letter) return &option;
  }
  return nullptr;
}

absl::Status OptionSet::unknown(absl::string_view name) const {
  static constexpr absl::string_view kEalOptions[] = {
      "vdev",    "lcores",    "no-huge",    "no-pci",    "in-memory",   "file-prefix",
      "allow",   "block",     "huge-dir",   "iova-mode", "log-level",   "main-lcore",
      "no-hpet", "proc-type", "socket-mem", "telemetry", "no-telemetry"};
  if (std::find(std::begin(kEalOptions), std::end(kEalOptions), name) != std::end(kEalOptions)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", view(name), " is an EAL argument: put it before a `--`, as in sluice --",
                     view(name), " ... -- MODE ..."));
  }
  std::vector<std::string> names;
  for (const Option& option : options_) names.push_back(option.name);
  const std::string meant = nearest(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "no option --", view(name),
      meant.empty() ? "; see sluice --help" : absl::StrCat("; is --", meant, " meant?")));
}

absl::Status OptionSet::parse_long(const std::vector<std::string>& arguments, size_t* at) const {
  const std::string& word = arguments[*at];
  const size_t equals = word.find('=');
  std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
  const Option* option = find(name);
  std::string value = "true";
  if (option == nullptr && absl::StartsWith(name, "no-")) {
    const Option* positive = find(absl::string_view(name).substr(3));
    if (positive != nullptr && positive->value_name.empty()) {
      option = positive;
      value = "false";
    }
  }
  if (option == nullptr) return unknown(name);
  if (equals != std::string::npos) {
    value = word.substr(equals + 1);
  } else if (!option->value_name.empty()) {
    if (*at + 1 >= arguments.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, " needs a value: --", name, "=", option->value_name));
    }
    value = arguments[++*at];
  }
  absl::Status status = option->set(value);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat("--", name, ": ", status.message()));
}

absl::StatusOr<std::vector<std::string>> OptionSet::parse(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> words;
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string& word = arguments[at];
    if (word == "--help" || word == "-h") {
      words.push_back("--help");
    } else if (absl::StartsWith(word, "--")) {
      const absl::Status status = parse_long(arguments, &at);
      if (!status.ok()) return status;
    } else if (word.size() > 1 && word[0] == '-') {
      const Option* option = word.size() == 2 ? find(word[1]) : nullptr;
      if (option == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat(
            "no option ", word, "; EAL arguments go before a `--`, and see sluice --help"));
      }
      const absl::Status status = option->set("true");
      if (!status.ok()) return status;
    } else {
      words.push_back(word);
    }
  }
  return words;
}

std::string OptionSet::help() const {
  std::string out;
  for (const Option& option : options_) {
    if (!option.section.empty()) absl::StrAppend(&out, "\n", option.section, ":\n");
    std::string left = option.letter != 0 ? absl::StrCat("  -", std::string(1, option.letter), ", ")
                                          : std::string("  ");
    absl::StrAppend(&left, "--", option.name);
    if (!option.value_name.empty()) absl::StrAppend(&left, "=", option.value_name);
    if (left.size() + 1 > kHelpColumn) {
      absl::StrAppend(&out, left, "\n", std::string(kHelpColumn, ' '));
    } else {
      absl::StrAppend(&out, left, std::string(kHelpColumn - left.size(), ' '));
    }
    append_wrapped(&out, option.help);
    out += '\n';
  }
  return out;
}

}  // namespace sluice::cli
