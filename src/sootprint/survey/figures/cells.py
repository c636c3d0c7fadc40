"""Very many points as counts in the cells of a grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS = 80  # along each axis


def cells(
    x: NDArray[np.float64], y: NDArray[np.float64], *, log_x: bool = True, log_y: bool = True
) -> list[dict[str, Any]]:
    """Cells of a regular grid that hold points, with their edges and counts.

    Args:
        x: Abscissas, (n_points,), above 0 where `log_x`.
        y: Ordinates, (n_points,), above 0 where `log_y`.
        log_x: Whether the grid is regular in the logarithm of x.
        log_y: Whether the grid is regular in the logarithm of y.
    """
    x_edges, y_edges = _edges(x, log=log_x), _edges(y, log=log_y)
    counts, _, _ = np.histogram2d(x, y, bins=(x_edges, y_edges))
    return [
        {
            "x": float(x_edges[i]),
            "x2": float(x_edges[i + 1]),
            "y": float(y_edges[j]),
            "y2": float(y_edges[j + 1]),
            "count": int(counts[i, j]),
        }
        for i, j in np.argwhere(counts > 0.0)
    ]


def _edges(values: NDArray[np.float64], *, log: bool) -> NDArray[np.float64]:
    scaled = np.log10(values) if log else values
    low, high = float(scaled.min()), float(scaled.max())
    edges = np.linspace(low, high if high > low else low + 1.0, CELLS + 1)
    edges[-1] += 1e-9 * max(1.0, abs(float(edges[-1])))
    return np.asarray(10.0**edges if log else edges)


def heights(values: NDArray[np.float64], *, log: bool = True) -> list[tuple[float, int]]:
    """Middles of the cells of one axis that hold values, with their counts."""
    edges = _edges(values, log=log)
    counts, _ = np.histogram(values, bins=edges)
    middles = np.sqrt(edges[:-1] * edges[1:]) if log else (edges[:-1] + edges[1:]) / 2
    return [(float(middle), int(count)) for middle, count in zip(middles, counts, strict=True) if count]
