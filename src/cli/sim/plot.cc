// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/plot.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/json_report.h"

namespace sluice::cli {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 420;
constexpr double kLeft = 80;
constexpr double kRight = 150;  // Room for the legend.
constexpr double kTop = 40;
constexpr double kBottom = 60;
constexpr int kTicks = 5;
constexpr const char* kColours[] = {"#1b6ca8", "#c8553d", "#3a7d44", "#7a5195", "#b8860b"};

struct Axis {
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  bool log = false;

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void settle() {
    if (low > high) low = high = 0;
    if (low == high) high = low + 1;
  }
  // 0 at the low end, 1 at the high one.
  double place(double value) const {
    if (log) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
  double at(double share) const {
    return log ? low * std::pow(high / low, share) : low + (high - low) * share;
  }
};

std::string escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string tick_text(double value) {
  if (std::abs(value) >= 1e6) return absl::StrFormat("%.3gM", value / 1e6);
  if (std::abs(value) >= 1e3) return absl::StrFormat("%.3gk", value / 1e3);
  return absl::StrFormat("%.3g", value);
}

double x_of(const Axis& axis, double value) {
  return kLeft + axis.place(value) * (kWidth - kLeft - kRight);
}
double y_of(const Axis& axis, double value) {
  return kHeight - kBottom - axis.place(value) * (kHeight - kTop - kBottom);
}

void add_text(double x, double y, const char* anchor, const std::string& text, std::string* out) {
  absl::StrAppendFormat(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                        anchor, escaped(text));
}

void add_grid(const Plot& plot, const Axis& x, const Axis& y, std::string* out) {
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    const double at_x = x_of(x, x.at(share));
    const double at_y = y_of(y, y.at(share));
    absl::StrAppendFormat(out, "<path d=\"M%.1f %.1fV%.1fM%.1f %.1fH%.1f\" stroke=\"#ddd\"/>\n",
                          at_x, kTop, kHeight - kBottom, kLeft, at_y, kWidth - kRight);
    add_text(at_x, kHeight - kBottom + 18, "middle", tick_text(x.at(share)), out);
    add_text(kLeft - 8, at_y + 4, "end", tick_text(y.at(share)), out);
  }
  add_text((kLeft + kWidth - kRight) / 2, kHeight - 16, "middle", plot.x_title, out);
  add_text(kLeft, kTop - 10, "end", plot.y_title, out);
  add_text((kLeft + kWidth - kRight) / 2, 20, "middle", plot.title, out);
}

void add_line(const PlotLine& line, size_t number, const Axis& x, const Axis& y, std::string* out) {
  const char* colour = kColours[number % std::size(kColours)];
  std::string points;
  for (const auto& [px, py] : line.points) {
    absl::StrAppendFormat(&points, "%.1f,%.1f ", x_of(x, px), y_of(y, py));
  }
  absl::StrAppendFormat(
      out, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\"/>\n", points,
      colour);
  const double legend_y = kTop + 18 * static_cast<double>(number);
  absl::StrAppendFormat(out, "<path d=\"M%.1f %.1fh20\" stroke=\"%s\" stroke-width=\"3\"/>\n",
                        kWidth - kRight + 12, legend_y, colour);
  add_text(kWidth - kRight + 38, legend_y + 4, "start", line.name, out);
}

Plot slowdown_plot(const sim::Report& report) {
  Plot plot{.title = "Slowdown by message size",
            .x_title = "message size, bytes (end of each tenth)",
            .y_title = "slowdown",
            .x_log = true,
            .lines = {{"p50", {}}, {"p99", {}}, {"p99.9", {}}}};
  for (const sim::SlowdownGroup& group : report.groups) {
    if (group.name.rfind("tenth_", 0) != 0) continue;
    plot.lines[0].points.emplace_back(group.to, group.p50);
    plot.lines[1].points.emplace_back(group.to, group.p99);
    plot.lines[2].points.emplace_back(group.to, group.p999);
  }
  return plot;
}

// The sums of the first and the fullest leaf, so that the picture stays readable.
Plot queue_plot(const sim::Experiment& experiment) {
  const sim::Network& network = experiment.network();
  const size_t leaves = network.leaves().size();
  Plot plot{.title = "Bytes waiting at a leaf for its hosts",
            .x_title = "time since the window began, us",
            .y_title = "bytes",
            .lines = {{"mean of leaves", {}}, {"largest", {}}}};
  for (size_t i = 0; leaves != 0 && (i + 1) * leaves <= network.samples().size(); ++i) {
    const auto row = network.samples().begin() + static_cast<ptrdiff_t>(i * leaves);
    double sum = 0;
    uint32_t most = 0;
    for (auto it = row; it != row + static_cast<ptrdiff_t>(leaves); ++it) {
      sum += *it;
      most = std::max(most, *it);
    }
    const double at = static_cast<double>((i + 1)) *
                      static_cast<double>(experiment.scenario().sample_period.value()) / 1e6;
    plot.lines[0].points.emplace_back(at, sum / static_cast<double>(leaves));
    plot.lines[1].points.emplace_back(at, most);
  }
  return plot;
}

}  // namespace

std::string svg_text(const Plot& plot) {
  Axis x;
  Axis y;
  x.log = plot.x_log;
  y.include(0);
  for (const PlotLine& line : plot.lines) {
    for (const auto& [px, py] : line.points) {
      x.include(px);
      y.include(py);
    }
  }
  x.settle();
  y.settle();
  std::string out = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      kWidth, kHeight);
  add_grid(plot, x, y, &out);
  size_t number = 0;
  for (const PlotLine& line : plot.lines) {
    if (!line.points.empty()) add_line(line, number++, x, y, &out);
  }
  return out + "</svg>\n";
}

absl::Status write_plots(const std::string& folder, const sim::Experiment& experiment,
                         const sim::Report& report) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("plots: cannot make ", folder, ": ", error.message()));
  }
  auto status = write_whole(absl::StrCat(folder, "/slowdown.svg"), svg_text(slowdown_plot(report)));
  if (!status.ok() || experiment.network().samples().empty()) return status;
  return write_whole(absl::StrCat(folder, "/queues.svg"), svg_text(queue_plot(experiment)));
}

}  // namespace sluice::cli
