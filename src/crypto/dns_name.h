// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_DNS_NAME_H_
#define SLUICE_CRYPTO_DNS_NAME_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::crypto {

// DNS names as identities: what stands in certificates, is expected of peers and bounds trust.

inline constexpr size_t kMaxDnsName = 253;  // Characters (RFC 1035 section 2.3.4, as text).
inline constexpr size_t kMaxDnsLabel = 63;

// The name in lower case, the form in which names are compared; empty when `text` is none: labels
// of letters, digits, '-' and '_' of 1 to 63 characters, joined by single dots, no dot at the end.
// Names in other scripts are written as A-labels. A wildcard is no name.
std::string normalize_dns_name(std::string_view text);

// Whether `name` is `suffix` or lies below it: "a.example" is below "example", "aexample" is not.
// Both are normalised. Everything is below the empty suffix.
bool dns_name_below(std::string_view name, std::string_view suffix);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_DNS_NAME_H_
