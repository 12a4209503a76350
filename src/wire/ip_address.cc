// SPDX-License-Identifier: Apache-2.0
#include "wire/ip_address.h"

#include <array>

namespace sluice::wire {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads a decimal octet of one to three digits without a leading zero from the front of `text`.
std::optional<uint8_t> take_octet(std::string_view* text) {
  unsigned value = 0;
  size_t digits = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9') {
    value = value * 10 + static_cast<unsigned>((*text)[digits] - '0');
    if (++digits > 3) return std::nullopt;
  }
  if (digits == 0 || value > 255 || (digits > 1 && (*text)[0] == '0')) return std::nullopt;
  text->remove_prefix(digits);
  return static_cast<uint8_t>(value);
}

bool parse_v4(std::string_view text, uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
    const std::optional<uint8_t> octet = take_octet(&text);
    if (!octet) return false;
    out[i] = *octet;
  }
  return text.empty();
}

// Reads one group of one to four hexadecimal digits from the front of `text`.
std::optional<uint16_t> take_group(std::string_view* text) {
  unsigned value = 0;
  size_t digits = 0;
  while (digits < text->size() && hex_value((*text)[digits]) >= 0) {
    value = value * 16 + static_cast<unsigned>(hex_value((*text)[digits]));
    if (++digits > 4) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text->remove_prefix(digits);
  return static_cast<uint16_t>(value);
}

// The groups read so far and where "::" stood among them (-1: nowhere).
struct V6Groups {
  std::array<uint16_t, 8> group = {};
  int count = 0;
  int gap = -1;
};

// Reads a trailing dotted quad as the last two groups.
bool take_embedded_v4(std::string_view text, V6Groups* groups) {
  uint8_t raw[4];
  if (groups->count > 6 || !parse_v4(text, raw)) return false;
  const auto at = static_cast<size_t>(groups->count);
  groups->group[at] = base::load_be16(raw);
  groups->group[at + 1] = base::load_be16(raw + 2);
  groups->count += 2;
  return true;
}

bool read_groups(std::string_view text, V6Groups* groups) {
  if (text.substr(0, 2) == "::") {
    groups->gap = 0;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  while (true) {
    if (text.find(':') == std::string_view::npos && text.find('.') != std::string_view::npos) {
      return take_embedded_v4(text, groups);
    }
    if (groups->count == 8) return false;
    const std::optional<uint16_t> group = take_group(&text);
    if (!group) return false;
    groups->group[static_cast<size_t>(groups->count++)] = *group;
    if (text.empty()) return true;
    if (text[0] != ':') return false;
    text.remove_prefix(1);
    if (!text.empty() && text[0] == ':') {
      if (groups->gap >= 0) return false;
      groups->gap = groups->count;
      text.remove_prefix(1);
      if (text.empty()) return true;
    }
  }
}

bool parse_v6(std::string_view text, uint8_t* out) {
  V6Groups groups;
  if (!read_groups(text, &groups)) return false;
  if (groups.gap < 0 ? groups.count != 8 : groups.count > 7) return false;
  const int tail = groups.gap < 0 ? 0 : groups.count - groups.gap;
  std::memset(out, 0, 16);
  for (int i = 0; i < groups.count; ++i) {
    const int at = (groups.gap >= 0 && i >= groups.gap) ? 8 - tail + (i - groups.gap) : i;
    base::store_be16(out + 2 * at, groups.group[static_cast<size_t>(i)]);
  }
  return true;
}

void append_decimal(std::string* out, unsigned value) {
  char digits[10];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) out->push_back(digits[--count]);
}

constexpr char kHexDigits[] = "0123456789abcdef";

void append_hex(std::string* out, unsigned value) {
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (value >> shift) & 0xf;
    if (digit != 0 || started || shift == 0) {
      out->push_back(kHexDigits[digit]);
      started = true;
    }
  }
}

std::string format_v4(const uint8_t* raw) {
  std::string out;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out.push_back('.');
    append_decimal(&out, raw[i]);
  }
  return out;
}

// The longest run of at least two zero groups, the first of equals: {start, length}.
std::array<int, 2> longest_zero_run(const uint8_t* raw) {
  std::array<int, 2> best = {-1, 1};
  int start = 0;
  for (int i = 0; i <= 8; ++i) {
    if (i < 8 && base::load_be16(raw + 2 * i) == 0) continue;
    if (i - start > best[1]) best = {start, i - start};
    start = i + 1;
  }
  return best;
}

bool is_v4_mapped(const uint8_t* raw) {
  return base::load_be64(raw) == 0 && base::load_be32(raw + 8) == 0xffff;
}

std::string format_v6(const uint8_t* raw) {
  if (is_v4_mapped(raw)) return "::ffff:" + format_v4(raw + 12);
  const std::array<int, 2> run = longest_zero_run(raw);
  std::string out;
  for (int i = 0; i < 8; ++i) {
    if (i == run[0]) {
      out += "::";
      i += run[1] - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    append_hex(&out, base::load_be16(raw + 2 * i));
  }
  return out;
}

}  // namespace

bool IpAddress::is_unspecified() const {
  if (v4) return v4_value() == 0;
  return base::load_be64(bytes) == 0 && base::load_be64(bytes + 8) == 0;
}

bool IpAddress::is_multicast() const { return v4 ? bytes[12] >> 4 == 0xe : bytes[0] == 0xff; }

bool IpAddress::is_link_local() const {
  if (v4) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  uint8_t raw[16];
  if (text.find(':') == std::string_view::npos) {
    if (!parse_v4(text, raw)) return std::nullopt;
    return IpAddress::from_v4_bytes(raw);
  }
  if (!parse_v6(text, raw)) return std::nullopt;
  return IpAddress::from_v6_bytes(raw);
}

std::string format_ip_address(const IpAddress& address) {
  return address.v4 ? format_v4(address.bytes + 12) : format_v6(address.bytes);
}

MacAddress MacAddress::for_multicast(const IpAddress& group) {
  if (group.v4) {
    return {{0x01, 0x00, 0x5e, static_cast<uint8_t>(group.bytes[13] & 0x7f), group.bytes[14],
             group.bytes[15]}};
  }
  return {{0x33, 0x33, group.bytes[12], group.bytes[13], group.bytes[14], group.bytes[15]}};
}

bool MacAddress::is_zero() const { return *this == MacAddress{}; }

std::optional<MacAddress> parse_mac_address(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  const char separator = text[2];
  if (separator != ':' && separator != '-') return std::nullopt;
  MacAddress out;
  for (size_t i = 0; i < 6; ++i) {
    const int high = hex_value(text[3 * i]);
    const int low = hex_value(text[3 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    if (i < 5 && text[3 * i + 2] != separator) return std::nullopt;
    out.bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return out;
}

std::string format_mac_address(const MacAddress& address) {
  std::string out;
  for (size_t i = 0; i < 6; ++i) {
    if (i > 0) out.push_back(':');
    out.push_back(kHexDigits[address.bytes[i] >> 4]);
    out.push_back(kHexDigits[address.bytes[i] & 0xf]);
  }
  return out;
}

}  // namespace sluice::wire
