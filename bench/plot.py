"""Plots are drawn as SVG: lines with both axes logarithmic, and bars; no library, since the pictures are simple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 50, 55
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2")

Line = Sequence[tuple[float, float]]


def svg(title: str, *, x: str, y: str, lines: Mapping[str, Line]) -> str:
    """
    Draw lines.

    Args:
        lines: Text of the legend → points, all of them above 0.
    """
    xs = [point[0] for line in lines.values() for point in line]
    ys = [point[1] for line in lines.values() for point in line]
    low, high = 10 ** floor(log10(min(ys))), 10 ** ceil(log10(max(ys)))

    def place(point: tuple[float, float]) -> str:
        across = log10(point[0] / min(xs)) / log10(max(xs) / min(xs))
        up = log10(point[1] / low) / log10(high / low)
        return f"{LEFT + across * (WIDTH - LEFT - RIGHT):.1f},{HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [_text(LEFT, 24, title, size=15), _text(LEFT, HEIGHT - 12, x), _text(8, TOP - 12, y)]
    for value in sorted(set(xs)):
        across, bottom = place((value, low)).split(",")
        parts.append(_text(float(across), float(bottom) + 18, f"{value:g}", anchor="middle"))
    for power in range(round(log10(low)), round(log10(high)) + 1):
        left, level = place((min(xs), 10**power)).split(",")
        right = place((max(xs), 10**power)).split(",")[0]
        parts.append(f'<path d="M{left} {level}H{right}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, float(level) + 4, f"{10.0**power:g}", anchor="end"))
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(place(point) for point in line)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for each in points.split():
            across, level = each.split(",")
            parts.append(f'<circle cx="{across}" cy="{level}" r="3" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 14, TOP + 12 + 20 * number, name, colour=colour))
    return _whole(parts, height=HEIGHT)


def bars(title: str, *, x: str, bars: Sequence[tuple[str, float, float]]) -> str:
    """
    Draw bars from left to right.

    Args:
        bars: (the text on its left, its length, the length of its dark end)
    """
    names, step = 260, 30
    scale = (WIDTH - names - 60) / max(length for _, length, _ in bars)
    parts = [_text(12, 24, title, size=15)]
    for number, (name, length, dark) in enumerate(bars):
        top = TOP + step * number
        light = max(0.0, length - dark) * scale
        parts.append(_text(names - 10, top + 14, name, anchor="end"))
        parts.append(f'<rect x="{names}" y="{top}" width="{light:.1f}" height="20" fill="#aec7e8"/>')
        parts.append(
            f'<rect x="{names + light:.1f}" y="{top}" width="{dark * scale:.1f}" height="20" fill="#1f77b4"/>'
        )
        parts.append(_text(names + length * scale + 8, top + 14, f"{length:.2f}"))
    height = TOP + step * len(bars) + 40
    return _whole([*parts, _text(names, height - 18, x)], height=height)


def _whole(parts: Sequence[str], *, height: int) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", colour: str = "#333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
