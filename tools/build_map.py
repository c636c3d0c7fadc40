"""Build of the packaged outlines of the countries from Natural Earth 1:110m, which is in the public domain.

The npm package world-atlas carries them as TopoJSON: `npm pack world-atlas@2`, unpack it, and run
`python tools/build_map.py --from package --out src/sootprint/charts/data/world.json`.
Countries get the two letters of ISO 3166-1; those too small for 1:110m become a point, found in the finer outlines.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CODES = Path(__file__).resolve().parents[1] / "src/sootprint/catalogue/data/zones.csv"
OUTLINES, FINE = "countries-110m.json", "countries-50m.json"
LEFT_OUT = {"Antarctica"}  # no grid, and a third of the height of a map
NUMBERS = {  # by number of ISO 3166-1: names that Natural Earth shortens or that the packaged names write otherwise
    "010": "AQ", "016": "AS", "044": "BS", "060": "BM", "068": "BO", "070": "BA", "086": "IO", "090": "SB",
    "092": "VG", "096": "BN", "136": "KY", "140": "CF", "162": "CX", "178": "CG", "180": "CD", "184": "CK",
    "203": "CZ", "214": "DO", "226": "GQ", "234": "FO", "238": "FK", "239": "GS", "248": "AX", "258": "PF",
    "260": "TF", "270": "GM", "275": "PS", "304": "GL", "334": "HM", "336": "VA", "344": "HK", "364": "IR",
    "384": "CI", "408": "KP", "410": "KR", "418": "LA", "446": "MO", "498": "MD", "499": "ME", "500": "MS",
    "531": "CW", "533": "AW", "534": "SX", "540": "NC", "570": "NU", "574": "NF", "580": "MP", "583": "FM",
    "584": "MH", "612": "PN", "626": "TL", "630": "PR", "643": "RU", "652": "BL", "654": "SH", "659": "KN",
    "660": "AI", "662": "LC", "663": "MF", "666": "PM", "670": "VC", "674": "SM", "678": "ST", "704": "VN",
    "728": "SS", "732": "EH", "748": "SZ", "760": "SY", "780": "TT", "784": "AE", "792": "TR",
    "796": "TC", "807": "MK", "826": "GB", "834": "TZ", "840": "US", "850": "VI", "862": "VE", "876": "WF",
    "028": "AG", "158": "TW",
}  # fmt: skip
UNNUMBERED = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}


def world(folder: Path) -> dict[str, Any]:
    """TopoJSON of the countries with an object of points for the small ones.

    Args:
        folder: Unpacked world-atlas package.
    """
    outlines = json.loads((folder / OUTLINES).read_text(encoding="utf-8"))
    fine = json.loads((folder / FINE).read_text(encoding="utf-8"))
    names = _names()
    shapes = [_coded(shape, names) for shape in _shapes(outlines)]
    here = {shape["id"] for shape in shapes}
    small = [(shape, code) for shape in _shapes(fine) if (code := _code(shape, names)) and code not in here]
    points = {code: _middle(fine, shape) for shape, code in small}
    return {
        "type": "Topology",
        "transform": outlines["transform"],
        "arcs": outlines["arcs"],
        "objects": {"countries": {"type": "GeometryCollection", "geometries": shapes}},
        "points": dict(sorted(points.items())),
    }


def _shapes(atlas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for shape in atlas["objects"]["countries"]["geometries"]:
        if shape["properties"]["name"] not in LEFT_OUT:
            yield shape


def _coded(shape: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    code = _code(shape, names)
    if code is None:
        raise SystemExit(f"no code for {shape['properties']['name']} ({shape.get('id')}): add it to NUMBERS")
    return {"type": shape["type"], "arcs": shape["arcs"], "id": code}


def _code(shape: dict[str, Any], names: dict[str, str]) -> str | None:
    name = shape["properties"]["name"]
    return NUMBERS.get(shape.get("id", "")) or UNNUMBERED.get(name) or names.get(name.casefold())


def _names() -> dict[str, str]:
    with CODES.open(encoding="utf-8", newline="") as file:
        return {
            row["name"].casefold(): row["zone"] for row in csv.DictReader(file) if row["kind"] == "country"
        }


def _middle(atlas: dict[str, Any], shape: dict[str, Any]) -> list[float]:
    """Middle of the longest outline of a country, as longitude and latitude [degree]."""
    rings = shape["arcs"] if shape["type"] == "Polygon" else [ring for part in shape["arcs"] for ring in part]
    lines = [[at for arc in ring for at in _line(atlas, arc)] for ring in rings]
    longest = max(lines, key=len)
    return [round(sum(at[axis] for at in longest) / len(longest), 1) for axis in (0, 1)]


def _line(atlas: dict[str, Any], arc: int) -> list[tuple[float, float]]:
    scale, shift = atlas["transform"]["scale"], atlas["transform"]["translate"]
    x = y = 0
    found = []
    for step_x, step_y in atlas["arcs"][arc if arc >= 0 else ~arc]:
        x, y = x + step_x, y + step_y
        found.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code of the build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--from", dest="folder", type=Path, required=True, help="unpacked world-atlas package"
    )
    parser.add_argument("--out", type=Path, required=True, help="file of the outlines")
    given = parser.parse_args(arguments)
    for name in (OUTLINES, FINE):
        if not (given.folder / name).is_file():
            parser.error(f"{given.folder} holds no {name}")
    made = world(given.folder)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
    print(
        f"{given.out}: {len(made['objects']['countries']['geometries'])} outlines, {len(made['points'])} points"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
