// SPDX-License-Identifier: Apache-2.0
#include "fields.h"

#include <algorithm>

#include "wire/record_packet.h"

namespace sluice::attack {
namespace {

using namespace wire::offsets;

#define SLUICE_COMMON_FIELDS                                                                      \
  {"sequence", kSequence, 4}, {"session", kSession, 4}, {"doff_version", kDoffVersion, 1},        \
      {"flags", kFlags, 1}, {"type", kType, 1}, {"epoch", kEpoch, 1}, {"checksum", kChecksum, 2}, \
      {"lane", kLane, 1}, {"bits", kBits, 1}, {                                                   \
    "record_number", kRecordNumber, 8                                                             \
  }
#define SLUICE_MESSAGE_FIELDS                                                   \
  {"message_length", kMessageLength, 4}, {"granted", kGranted, 4},              \
      {"response_credit", kResponseCredit, 4}, {"floor_delta", kFloorDelta, 4}, \
      {"timestamp", kDataTimestamp, 4}, {"service", kService, 2}, {             \
    "path_sequence", kPathSequence, 2                                           \
  }

constexpr Field kDataFields[] = {SLUICE_COMMON_FIELDS, SLUICE_MESSAGE_FIELDS};
constexpr Field kRecordFields[] = {SLUICE_COMMON_FIELDS,
                                   SLUICE_MESSAGE_FIELDS,
                                   {"offset", kRecordOffset, 4},
                                   {"length", kRecordLength, 2},
                                   {"reserved", kRecordReserved, 2}};
constexpr Field kBundleFields[] = {SLUICE_COMMON_FIELDS,
                                   {"clear_length", kClearLength, 2},
                                   {"rx_epoch", kRxEpoch, 1},
                                   {"path", kBundlePath, 1},
                                   {"timestamp", kBundleTimestamp, 4}};
constexpr Field kHandshakeFields[] = {SLUICE_COMMON_FIELDS,
                                      {"message_type", kMessageType, 1},
                                      {"fragment_index", kFragmentIndex, 1},
                                      {"fragment_count", kFragmentCount, 1},
                                      {"reserved", kHandshakeReserved, 1}};
constexpr Field kResetFields[] = {SLUICE_COMMON_FIELDS,
                                  {"token", wire::kCommonHeaderSize, wire::kResetTokenSize}};
#undef SLUICE_COMMON_FIELDS
#undef SLUICE_MESSAGE_FIELDS

constexpr Field kEspFields[] = {{"spi", 0, 4}, {"esp_sequence", 4, 4}, {"iv", 8, 8}};

constexpr bool covers(std::span<const Field> fields, size_t header_size) {
  size_t at = 0;
  for (const Field& field : fields) {
    if (field.offset != at || field.size == 0) return false;
    at += field.size;
  }
  return at == header_size;
}

static_assert(covers(kDataFields, wire::kDataHeaderSize));
static_assert(covers(kRecordFields, wire::kRecordHeaderSize));
static_assert(covers(kBundleFields, wire::kBundleHeaderSize));
static_assert(covers(kHandshakeFields, wire::kHandshakeHeaderSize));
static_assert(covers(kResetFields, wire::kResetPacketSize));
static_assert(covers(kEspFields, wire::kEspHeaderSize));

using Value = std::vector<uint8_t>;

// Big-endian, wrapping.
void count(Value* value, bool up) {
  for (size_t i = value->size(); i-- > 0;) {
    uint8_t& byte = (*value)[i];
    byte = static_cast<uint8_t>(up ? byte + 1 : byte - 1);
    if (byte != (up ? 0 : 0xff)) return;
  }
}

std::vector<Value> other_values(const Value& value) {
  std::vector<Value> out;
  const auto add = [&](Value other) {
    if (other == value || std::find(out.begin(), out.end(), other) != out.end()) return;
    out.push_back(std::move(other));
  };
  for (size_t bit = 0; bit < value.size() * 8; ++bit) {
    Value other = value;
    other[bit / 8] ^= static_cast<uint8_t>(0x80u >> bit % 8);
    add(std::move(other));
  }
  add(Value(value.size(), 0));
  add(Value(value.size(), 0xff));
  for (const bool up : {true, false}) {
    Value other = value;
    count(&other, up);
    add(std::move(other));
  }
  return out;
}

}  // namespace

std::span<const Field> header_fields(uint8_t type) {
  switch (static_cast<wire::PacketType>(type)) {
    case wire::PacketType::kData:
      return kDataFields;
    case wire::PacketType::kBundle:
      return kBundleFields;
    case wire::PacketType::kHandshake:
      return kHandshakeFields;
    case wire::PacketType::kReset:
      return kResetFields;
    case wire::PacketType::kRecord:
      return kRecordFields;
  }
  return {};
}

std::span<const Field> esp_fields() { return kEspFields; }

std::vector<Forgery> alter_fields(const Packet& packet) {
  std::vector<Forgery> out;
  const auto fields = packet.esp ? esp_fields() : header_fields(type_byte(packet.bytes));
  for (const Field& field : fields) {
    if (field.offset + field.size > packet.bytes.size()) continue;
    const auto begin = packet.bytes.begin() + static_cast<ptrdiff_t>(field.offset);
    const Value value(begin, begin + static_cast<ptrdiff_t>(field.size));
    for (const Value& other : other_values(value)) {
      Forgery forged{packet, std::string("another ") + field.name};
      std::copy(other.begin(), other.end(),
                forged.packet.bytes.begin() + static_cast<ptrdiff_t>(field.offset));
      out.push_back(std::move(forged));
    }
  }
  return out;
}

}  // namespace sluice::attack
