// SPDX-License-Identifier: Apache-2.0
#include "cli/sha256.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "crypto/primitives.h"
#include "engine/crypto_loader.h"

namespace sluice::cli {

absl::StatusOr<Digest> sha256(std::span<const uint8_t> bytes) {
  const auto library = engine::load_crypto("");
  if (!library.ok()) return library.status();
  Digest digest;
  const crypto::ByteView part = {bytes.data(), bytes.size()};
  (*library)->primitives->sha256(&part, 1, digest.data());
  return digest;
}

absl::StatusOr<Digest> sha256_of_file(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError("not a regular file");
  }
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) return sha256({});
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (bytes == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot map the file: ", strerror(errno)));
  }
  auto digest = sha256({static_cast<const uint8_t*>(bytes), size});
  ::munmap(bytes, size);
  return digest;
}

absl::StatusOr<Digest> sha256_of_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", strerror(errno)));
  auto digest = sha256_of_file(fd);
  ::close(fd);
  return digest;
}

std::string digest_text(const Digest& digest) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace sluice::cli
