// SPDX-License-Identifier: Apache-2.0
#include "cli/json_report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/json_text.h"

namespace sluice::cli {
namespace {

std::string json_labels(const Labels& labels) {
  return absl::StrCat("{",
                      absl::StrJoin(labels, ", ",
                                    [](std::string* out, const auto& label) {
                                      absl::StrAppend(out, base::json_string(label.first), ": ",
                                                      base::json_string(label.second));
                                    }),
                      "}");
}

absl::Status errno_status(absl::string_view doing, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", doing, " ", path, ": ", strerror(errno)));
}

bool write_all(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    text.remove_prefix(static_cast<size_t>(done));
  }
  return true;
}

bool is_special(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

// The file behind symbolic links, so that moving over it replaces the file and not the link.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  std::string found = real != nullptr ? real : path;
  std::free(real);
  return found;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status write_directly(const std::string& path, absl::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno_status("open", path);
  const bool ok = write_all(fd, text);
  absl::Status status = ok ? absl::OkStatus() : errno_status("write", path);
  ::close(fd);
  return status;
}

void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::string json_real(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == std::floor(value) && std::abs(value) < 1e15) return absl::StrFormat("%.0f", value);
  return absl::StrFormat("%.9g", value);
}

void JsonReport::add(absl::string_view metric, uint64_t value, absl::string_view unit,
                     Labels labels) {
  results_.push_back(
      {std::string(metric), absl::StrCat(value), std::string(unit), std::move(labels)});
}

void JsonReport::add_real(absl::string_view metric, double value, absl::string_view unit,
                          Labels labels) {
  results_.push_back({std::string(metric), json_real(value), std::string(unit), std::move(labels)});
}

std::string JsonReport::text() const {
  std::string out =
      absl::StrCat("{\n  \"command\": ", base::json_string(command_),
                   ",\n  \"version\": ", base::json_string(version_),
                   ",\n  \"machine\": {\"cpu\": ", base::json_string(machine_.cpu),
                   ", \"cores\": ", machine_.cores, ", \"memory_mb\": ", machine_.memory_mb,
                   ", \"huge_pages\": ", machine_.huge_pages,
                   ", \"kernel\": ", base::json_string(machine_.kernel), "},\n  \"results\": [");
  for (size_t i = 0; i < results_.size(); ++i) {
    const Result& result = results_[i];
    absl::StrAppend(&out, i == 0 ? "\n" : ",\n",
                    "    {\"metric\": ", base::json_string(result.metric),
                    ", \"value\": ", result.value, ", \"unit\": ", base::json_string(result.unit),
                    ", \"labels\": ", json_labels(result.labels), "}");
  }
  return out + "\n  ]\n}\n";
}

absl::StatusOr<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, " cannot be read: ", strerror(errno)));
  }
  std::string out{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return absl::UnavailableError(absl::StrCat(path, " cannot be read"));
  return out;
}

absl::Status check_writable(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the file name is empty");
  if (path.back() == '/' || folder_of(path) == path) {
    return absl::InvalidArgumentError(absl::StrCat(path, " names a folder, not a file"));
  }
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      return absl::InvalidArgumentError(absl::StrCat(path, " is a folder: name a file"));
    }
    if (!S_ISREG(info.st_mode)) {
      return ::access(path.c_str(), W_OK) == 0 ? absl::OkStatus() : errno_status("write", path);
    }
  }
  const std::string folder = folder_of(resolved(path));
  if (::access(folder.c_str(), W_OK) != 0) return errno_status("write into", folder);
  return absl::OkStatus();
}

absl::Status write_whole(const std::string& path, absl::string_view text, unsigned mode) {
  if (is_special(path)) return write_directly(path, text);
  const std::string target = resolved(path);
  const std::string beside = absl::StrCat(target, ".", ::getpid(), ".part");
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return errno_status("create", beside);
  bool ok = write_all(fd, text) && ::fsync(fd) == 0;
  absl::Status status = ok ? absl::OkStatus() : errno_status("write", beside);
  ::close(fd);
  if (ok && ::rename(beside.c_str(), target.c_str()) != 0) {
    status = errno_status("replace", target);
    ok = false;
  }
  if (ok) {
    sync_folder(folder_of(target));
  } else {
    ::unlink(beside.c_str());
  }
  return status;
}

}  // namespace sluice::cli
