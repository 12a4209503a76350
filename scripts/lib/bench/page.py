# SPDX-License-Identifier: Apache-2.0
"""The page with plots: bars for the main figures, lines for those that depend on a size or a
number, and below them every command."""

import html
import math

from .. import chart
from . import figures, table, works

COLOURS = ("#0b6e4f", "#5aa17f", "#2a5db0", "#8fb0e0", "#b5442a", "#e0937f", "#8a6d1d", "#c9b26b",
           "#6b4fa0", "#a98fd0", "#444444", "#999999")
STYLE = """body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
svg text{font:12px sans-serif}code{font-size:12px;white-space:pre-wrap}pre{font-size:12px;
overflow-x:auto}"""
WIDTH = 900


def colour(contestants, name):
    place = [contestant.name for contestant in contestants].index(name)
    return COLOURS[place % len(COLOURS)]


def bars(contestants, samples, figure, where=""):
    """One bar for each contestant, from zero."""
    found = [(one, samples.median(one.name, figure.work, figure.metric, figure.labels))
             for one in contestants]
    found = [(one, median) for one, median in found if median is not None]
    if not found:
        return ""
    scale = (WIDTH - 440) / (max(median.value for _, median in found) or 1)
    parts = [f"<h3>{html.escape(figure.title + where)}</h3>"
             f'<svg viewBox="0 0 {WIDTH} {len(found) * 22}" width="{WIDTH}" role="img">']
    for row, (one, median) in enumerate(found):
        y = row * 22
        parts.append(
            f'<text x="330" y="{y + 15}" text-anchor="end">{html.escape(one.title)}</text>'
            f'<rect x="340" y="{y + 3}" width="{median.value * scale:.1f}" height="15" '
            f'fill="{colour(contestants, one.name)}"/>'
            f'<text x="{345 + median.value * scale:.1f}" y="{y + 15}">'
            f'{figures.value_text(figure.metric, median.value)}{table.mark(median)}</text>')
    return "".join(parts) + "</svg>"


def decades(low, high):
    return [10.0 ** power for power in range(math.floor(math.log10(low)),
                                             math.ceil(math.log10(high)) + 1)]


def lines(contestants, samples, title, columns):
    """One line for each contestant; the value is logarithmic, the columns are set side by side."""
    series = {}
    for one in contestants:
        points = [(place, samples.median(one.name, figure.work, figure.metric, figure.labels))
                  for place, figure in enumerate(columns)
                  if samples.carried(one.name, figure.work)]
        points = [(place, median.value) for place, median in points if median and median.value > 0]
        if points:
            series[one.name] = points
    if not series:
        return ""
    values = [value for points in series.values() for _, value in points]
    ticks = decades(min(values), max(values))
    height, left, right = 340, 80, WIDTH - 330
    low = math.log10(ticks[0])
    rise = (height - 60) / max(1e-9, math.log10(ticks[-1]) - low)

    def x_of(place):
        return left + place * (right - left) / max(1, len(columns) - 1)

    def y_of(value):
        return height - 40 - (math.log10(value) - low) * rise

    parts = [f"<h3>{html.escape(title)}</h3>"
             f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">']
    for tick in ticks:
        label = figures.value_text(columns[0].metric, tick)
        parts.append(chart.rule(left, right, y_of(tick), label))
    for place, figure in enumerate(columns):
        parts.append(f'<text x="{x_of(place):.1f}" y="{height - 20}" text-anchor="middle">'
                     f'{html.escape(figure.title)}</text>')
    for row, (name, points) in enumerate(series.items()):
        shade = colour(contestants, name)
        one = next(one for one in contestants if one.name == name)
        parts.append(chart.polyline(points, shade, x_of, y_of) +
                     f'<text x="{right + 12}" y="{24 + 18 * row}" fill="{shade}">'
                     f'{html.escape(one.title)}</text>')
    return "".join(parts) + "</svg>"


def page(settings, about, contestants, samples, shown):
    version, machine = about
    seen = ", ".join([f"Sluice {version}", str(machine.get("cpu")), str(machine.get("kernel"))])
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8">'
             f"<title>Sluice: benchmark</title><style>{STYLE}</style><h1>Sluice beside others</h1>",
             f"<p>{html.escape(seen)}; medians of {settings.rounds} rounds by "
             f"<code>{html.escape(settings.command)}</code>.</p>",
             f"<pre>{html.escape(shown)}</pre>"]
    parts += [bars(contestants, samples, figure) for figure in figures.MAIN + figures.DEVICES]
    parts += [bars(contestants, samples, figure, " beside 1 MB messages")
              for figure in figures.HEAD_OF_LINE]
    parts += [bars(contestants, samples, figure, f", {works.LOSS} % of the packets lost")
              for figure in figures.HEAD_OF_LINE_LOSS]
    parts += [bars(contestants, samples, figure, f", W3 at {works.SHARE:.0%} of what goes")
              for figure in figures.CAPACITY_SHARE]
    parts += [lines(contestants, samples, title, columns)
              for title, columns in figures.SERIES.values()]
    parts.append("<h2>Commands</h2><p>DIR is a folder of your own, PORT what the server prints."
                 "</p><pre>" + html.escape("\n".join(table.commands(contestants, samples))) +
                 "</pre></html>\n")
    return "\n".join(part for part in parts if part)
