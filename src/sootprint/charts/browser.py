"""The script that draws charts in a browser, from the package of the renderer."""

from __future__ import annotations

import contextlib
from importlib.metadata import version
from pathlib import Path

import vl_convert

from sootprint import settings
from sootprint.core import files

SCRIPT = "window.vegaEmbed = vegaEmbed;"


def bundle() -> str:
    """JavaScript that draws specifications as `vegaEmbed(element, spec, options)`, to stand in a page.

    Making it takes seconds, so it is kept in the folder `cache` of SOOTPRINT_HOME, by the version of the renderer.
    """
    kept = settings.load().home / "cache" / f"charts-{version('vl-convert-python')}.js"
    try:
        return kept.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        made = str(vl_convert.javascript_bundle(SCRIPT)).replace("</script", "<\\/script")
        _keep(kept, made)
        return made


def _keep(path: Path, text: str) -> None:
    """Text kept for the next time, where the folder can be written."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.put(path, text.encode())
