// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_NUMBER_RECORDER_H_
#define SLUICE_CRYPTO_NUMBER_RECORDER_H_

#include <array>
#include <cstdint>

namespace sluice::crypto {

// Remembers the record numbers used under one key, to stop a debug build on a repeat. Numbers are
// kept as bitmaps of 64 neighbours in two generations of fixed size; when the younger is full the
// older is forgotten. So a repeat is found for certain while fewer than kBlocksPerGeneration
// distinct bitmaps were touched in between, which covers every message in flight.
class NumberRecorder {
 public:
  static constexpr uint32_t kBlocksPerGeneration = 1024;

  // False when the number is remembered already.
  bool record(uint64_t number);

  // Forgets everything: a new key has come into use.
  void reset();

 private:
  static constexpr uint32_t kCells = 2 * kBlocksPerGeneration;  // At most half full.

  struct Cell {
    uint64_t block = 0;
    uint64_t bits = 0;  // 0 marks an empty cell.
  };
  struct Generation {
    std::array<Cell, kCells> cells{};
    uint32_t used = 0;
  };

  static Cell* find(Generation* generation, uint64_t block);

  std::array<Generation, 2> generations_;
  uint32_t young_ = 0;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_NUMBER_RECORDER_H_
