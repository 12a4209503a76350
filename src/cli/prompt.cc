// SPDX-License-Identifier: Apache-2.0
#include "cli/prompt.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/show.h"
#include "cli/signals.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

constexpr int kTickMillis = 20;

struct Topic {
  const char* command;
  const char* usage;
};

constexpr Topic kTopics[] = {
    {"start", "  start                        begin the mode's traffic\n"},
    {"stop", "  stop                         end it and print what it measured\n"},
    {"show",
     "  show port stats all          packets and bytes of each port\n"
     "  show port xstats all         what each device counts by names of its own\n"
     "  show port info all           what the ports are\n"
     "  show sessions                sessions with their round trips and epochs\n"
     "  show messages                calls and messages in flight and done\n"
     "  show counters [PREFIX]       every counter that is not zero\n"
     "  show faults                  injected faults and what they did\n"
     "  show policy                  the rules in force: who may connect, call and use what\n"
     "  show config                  what the next start will do\n"},
    {"set",
     "  set fault KIND SHARE|TIME    loss, reorder, duplicate, corrupt; delay, jitter: at once\n"
     "  set fault none               no faults any more\n"
     "  set size BYTES               of the messages after the next start\n"
     "  set workload W1..W5          or their distribution\n"
     "  set outstanding N            messages in flight per lcore, likewise\n"
     "  set count N                  messages of the next start; 0: until stop\n"
     "  set duration TIME            of the next start; 0: no limit\n"},
    {"clear", "  clear port stats all         all counters start from zero\n"},
    {"reload", "  reload                       read the policy and the certificates again\n"},
    {"help", "  help [start|stop|show|set|clear|reload]\n"},
    {"quit", "  quit                         stop, close and leave\n"},
};

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Topic& topic : kTopics) names.push_back(topic.command);
  return names;
}

absl::Status usage(absl::string_view command) {
  return absl::InvalidArgumentError(
      absl::StrCat("that is not understood; the forms are\n", prompt_help(command)));
}

}  // namespace

std::string prompt_help(absl::string_view topic) {
  std::string out;
  for (const Topic& one : kTopics) {
    if (topic.empty() || topic == one.command) absl::StrAppend(&out, one.usage);
  }
  return out;
}

std::vector<std::string> split_words(absl::string_view line) {
  line = line.substr(0, line.find('#'));
  return absl::StrSplit(line, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
}

void Prompt::print(const std::string& text) {
  std::fputs(text.c_str(), out_);
  std::fflush(out_);
}

absl::Status Prompt::execute(absl::string_view line) {
  const Words words = split_words(line);
  if (words.empty()) return absl::OkStatus();
  const std::string& verb = words[0];
  if (verb == "start") return start(words);
  if (verb == "stop") return stop(words);
  if (verb == "show") return show(words);
  if (verb == "clear") return clear(words);
  if (verb == "set") return set(words);
  if (verb == "reload") return reload(words);
  if (verb == "help") return help(words);
  if (verb == "quit" || verb == "exit") {
    quitting_ = true;
    return absl::OkStatus();
  }
  const std::string meant = nearest(verb, command_names());
  return absl::InvalidArgumentError(
      absl::StrCat("no command '", verb, "'; ",
                   meant.empty() ? "try help" : absl::StrCat("is ", meant, " meant?")));
}

absl::Status Prompt::start(const Words& words) {
  if (words.size() != 1) return usage("start");
  if (run_->running()) return absl::FailedPreconditionError("it runs already; stop it first");
  auto job = mode_->make(rig_, options_);
  if (!job.ok()) return job.status();
  started_ = true;
  return run_->start(std::move(*job));
}

absl::Status Prompt::stop(const Words& words) {
  if (words.size() != 1) return usage("stop");
  if (!run_->running()) return absl::FailedPreconditionError("nothing runs; start begins it");
  run_->stop();
  while (run_->running() && signals_received() < 2) {
    if (!run_->tick()) ::poll(nullptr, 0, kTickMillis);
  }
  return run_->outcome();
}

absl::Status Prompt::show(const Words& words) {
  Engine& engine = rig_->engine();
  const std::string what = words.size() > 1 ? words[1] : "";
  const bool all = words.size() == 4 && words[3] == "all";
  if (what == "port" && all && words[2] == "stats") {
    print(port_stats_text(engine.ports()));
  } else if (what == "port" && all && words[2] == "xstats") {
    print(port_xstats_text(engine.ports()));
  } else if (what == "port" && all && words[2] == "info") {
    print(ports_text(engine.ports()));
  } else if (what == "sessions" && words.size() == 2) {
    print(sessions_text(engine.sessions()));
  } else if (what == "messages" && words.size() == 2) {
    print(messages_text(engine.stats(), engine.sessions()));
  } else if (what == "counters" && words.size() <= 3) {
    print(counters_text(engine.stats(), words.size() == 3 ? words[2] : ""));
  } else if (what == "faults" && words.size() == 2) {
    print(faults_text(options_.faults, engine.stats()));
  } else if (what == "policy" && words.size() == 2) {
    print(policy_text(options_.policy_file, engine.policy()));
  } else if (what == "config" && words.size() == 2) {
    print(config_text(options_));
  } else {
    return usage("show");
  }
  return absl::OkStatus();
}

absl::Status Prompt::clear(const Words& words) {
  if (words != Words{"clear", "port", "stats", "all"}) return usage("clear");
  rig_->engine().clear_stats();
  return absl::OkStatus();
}

absl::Status Prompt::set(const Words& words) {
  if (words.size() >= 3 && words[1] == "fault") return set_fault(words);
  if (words.size() == 3) return set_traffic(words);
  return usage("set");
}

absl::Status Prompt::set_fault(const Words& words) {
  FaultOptions faults = options_.faults;
  const std::string& kind = words[2];
  if (kind == "none" && words.size() == 3) {
    faults = FaultOptions{};
  } else if (words.size() != 4) {
    return usage("set");
  } else if (kind == "delay" || kind == "jitter") {
    const auto nanos = parse_nanos(words[3]);
    if (!nanos) return usage("set");
    (kind == "delay" ? faults.delay_ns : faults.jitter_ns) = *nanos;
  } else {
    const auto ppm = parse_ppm(words[3]);
    uint32_t* field = kind == "loss"        ? &faults.loss_ppm
                      : kind == "reorder"   ? &faults.reorder_ppm
                      : kind == "duplicate" ? &faults.duplicate_ppm
                      : kind == "corrupt"   ? &faults.corrupt_ppm
                                            : nullptr;
    if (!ppm || field == nullptr) return usage("set");
    *field = *ppm;
  }
  for (uint32_t node = 0; node < rig_->engine().nodes(); ++node) {
    absl::Status status = rig_->engine().set_faults(node, faults);
    if (!status.ok()) return status;
  }
  options_.faults = faults;
  return absl::OkStatus();
}

absl::Status Prompt::set_traffic(const Words& words) {
  Options next = options_;
  const OptionSet set = option_set(&next);
  static constexpr const char* kSettable[] = {"size", "workload", "outstanding", "count",
                                              "duration"};
  const bool known = std::any_of(std::begin(kSettable), std::end(kSettable),
                                 [&](const char* name) { return words[1] == name; });
  if (!known) return usage("set");
  if (words[1] == "count" && words[2] == "0") {
    next.count = 0;
  } else {
    const auto parsed = set.parse({absl::StrCat("--", words[1], "=", words[2])});
    if (!parsed.ok()) return parsed.status();
  }
  if (words[1] == "size") next.workload.clear();
  if (words[1] == "workload") next.size = 0;
  const auto workload = workload_of(next);
  if (!workload.ok()) return workload.status();
  if (workload->max_size() > mode_->longest(rig_->options())) {
    return absl::InvalidArgumentError(
        absl::StrCat("messages of up to ", workload->max_size(),
                     " bytes need a start with --size=", workload->max_size(), " or more"));
  }
  options_ = std::move(next);
  return absl::OkStatus();
}

absl::Status Prompt::reload(const Words& words) {
  if (words.size() != 1) return usage("reload");
  absl::Status status = rig_->engine().reload();
  if (status.ok()) print(absl::StrCat(kReloadedText, "\n"));
  return status;
}

absl::Status Prompt::help(const Words& words) {
  const std::string text = prompt_help(words.size() > 1 ? words[1] : "");
  if (text.empty() || words.size() > 2) return usage("help");
  print(text);
  return absl::OkStatus();
}

namespace {

// Runs the file's commands; true when one of them was `quit`.
absl::Status run_file(const std::string& path, Prompt* prompt, JobRun* run) {
  std::ifstream in(path);
  if (!in) {
    return absl::NotFoundError(
        absl::StrCat("--cmdline-file: cannot read ", path, ": ", strerror(errno)));
  }
  std::string line;
  for (int number = 1; !prompt->quitting() && std::getline(in, line); ++number) {
    const absl::Status status = prompt->execute(line);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat(path, ":", number, ": ", status.message()));
    }
    run->tick();
  }
  return absl::OkStatus();
}

