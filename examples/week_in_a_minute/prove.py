"""What the week saved, counted again from the raw figures and the measured energy alone; nothing of Sootprint is used.

Run as `python examples/week_in_a_minute/prove.py FOLDER`, where FOLDER is what `play.py` wrote. It reads the energy of
each interval from the records, when the job loaded and saved from the plan's book, and the hours from the two files
beside this script.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ZONES = {"US-TX": "texas", "US-CA": "california"}
SLICES = 400  # of each interval
TOLERANCE = 0.005  # of the emissions: the slices, and times written in milliseconds


def main(folder: Path) -> int:
    """0 where the saving of the record is that of the raw figures."""
    clock = json.loads((folder / "clock.json").read_text())
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("record*.json"))]
    book = [json.loads(line) for line in (folder / "book.jsonl").read_text().splitlines()]
    hours = {zone: _hours(name, clock["past_h"]) for zone, name in ZONES.items()}
    ran_g, now_g, done_h = 0.0, 0.0, 0.0
    for record in records:
        loaded_s, saved_s = _overheads(record, book)
        pieces = sorted(_pieces(record), key=lambda piece: piece[0])
        first, last = pieces[0][0], max(end for _, end, _ in pieces)
        for start, end, kwh in pieces:
            for part in range(SLICES):
                at = start + (part + 0.5) / SLICES * (end - start)
                ran_g += kwh / SLICES * _figure(hours[record["place"]["zone"]], at, clock)
                if first + loaded_s <= at < last - saved_s:  # work, which would have been done at once
                    then = clock["start_s"] + done_h * clock["hour_s"] + (at - first - loaded_s)
                    now_g += kwh / SLICES * _figure(hours["US-TX"], then, clock)
        done_h += max(0.0, last - saved_s - first - loaded_s) / clock["hour_s"]
    pue = records[-1]["pue"]["value"]
    for line in book:
        if line["k"] == "carried":  # charged when it was made, at the mean of its ends
            ends = [hours[zone] for zone, name in ZONES.items() if name in (line["source"], line["target"])]
            figures = [_figure(one, line["at_s"], clock) for one in ends]
            ran_g += line["energy_kwh"][0] * sum(figures) / len(figures)
    return _compare(records[-1]["savings"]["waiting"], pue * now_g / 1000.0, pue * ran_g / 1000.0)


def _compare(told: dict[str, dict[str, float]], now_kg: float, ran_kg: float) -> int:
    wrong = 0
    for name, value in (("run_now_kg", now_kg), ("actual_kg", ran_kg)):
        agrees = math.isclose(told[name]["value"], value, rel_tol=TOLERANCE)
        wrong += not agrees
        print(
            f"  {name:<11} record {told[name]['value']:.6e}  raw {value:.6e}  {'agrees' if agrees else 'DIFFERS'}"
        )
    share = 1.0 - ran_kg / now_kg
    near = abs(share - told["saving_share"]["value"]) < 0.01
    print(
        f"  saved       record {told['saving_share']['value']:.2%}  raw {share:.2%}  {'agrees' if near else 'DIFFERS'}"
    )
    return 1 if wrong or not near else 0


def _hours(name: str, past_h: int) -> list[float]:
    with (HERE / f"{name}.csv").open() as file:
        return [float(row["ci_gco2e_kwh"]) for row in csv.DictReader(file)][past_h:]


def _figure(hours: list[float], at_s: float, clock: dict[str, float]) -> float:
    """Intensity at a time of the fast clock."""
    hour = math.floor((at_s - clock["start_s"]) / clock["hour_s"])
    return hours[max(0, min(hour, len(hours) - 1))]


def _pieces(record: dict) -> list[tuple[float, float, float]]:
    """Start, end and energy of each interval [s, s, kWh]."""
    return [
        (_instant(one["start"]), _instant(one["end"]), one["energy_j"] / 3.6e6) for one in record["intervals"]
    ]


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _overheads(record: dict, book: list[dict]) -> tuple[float, float]:
    """Time of loading and of saving, from the lines of the book [s]."""
    number = record["plan"]["waiting"]["segment"]
    own = {line["k"]: line for line in book if line.get("segment") == number}
    ended = own["ended"]
    loaded_s = (ended.get("ready_s") or 0.0) if own["starting"]["resume"] else 0.0
    saved_s = ended["at_s"] - own["asked"]["at_s"] if ended["code"] == 75 and "asked" in own else 0.0
    return loaded_s, saved_s


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
