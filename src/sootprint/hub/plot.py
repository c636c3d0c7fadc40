"""Two charts as SVG of our own: drawn in a millisecond for each record and leaderboard, where a library takes 80.

Colours are those of the page, so that the drawing follows dark and light.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from sootprint.charts import logarithm
from sootprint.core.letters import clean

Point = tuple[float, float, bool]  # cost, value, on the front
LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 56, 12, 10, 46, 360
LOG_FROM = 20.0  # ratio of the largest to the smallest cost above which the scale is logarithmic
ROW, NAMES = 34, 92  # height of a row of intervals, and width of their names [pixel]
FEW_BELOW = 400  # width below which an axis has few ticks [pixel]
MOST_DIGITS = 9  # of a tick, before or behind the point
LETTERS = 48  # of a title beside an axis, and of a name
LEAST_LETTERS, FEW_LETTERS = 12, 18  # that names have room for, and that they have on a phone
BAND_OPACITY = 0.7  # of the accent: 3 to 1 on a light and on a dark ground
Row = tuple[str, float | None, float, float | None]
Scale = Callable[[float], float]


def quality(points: Sequence[Point], *, metric: str, title: str, width: int) -> str:
    """SVG of values over costs, with the front as a step line.

    Args:
        points: Cost above 0, value, and whether no other is better in both.
        metric: Name of the metric.
        title: Name and unit of the cost.
        width: Width of the whole [pixel].
    """
    costs, values = [point[0] for point in points], [point[1] for point in points]
    log = max(costs) > LOG_FROM * min(costs)
    x, x_ticks = _along(costs, (LEFT, width - RIGHT), log=log, most=4 if width < FEW_BELOW else 7)
    y, y_ticks = _along(values, (HEIGHT - BOTTOM, TOP), log=False, most=6)
    parts = [_opened(width, HEIGHT)]
    parts += [
        _line(LEFT, y(at), width - RIGHT, y(at)) + _text(LEFT - 8, y(at) + 4, said, "end")
        for at, said in y_ticks
    ]
    foot = HEIGHT - BOTTOM
    parts += [
        _line(x(at), TOP, x(at), foot) + _text(x(at), foot + 18, said, "middle") for at, said in x_ticks
    ]
    suffix = ", logarithmic scale" if log else ""
    parts.append(_text((LEFT + width - RIGHT) / 2, HEIGHT - 6, f"{title}{suffix}", "middle"))
    parts.append(_turned(14, (TOP + foot) / 2, metric))
    parts += [_dot(x(cost), y(value)) for cost, value, member in points if not member]
    front = sorted((cost, value) for cost, value, member in points if member)
    parts.append(_steps([(x(cost), y(value)) for cost, value in front]))
    parts += [_diamond(x(cost), y(value)) for cost, value in front]
    return "".join([*parts, "</svg>"])


def intervals(rows: Sequence[Row], *, title: str, width: int, shares: bool = False) -> str:
    """SVG of best estimates (dots) with their bounds (bands), one below the other.

    Args:
        rows: Name, low, value and high; a bound may not be known.
        title: Name and unit of the values.
        width: Width of the whole [pixel].
        shares: Whether the values are per cent of a whole, on a scale of their own that begins at 0.
    """
    known = [one for row in rows for one in row[1:] if one]
    log = not shares and max(known) > LOG_FROM * min(known)
    foot = TOP + ROW * len(rows)
    held = known if log else [0.0, *known]
    letters = max(
        LEAST_LETTERS, min(LETTERS if width >= FEW_BELOW else FEW_LETTERS, max(len(row[0]) for row in rows))
    )
    names = NAMES * letters / LEAST_LETTERS
    x, ticks = _along(held, (names, width - RIGHT), log=log, most=4 if width < FEW_BELOW else 7)
    parts = [_opened(width, foot + BOTTOM)]
    parts += [_line(x(at), TOP, x(at), foot) + _text(x(at), foot + 18, said, "middle") for at, said in ticks]
    suffix = ", logarithmic scale" if log else ""
    parts.append(_text((names + width - RIGHT) / 2, foot + 40, f"{title}{suffix}", "middle"))
    for place, (name, low, value, high) in enumerate(rows):
        y = TOP + ROW * (place + 0.5)
        parts.append(_text(names - 10, y + 4, _cut(name, letters), "end"))
        if low is not None and high and (low or shares):
            parts.append(
                f'<path d="M{x(low):.1f} {y:.1f}H{x(high):.1f}" stroke="var(--accent)" stroke-width="6" '
                f'stroke-linecap="round" opacity="{BAND_OPACITY:g}"/>'
            )
        at = f'cx="{x(value):.1f}" cy="{y:.1f}"'
        parts.append(f'<circle {at} r="6.5" fill="var(--accent)" stroke="var(--ground)" stroke-width="1.5"/>')
    return "".join([*parts, "</svg>"])


def _opened(width: int, height: int) -> str:
    """Beginning of a drawing that is as large as it says, so that its letters are as large as those of all others."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-size="12">'
    )


