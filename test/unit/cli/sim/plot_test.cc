// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/plot.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::cli {
namespace {

TEST(Plot, lines_lie_between_the_axes_and_are_named) {
  Plot plot{.title = "a < b", .x_title = "x", .y_title = "y", .lines = {{"one", {}}, {"two", {}}}};
  plot.lines[1].points = {{0, 0}, {10, 5}};
  const std::string svg = svg_text(plot);
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_NE(svg.find("points=\"80.0,360.0 570.0,40.0 \""), std::string::npos) << svg;
  EXPECT_EQ(svg.find(">one<"), std::string::npos) << "a line without a point is left out";
  EXPECT_NE(svg.find(">two<"), std::string::npos);
}

TEST(Plot, a_logarithmic_axis_spreads_powers_evenly) {
  Plot plot{.x_log = true, .lines = {{"sizes", {{1, 0}, {10, 1}, {100, 2}}}}};
  EXPECT_NE(svg_text(plot).find("points=\"80.0,360.0 325.0,200.0 570.0,40.0 \""), std::string::npos)
      << svg_text(plot);
}

TEST(Plot, nothing_to_draw_is_still_a_picture) {
  EXPECT_NE(svg_text(Plot{}).find("</svg>"), std::string::npos);
}

TEST(Plot, a_run_leaves_both_pictures_in_a_new_folder) {
  sim::Scenario scenario;
  scenario.topology = "single16-100g";
  scenario.workload = "W2";
  scenario.duration = sim::to_picos(base::micros(50));
  auto experiment = sim::Experiment::create(scenario);
  ASSERT_TRUE(experiment.ok());
  (*experiment)->run();
  const std::string folder = testing::TempDir() + "/sluice_plots/new";
  const auto status = write_plots(folder, **experiment, sim::report_of(**experiment));
  ASSERT_TRUE(status.ok()) << status;
  for (const char* name : {"/slowdown.svg", "/queues.svg"}) {
    std::ostringstream text;
    text << std::ifstream(folder + name).rdbuf();
    EXPECT_NE(text.str().find("<polyline"), std::string::npos) << name;
  }
  std::filesystem::remove_all(testing::TempDir() + "/sluice_plots");
  EXPECT_FALSE(write_plots("/proc/none", **experiment, {}).ok());
}

}  // namespace
}  // namespace sluice::cli
