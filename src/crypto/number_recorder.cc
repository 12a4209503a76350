// SPDX-License-Identifier: Apache-2.0
#include "crypto/number_recorder.h"

namespace sluice::crypto {

bool NumberRecorder::record(uint64_t number) {
  const uint64_t block = number / 64;
  const uint64_t bit = uint64_t{1} << (number % 64);
  Cell* cell = find(&generations_[young_], block);
  const Cell* old = find(&generations_[young_ ^ 1], block);
  if (((cell->bits | old->bits) & bit) != 0) return false;
  if (cell->bits == 0) {
    if (generations_[young_].used == kBlocksPerGeneration) {
      young_ ^= 1;
      generations_[young_] = {};
      cell = find(&generations_[young_], block);
    }
    cell->block = block;
    ++generations_[young_].used;
  }
  cell->bits |= bit;
  return true;
}

void NumberRecorder::reset() { generations_ = {}; }

NumberRecorder::Cell* NumberRecorder::find(Generation* generation, uint64_t block) {
  // The recorder is at most half full, so an empty cell ends every search.
  uint64_t at = block * 0x9E3779B97F4A7C15u >> 32;
  for (;; ++at) {
    Cell* cell = &generation->cells[at % kCells];
    if (cell->bits == 0 || cell->block == block) return cell;
  }
}

}  // namespace sluice::crypto
