// SPDX-License-Identifier: Apache-2.0
//
// Files on their way into a folder. Knows nothing of how their messages travel.
#ifndef SLUICE_CLI_FILE_STORE_H_
#define SLUICE_CLI_FILE_STORE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/file_format.h"

namespace sluice::cli {

struct ReceivedFile {
  std::string path;
  uint64_t bytes = 0;
  uint64_t nanos = 0;  // From its begin to its end, hashing excluded.
  bool match = false;
  Digest digest{};
};

// For one thread. Times are nanoseconds of any monotonic clock.
class FileStore {
 public:
  // At most so many files are under way at a time.
  static constexpr size_t kMaxTransfers = 64;
  // A file of which nothing has arrived for so long is given up.
  static constexpr uint64_t kPatience = 30'000'000'000;

  FileStore(std::string folder, bool overwrite)
      : folder_(std::move(folder)), overwrite_(overwrite) {}
  // Gives up the files under way: their parts are removed.
  ~FileStore();
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  // The number of the transfer. AlreadyExists, ResourceExhausted (too many files, or the disk has
  // no room for this size), Unavailable (the folder cannot be written).
  absl::StatusOr<uint64_t> begin(const FileBegin& begin, uint64_t now);
  // NotFound (no such transfer), OutOfRange (beyond the size announced), Unavailable.
  absl::Status chunk(const FileChunk& chunk, uint64_t now);
  // Compares, and puts the file in its place when all has arrived and the digest is right.
  absl::StatusOr<ReceivedFile> end(const FileEnd& end, uint64_t now);
  // Gives up files that nothing arrives of any more.
  void expire(uint64_t now);

  size_t under_way() const { return transfers_.size(); }
  uint64_t bytes_received() const { return bytes_received_; }

 private:
  struct Transfer {
    int fd = -1;
    std::string part;   // The file's place until it is complete.
    std::string place;  // And afterwards.
    uint64_t size = 0;
    uint64_t received = 0;
    uint64_t begun = 0;
    uint64_t heard = 0;
  };

  void give_up(Transfer& transfer);

  std::string folder_;
  bool overwrite_;
  uint64_t next_ = 1;
  uint64_t bytes_received_ = 0;
  std::map<uint64_t, Transfer> transfers_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_FILE_STORE_H_
