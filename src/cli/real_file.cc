// SPDX-License-Identifier: Apache-2.0
#include "cli/real_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

// The files whose content is mapped into this process, the program first.
std::vector<std::string> mapped_files() {
  std::vector<std::string> files = {"/proc/self/exe"};
  std::set<std::string> seen;
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos || line.find(".so", slash) == std::string::npos) continue;
    if (seen.insert(line.substr(slash)).second) files.push_back(line.substr(slash));
  }
  return files;
}

}  // namespace

absl::StatusOr<TemporaryFolder> TemporaryFolder::make() {
  std::error_code error;
  const std::string base = std::filesystem::temp_directory_path(error).string();
  // The six letters are what mkdtemp(3) replaces.
  std::string path = absl::StrCat(error ? std::string(".") : base, "/sluice-XXXXXX");
  if (::mkdtemp(path.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot make a folder in ", base, ": set TMPDIR to one that is writable"));
  }
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, "")) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

absl::Status write_real_file(const std::string& path, uint64_t least) {
  std::ofstream out(path, std::ios::binary);
  const std::vector<std::string> sources = mapped_files();
  uint64_t written = 0;
  for (size_t i = 0; out && written < least; i = (i + 1) % sources.size()) {
    std::ifstream in(sources[i], std::ios::binary);
    out << in.rdbuf();
    if (out.fail() && in.eof()) out.clear();  // An empty source, not a failed write.
    written = static_cast<uint64_t>(std::max<std::streamoff>(0, out.tellp()));
    if (i + 1 == sources.size() && written == 0) break;
  }
  out.close();
  if (written >= least && out.good()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", least, " bytes to ", path, ": give --file=FILE instead"));
}

}  // namespace sluice::cli
