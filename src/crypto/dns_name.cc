// SPDX-License-Identifier: Apache-2.0
#include "crypto/dns_name.h"

namespace sluice::crypto {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string normalize_dns_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxDnsName) return {};
  std::string out;
  size_t label = 0;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '.') {
      if (label == 0) return {};
      label = 0;
    } else if (!plain(c) || ++label > kMaxDnsLabel) {
      return {};
    }
    out += c;
  }
  return label == 0 ? std::string() : out;
}

bool dns_name_below(std::string_view name, std::string_view suffix) {
  if (suffix.empty() || name == suffix) return true;
  return name.size() > suffix.size() && name.ends_with(suffix) &&
         name[name.size() - suffix.size() - 1] == '.';
}

}  // namespace sluice::crypto
