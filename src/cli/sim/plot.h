// SPDX-License-Identifier: Apache-2.0
//
// Plots as SVG: lines over two axes, drawn to be looked at.
#ifndef SLUICE_CLI_SIM_PLOT_H_
#define SLUICE_CLI_SIM_PLOT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "sim/experiment.h"
#include "sim/report.h"

namespace sluice::cli {

struct PlotLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  // In ascending x.
};

struct Plot {
  std::string title;
  std::string x_title;
  std::string y_title;
  bool x_log = false;  // All x are above 0 then.
  std::vector<PlotLine> lines;
};

// A whole SVG document. Lines without a point are left out.
std::string svg_text(const Plot& plot);

// Writes slowdown.svg (by message size) and, where the run took samples, queues.svg (over time)
// into the folder, which is made if need be.
absl::Status write_plots(const std::string& folder, const sim::Experiment& experiment,
                         const sim::Report& report);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIM_PLOT_H_
