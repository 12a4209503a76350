// SPDX-License-Identifier: Apache-2.0
//
// Padded messages (PROTOCOL.md §19). In a padded session a message travels as
//     u32 length of its content || content || zeros
// and what is shown in clear is the size of that, one of few: the bucket.
#ifndef SLUICE_WIRE_PADDING_H_
#define SLUICE_WIRE_PADDING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::wire {

// What stands before the content.
inline constexpr uint32_t kLengthPrefix = 4;
// The smallest bucket, and the end of those that are powers of two.
inline constexpr uint64_t kLeastBucket = 64;
inline constexpr uint64_t kPowerBuckets = 512;

// The size of the padded message that holds `content` bytes: a power of two up to 512; above that
// Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
// PURBs", PETS 2019, §4), at most 1/16 more than without. More than 32 bits can hold for contents
// of nearly 4 GiB.
uint64_t padded_length(uint32_t content);

// Writes the bytes [offset, offset + out.size()) of the padded message that holds `content`.
void copy_padded(std::span<const uint8_t> content, uint32_t offset, std::span<uint8_t> out);

// All of it. For control threads: it allocates.
std::vector<uint8_t> padded_message(std::span<const uint8_t> content);

// Whether all bytes are zero.
bool all_zeros(std::span<const uint8_t> bytes);

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_PADDING_H_