// Waits until the job has ended, or a signal has ended it.
absl::Status wait_for_job(JobRun* run) {
  bool told = false;
  while (run->running() && signals_received() < 2) {
    run->reload_when_asked();
    if (signals_received() > 0 && !std::exchange(told, true)) run->stop();
    if (!run->tick()) ::poll(nullptr, 0, kTickMillis);
  }
  return run->running() ? absl::CancelledError("interrupted without draining") : run->outcome();
}

// Reads lines from standard input, ticking the job meanwhile, until quit, its end, or a signal.
void read_commands(Prompt* prompt, JobRun* run) {
  std::string pending;
  std::fputs(kPromptText, stdout);
  std::fflush(stdout);
  while (!prompt->quitting() && signals_received() == 0) {
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, kTickMillis) > 0) {
      char bytes[4096];
      const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
      if (count <= 0) return;
      pending.append(bytes, static_cast<size_t>(count));
    }
    bool prompted = run->reload_when_asked();
    prompted |= run->tick();
    for (size_t end = 0; !prompt->quitting() && (end = pending.find('\n')) != std::string::npos;) {
      const absl::Status status = prompt->execute(pending.substr(0, end));
      pending.erase(0, end + 1);
      if (!status.ok()) std::printf("%s\n", std::string(status.message()).c_str());
      prompted = true;
    }
    if (prompted && !prompt->quitting()) std::fputs(kPromptText, stdout);
    std::fflush(stdout);
  }
}

}  // namespace

absl::Status run_prompt(const Mode& mode, Rig* rig, JobRun* run) {
  const Options& options = rig->options();
  Prompt prompt(&mode, rig, run, stdout);
  if (!options.cmdline_file.empty()) {
    absl::Status status = run_file(options.cmdline_file, &prompt, run);
    if (!status.ok()) return status;
  }
  if (!options.interactive) {
    if (!prompt.started() && !prompt.quitting()) {
      absl::Status status = prompt.execute("start");
      if (!status.ok()) return status;
    }
    if (prompt.quitting()) run->stop();
    return wait_for_job(run);
  }
  if (options.auto_start && !prompt.started()) {
    absl::Status status = prompt.execute("start");
    if (!status.ok()) return status;
  }
  if (!prompt.quitting()) read_commands(&prompt, run);
  run->stop();
  return wait_for_job(run);
}

}  // namespace sluice::cli
