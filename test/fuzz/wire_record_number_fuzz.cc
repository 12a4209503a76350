// SPDX-License-Identifier: Apache-2.0
//
// The split of record numbers and the numbers under it: taking apart and composing are inverse,
// and an id within half the range of the reference is found again.
#include <cstddef>
#include <cstdint>

#include "base/byte_order.h"
#include "wire/record_number.h"

namespace {

void expect(bool condition) {
  if (!condition) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::wire;
  const auto split = RecordNumberSplit::parse(data, size);
  if (!split || size < RecordNumberSplit::kSize + 24) return 0;
  const uint64_t number = sluice::base::load_be64(data + 3);
  const uint64_t reference = sluice::base::load_be64(data + 11);
  const uint64_t id = sluice::base::load_be64(data + 19);
  if (is_counter_number(number)) {
    expect(counter_number(counter_of(number)) == number);
  } else {
    const MessageRecord record = split_message_number(*split, number);
    expect(message_number(*split, record.initiator, record.id_low, record.attempt, record.index) ==
           number);
  }
  const uint64_t expanded = expand_message_id(*split, id & split->id_mask(), reference);
  expect((expanded & split->id_mask()) == (id & split->id_mask()));
  const uint64_t distance = id > reference ? id - reference : reference - id;
  if (distance < split->id_mask() / 2) expect(expanded == id);
  return 0;
}
