// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/options.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/args.h"
#include "cli/text.h"
#include "sim/setting_lines.h"

namespace sluice::cli {
namespace {

// Times are given in nanoseconds or longer units; the simulator counts picoseconds.
OptionSet::Setter set_time(sim::Picos* out) {
  return [out](const std::string& value) -> absl::Status {
    const auto nanos = parse_nanos(value);
    if (!nanos || *nanos > UINT64_MAX / sim::kPicosPerNano) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", value, "' is no time; write 500us, 4ms or 1s"));
    }
    *out = sim::to_picos(base::Nanos(*nanos));
    return absl::OkStatus();
  };
}

// "0.8" or "80%".
OptionSet::Setter set_share(double* out) {
  return [out](const std::string& value) -> absl::Status {
    absl::string_view digits = value;
    const bool percent = !digits.empty() && digits.back() == '%';
    if (percent) digits.remove_suffix(1);
    double share = 0;
    if (!absl::SimpleAtod(digits, &share)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", value, "' is no share; write 0.8 or 80%"));
    }
    *out = percent ? share / 100 : share;
    return absl::OkStatus();
  };
}

template <class T, class Parse>
OptionSet::Setter set_named(T* out, Parse parse) {
  return [out, parse](const std::string& value) -> absl::Status {
    const auto named = parse(value);
    if (!named.ok()) return named.status();
    *out = *named;
    return absl::OkStatus();
  };
}

OptionSet::Setter set_u32(uint32_t* out, uint64_t most) {
  return [out, most](const std::string& value) -> absl::Status {
    const auto count = parse_count(value);
    if (!count || *count > most) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", value, "' is no number from 0 to ", most));
    }
    *out = static_cast<uint32_t>(*count);
    return absl::OkStatus();
  };
}

void add_network_options(OptionSet* set, sim::Scenario* s) {
  set->section("network");
  const auto names = sim::topology_names();
  set->add_text("topology", "NAME", absl::StrCat("one of ", absl::StrJoin(names, ", ")),
                &s->topology);
  set->add("priorities", "N", "strict priorities of the switches, 1 to 8",
           set_u32(&s->priorities, 8));
  set->add_count("buffer", "BYTES", "shared by the ports of a switch; 0: without limit",
                 &s->buffer_bytes, 0, uint64_t{1} << 40);
  set->add_switch("trim", "cut packets that find no room to their headers", &s->trim);
  set->add("loss", "SHARE", "of packets lost on each link, as 0.001", set_share(&s->loss));
  set->add(
      "routing", "NAME", "among equal ways: spray, ecmp (by flow) or turns",
      [s](const std::string& value) { return set_named(&s->routing, sim::routing_named)(value); });
  set->add("dead-spine", "TIME", "of the window, at which the first spine goes dead",
           set_time(&s->dead_spine));
  set->add("slow-spine", "TIME", "at which its links fall to a quarter of their rate",
           set_time(&s->slow_spine));
  set->add("detection", "TIME", "after which switches route around what is dead; 0: never",
           set_time(&s->detection));
  set->add("stalls", "SHARE", "of received packets, before which a host stops",
           set_share(&s->stall_share));
  set->add("stall", "TIME", "for which it stops", set_time(&s->stall));
  set->add("mtu", "BYTES", "IP bytes of a packet", set_u32(&s->mtu, 65535));
  set->add("ring", "PACKETS", "that wait in a host's transmit ring, where none overtakes another",
           set_u32(&s->ring_packets, 4096));
}