def _along(
    values: Sequence[float], ends: tuple[float, float], *, log: bool, most: int
) -> tuple[Scale, list[tuple[float, str]]]:
    """Scale from values to pixels, and ticks with their labels."""
    if log:
        held = logarithm.span(values, most=most)
        low, high = math.log10(held.low), math.log10(held.high)
        ticks = list(zip(held.powers, logarithm.labels(held.powers), strict=True))
    else:
        low, high, step = _nice(min(values), max(values), most)
        places = [low + step * n for n in range(round((high - low) / step) + 1)]
        ticks = list(zip(places, _labels(places, step), strict=True))

    def scale(value: float) -> float:
        share = ((math.log10(value) if log else value) - low) / (high - low)
        return ends[0] + min(max(share, 0.0), 1.0) * (ends[1] - ends[0])

    return scale, ticks


def _labels(places: Sequence[float], step: float) -> list[str]:
    """Ticks of a linear axis in words: written out, or with a power of ten where that would be long."""
    digits = max(0, -math.floor(math.log10(step)))
    if digits <= MOST_DIGITS and max(map(abs, places)) < 10.0**MOST_DIGITS:
        return [f"{at:,.{digits}f}" for at in places]
    return [f"{at:.2e}" if abs(at) > 0.5 * step else "0" for at in places]


def _nice(low: float, high: float, most: int) -> tuple[float, float, float]:
    """Ends and step of a linear axis, in steps of 1, 2 or 5 times a power of ten.

    >>> _nice(68.2, 88.5, 6)
    (65.0, 90.0, 5.0)
    """
    low, high = (math.copysign(min(abs(end), logarithm.MOST), end) for end in (low, high))
    spread = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(spread / most))
    step = next(power * times for times in (1, 2, 5, 10) if spread / (power * times) <= most)
    return math.floor(low / step) * step, (math.floor(high / step) + 1) * step, step


def _cut(name: str, letters: int) -> str:
    """Name of at most so many letters.

    >>> _cut("machine translation", 12)
    'machine tra…'
    """
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="var(--line)"/>'


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="var(--muted)">{_safe(said)}</text>'


def _turned(x: float, y: float, said: str) -> str:
    at = f"{x:.1f} {y:.1f}"
    return (
        f'<text transform="translate({at}) rotate(-90)" text-anchor="middle" fill="var(--muted)">'
        f"{_safe(said[:LETTERS])}</text>"
    )


def _safe(said: str) -> str:
    return escape(clean(said))


def _dot(x: float, y: float) -> str:
    at = f'cx="{x:.1f}" cy="{y:.1f}"'
    return f'<circle {at} r="3.5" fill="var(--accent)" fill-opacity=".4" stroke="var(--accent)"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 6:.1f}l5 6l-5 6l-5-6z" fill="var(--accent)"/>'


def _steps(points: Sequence[tuple[float, float]]) -> str:
    """Step line through points: across at the value of the one before, then up."""
    if not points:
        return ""
    first, *others = points
    way = f"M{first[0]:.1f} {first[1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in others)
    return f'<path d="{way}" fill="none" stroke="var(--accent)" stroke-width="1.5"/>'
