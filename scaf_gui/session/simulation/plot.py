"""A figure against the number of labels, as SVG: lines with deviations, each named at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from scaf_gui.session.simulation.report import Line, Section

#: figures that are drawn: column, what the axis says
PLOTTED = (("nme", "NME in % of the eye distance"), ("drags_3", "landmarks per face off by more than 3 %"))

#: colours that the colour-blind tell apart (Okabe & Ito 2008), darkest first
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_WIDTH, _HEIGHT = 760, 420
_LEFT, _TOP, _BOTTOM = 58, 56, 52
_LETTER = 6.4  # width of a letter of the names, roughly
_NAME_GAP = 15


@dataclass(frozen=True)
class _Curve:
    name: str
    colour: str
    dashes: str
    at: tuple[tuple[float, float, float], ...]  # labels, mean, deviation


def draw(section: Section, figure: str, axis: str) -> str | None:
    """The SVG, or ``None`` where there is nothing to draw."""
    curves = _curves(section.lines, figure)
    if not curves:
        return None
    right = min(max(len(curve.name) for curve in curves) * _LETTER + 26, 300.0)
    view = _View(curves, _WIDTH - right)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#333">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT - 40}" y="24" font-size="15" font-weight="bold">{escape(section.test)}</text>',
        f'<text x="{_LEFT - 40}" y="42" fill="#666">{escape(axis)}</text>',
        *_axes(view, curves),
        *(part for curve in curves for part in _line(view, curve)),
        *_names(view, curves),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _curves(lines: Sequence[Line], figure: str) -> list[_Curve]:
    curves: list[_Curve] = []
    for line in lines:
        at = []
        for point in line.points:
            values = point.values(figure)
            if len(values):
                spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
                at.append((float(point.labels), float(values.mean()), spread))
        if at:
            number = len(curves)
            dashes = ("", "6 3", "2 3")[number // len(_COLOURS) % 3]
            curves.append(_Curve(line.name, _COLOURS[number % len(_COLOURS)], dashes, tuple(at)))
    return curves


class _View:
    """From labels and values to places on the page; the axis of labels is logarithmic where they span much."""

    def __init__(self, curves: Sequence[_Curve], right: float) -> None:
        labels = [labels for curve in curves for labels, _, _ in curve.at]
        self.low, self.high = min(labels), max(labels)
        self.log = self.high > 8 * self.low
        tops = [mean + spread for curve in curves for _, mean, spread in curve.at]
        bottoms = [mean - spread for curve in curves for _, mean, spread in curve.at]
        self.step = _nice(max(tops) - min(bottoms), 5)
        self.bottom = math.floor(min(bottoms) / self.step - 0.15) * self.step
        self.top = math.ceil(max(tops) / self.step + 0.15) * self.step
        if min(bottoms) >= 0:
            self.bottom = max(self.bottom, 0.0)
        self.right = right

    def x(self, labels: float) -> float:
        scale = math.log if self.log else float
        span = scale(self.high) - scale(self.low)
        share = (scale(labels) - scale(self.low)) / span if span else 0.5
        return _LEFT + 14 + share * (self.right - _LEFT - 28)

    def y(self, value: float) -> float:
        share = (value - self.bottom) / (self.top - self.bottom)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)


def _axes(view: _View, curves: Sequence[_Curve]) -> list[str]:
    parts = []
    digits = max(0, -math.floor(math.log10(view.step)))
    for number in range(round((view.top - view.bottom) / view.step) + 1):
        value = view.bottom + number * view.step
        y = view.y(value)
        parts.append(f'<line x1="{_LEFT}" x2="{view.right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.{digits}f}</text>')
    base, last = _HEIGHT - _BOTTOM, -math.inf
    parts.append(f'<line x1="{_LEFT}" x2="{view.right:.1f}" y1="{base}" y2="{base}" stroke="#888"/>')
    for count in sorted({labels for curve in curves for labels, _, _ in curve.at}):
        x = view.x(count)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}" stroke="#888"/>')
        if x - last > 26:
            parts.append(f'<text x="{x:.1f}" y="{base + 18}" text-anchor="middle">{count:.0f}</text>')
            last = x
    middle = (_LEFT + view.right) / 2
    parts.append(f'<text x="{middle:.1f}" y="{base + 38}" text-anchor="middle" fill="#666">labelled faces</text>')
    return parts


def _line(view: _View, curve: _Curve) -> list[str]:
    places = [(view.x(labels), view.y(mean)) for labels, mean, _ in curve.at]
    parts = []
    for (x, _), (_, mean, spread) in zip(places, curve.at, strict=True):
        if spread:
            low, high = view.y(mean - spread), view.y(mean + spread)
            parts.append(
                f'<path d="M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6" '
                f'stroke="{curve.colour}" stroke-opacity="0.55" fill="none"/>'
            )
    track = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashes = f' stroke-dasharray="{curve.dashes}"' if curve.dashes else ""
    parts.append(f'<polyline points="{track}" fill="none" stroke="{curve.colour}" stroke-width="2"{dashes}/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{curve.colour}" stroke="white"/>' for x, y in places]
    return parts


def _names(view: _View, curves: Sequence[_Curve]) -> list[str]:
    """Each curve's name beside its end; names that would touch are moved apart, with a thin lead."""
    ends = [(view.x(curve.at[-1][0]), view.y(curve.at[-1][1])) for curve in curves]
    order = np.argsort([y for _, y in ends], kind="stable")
    ys = np.array([ends[place][1] for place in order])
    for number in range(1, len(ys)):
        ys[number] = max(ys[number], ys[number - 1] + _NAME_GAP)
    ys -= max(0.0, float(ys[-1]) - (_HEIGHT - _BOTTOM))
    for number in range(len(ys) - 2, -1, -1):
        ys[number] = min(ys[number], ys[number + 1] - _NAME_GAP)
    parts = []
    for place, y in zip(order.tolist(), ys.tolist(), strict=True):
        (x, end), colour = ends[place], curves[place].colour
        parts.append(
            f'<path d="M{x + 5:.1f} {end:.1f}L{view.right + 4:.1f} {y:.1f}" stroke="{colour}" stroke-opacity="0.4"/>'
        )
        parts.append(
            f'<text x="{view.right + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{escape(curves[place].name)}</text>'
        )
    return parts


def _nice(span: float, count: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides a span into about ``count`` parts."""
    rough = max(span, 1e-6) / count
    power = 10.0 ** math.floor(math.log10(rough))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= rough))
