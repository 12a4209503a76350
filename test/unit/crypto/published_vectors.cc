// SPDX-License-Identifier: Apache-2.0
#include "published_vectors.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

namespace sluice::crypto::test {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Stores "Name = value"; false when there is no equals sign.
bool store_assignment(std::string_view line, Case* fields) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  (*fields)[std::string(trimmed(line.substr(0, equals)))] = trimmed(line.substr(equals + 1));
  return true;
}

// The string that starts after the quote at `*at`; leaves `*at` behind the closing quote. An
// escaped character stands for itself, which is enough for the fields of interest.
std::string take_string(std::string_view text, size_t* at) {
  std::string out;
  for (++*at; *at < text.size() && text[*at] != '"'; ++*at) {
    if (text[*at] == '\\') ++*at;
    if (*at < text.size()) out += text[*at];
  }
  ++*at;
  return out;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

size_t for_each_rsp_case(std::string_view text, const std::function<void(const Case&)>& visit) {
  Case headings;
  Case fields;
  size_t count = 0;
  const auto finish = [&] {
    if (fields.empty()) return;
    ++count;
    fields.insert(headings.begin(), headings.end());
    visit(fields);
    fields.clear();
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) {
      finish();
    } else if (line.front() == '[') {
      store_assignment(line.substr(1, line.size() - 2), &headings);
    } else if (line.front() != '#' && !store_assignment(line, &fields)) {
      fields[std::string(line)] = "";
    }
  }
  finish();
  return count;
}

size_t for_each_wycheproof_case(std::string_view text,
                                const std::function<void(const Case&)>& visit) {
  std::vector<Case> around(1);  // The objects that are open, each with the fields around it.
  std::string name;
  size_t count = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      std::string value = take_string(text, &at);
      if (name.empty()) {
        const size_t next = text.find_first_not_of(" \t\r\n", at);
        if (next != std::string_view::npos && text[next] == ':') name = std::move(value);
      } else {
        around.back()[std::exchange(name, {})] = std::move(value);
      }
      continue;
    }
    if (!name.empty() && (c == '-' || (c >= '0' && c <= '9'))) {
      const size_t end = text.find_first_not_of("-0123456789", at);
      around.back()[std::exchange(name, {})] = text.substr(at, end - at);
      at = end;
      continue;
    }
    if (c == '[' || c == '{' || c == ',') name.clear();
    if (c == '{') around.push_back(around.back());
    if (c == '}' && around.size() > 1) {
      if (around.back().count("tcId") != 0) {
        ++count;
        visit(around.back());
      }
      around.pop_back();
    }
    ++at;
  }
  return count;
}

}  // namespace sluice::crypto::test
