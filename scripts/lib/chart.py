# SPDX-License-Identifier: Apache-2.0
"""The parts of the SVG line charts that the pages of perf/evaluate and scripts/bench share."""


def polyline(points, colour, x_of, y_of):
    """A line through (x, y) points; the functions turn them into places on the page."""
    path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def rule(left, right, y, label):
    """A faint line across the chart at the height y, with its label to the left of it."""
    return (f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