void add_traffic_options(OptionSet* set, sim::Scenario* s) {
  set->section("traffic");
  set->add(
      "pattern", "NAME", "uniform, rpc, incast, fanin, permutation, saturate or none",
      [s](const std::string& value) { return set_named(&s->pattern, sim::pattern_named)(value); });
  set->add("workload", "NAME", "sizes: W1 to W5, or a number of bytes",
           [s](const std::string& value) {
             const auto size = parse_count(value);
             s->workload = size ? absl::StrCat(*size) : absl::AsciiStrToUpper(value);
             return absl::OkStatus();
           });
  set->add("load", "SHARE", "of each host's link, by data packets (uniform)", set_share(&s->load));
  set->add("senders", "N", "hosts that send to host 0 (incast)", set_u32(&s->senders, 65535));
  set->add("incast-share", "SHARE", "of the load that comes as incasts (uniform)",
           set_share(&s->incast_share));
  set->add("incast-bytes", "BYTES", "of each one's message (incast, fanin, permutation)",
           set_u32(&s->incast_bytes, UINT32_MAX));
  set->add("outstanding", "N", "messages of each host (saturate)", set_u32(&s->outstanding, 1024));
  set->add("pulls", "N", "of each host, always under way beside the rest (rpc, none); 0: none",
           set_u32(&s->pulls, 65535));
  set->add("pull-bytes", "BYTES", "of each of them", set_u32(&s->pull_bytes, UINT32_MAX));
  set->add("tcp", "KIND", "of flows that share the links: none, reno or dctcp",
           [s](const std::string& value) { return set_named(&s->tcp, sim::tcp_named)(value); });
  set->add("tcp-flows", "N", "of them; 0: one from each host", set_u32(&s->tcp_flows, 65536));
  set->add("tcp-priority", "N", "of their packets, 0 to 7", set_u32(&s->tcp_priority, 7));
  set->add_count("ecn-host", "BYTES", "at a port to a host, above which it marks; 0: never",
                 &s->ecn_host_bytes, 0, uint64_t{1} << 40);
  set->add("warmup", "TIME", "before messages are measured", set_time(&s->warmup));
  set->add("duration", "TIME", "for which messages are submitted and measured",
           set_time(&s->duration));
  set->add("drain", "TIME", "after which the rest is given up", set_time(&s->drain));
  set->add_count("seed", "N", "of everything random", &s->seed, 0, INT64_MAX);
}

void add_protocol_options(OptionSet* set, sim::Scenario* s) {
  set->section("protocol");
  set->add("policy", "NAME", "who may send: homa, sird, hybrid, fair, or ideal as a bound",
           [s](const std::string& value) { return sim::set_policy(value, s); });
  set->add("overcommit", "N", "messages granted at a time (homa); 0: as the product has it",
           set_u32(&s->overcommit, 255));
  set->add_count("unscheduled", "BYTES", "sent unasked; 0: what a round trip takes",
                 &s->unscheduled_bytes, 0, sim::kMaxMessage);
  set->add("window", "RTTS", "of bytes granted and not arrived; 0: the policy's own",
           set_share(&s->window_rtts));
}

OptionSet option_set(SimCommand* command, std::string* file) {
  OptionSet set;
  add_network_options(&set, &command->scenario);
  add_traffic_options(&set, &command->scenario);
  add_protocol_options(&set, &command->scenario);
  set.section("output");
  set.add_text("json", "FILE", "write the figures for machines", &command->json);
  set.add_text("plots", "FOLDER", "write plots as SVG files", &command->plots);
  set.add_text("scenario", "FILE", "read options from a file first", file);
  set.add_count("max-messages", "N", "refuse a longer run", &command->max_messages, 1,
                uint64_t{1} << 32);
  return set;
}

std::string help_text(const OptionSet& set) {
  return absl::StrCat(
      "sluice-sim: the protocol core on a simulated network, on virtual time\n\n"
      "usage: sluice-sim [options]\n"
      "       sluice-sim faults [--seeds=N] [--first-seed=S] [--json=FILE]\n",
      set.help(), "\nExit status: 0 done, 1 failed, 2 not understood.\n");
}

absl::StatusOr<std::vector<std::string>> file_arguments(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat("scenario: cannot read ", path));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return scenario_arguments(text.str());
}

}  // namespace

absl::StatusOr<std::vector<std::string>> scenario_arguments(absl::string_view text) {
  std::vector<std::string> arguments;
  for (const sim::SettingLine& line : sim::setting_lines(text)) {
    if (line.name.empty() || line.value.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("scenario: line ", line.number, ": write name = value"));
    }
    arguments.push_back(absl::StrCat("--", line.name, "=", line.value));
  }
  return arguments;
}

absl::StatusOr<SimCommand> read_sim_command(const std::vector<std::string>& arguments) {
  SimCommand command;
  std::string file;
  const OptionSet set = option_set(&command, &file);
  auto words = set.parse(arguments);
  if (!words.ok()) return words.status();
  if (std::find(words->begin(), words->end(), "--help") != words->end()) {
    command.help = help_text(set);
    return command;
  }
  if (!words->empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", words->front(), "' is not understood"));
  }
  if (file.empty()) return command;
  auto from_file = file_arguments(file);
  if (!from_file.ok()) return from_file.status();
  // The command line has the last word.
  command = SimCommand{};
  auto none = set.parse(*from_file);
  if (none.ok() && !none->empty()) {
    return absl::InvalidArgumentError("scenario: a file holds options only");
  }
  if (none.ok()) none = set.parse(arguments);
  if (!none.ok()) return none.status();
  return command;
}

}  // namespace sluice::cli
