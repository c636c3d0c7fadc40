"""Specifications drawn as SVG, PNG and PDF without a browser; of all packages this needs only the renderer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

import fontpkg_roboto
import vl_convert

PNG_SCALE = 2.0  # two device pixels for each of the chart's, as on most screens
FORMATS = (".svg", ".png", ".pdf")


def svg(made: Mapping[str, Any]) -> str:
    """SVG of a specification, with its description for those who cannot see it."""
    drawn = str(renderer().vegalite_to_svg(made, vl_version=_version(made), allowed_base_urls=[]))
    described = f"<desc>{escape(made.get('description', ''))}</desc>"
    return re.sub(r"(<svg[^>]*>)", lambda found: found[1] + described, drawn, count=1)


def converted(drawn: str, end: str) -> bytes:
    """SVG of a chart as the bytes of a file that ends in .svg, .png or .pdf."""
    if end == ".svg":
        return drawn.encode()
    made: bytes = (
        renderer().svg_to_png(drawn, scale=PNG_SCALE) if end == ".png" else renderer().svg_to_pdf(drawn)
    )
    return made


def files(made: Mapping[str, Any]) -> dict[str, bytes]:
    """Specification as the bytes of files, by their ends; it is drawn once for all of them."""
    drawn = svg(made)
    return {end: converted(drawn, end) for end in FORMATS}


@cache
def renderer() -> Any:
    """The renderer, with the charts' font registered."""
    vl_convert.register_font_directory(str(fontpkg_roboto.ROOT / "files"))
    return vl_convert


def _version(made: Mapping[str, Any]) -> str:
    """Version of Vega-Lite that a specification asks for, or the newest that the renderer has."""
    known = renderer().get_vegalite_versions()
    found = re.search(r"/v(\d+\.\d+)", made["$schema"])
    return str(found[1] if found and found[1] in known else known[-1])
