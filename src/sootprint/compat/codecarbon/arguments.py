"""CodeCarbon's arguments, its configuration, and what they are of ours.

Source:
    CodeCarbon 3.3.2 (2026): names, order and defaults of `EmissionsTracker`, `OfflineEmissionsTracker` and
    `track_emissions`; [codecarbon] of ~/.codecarbon.config and ./.codecarbon.config; variables CODECARBON_*.
"""

from __future__ import annotations

import configparser
import inspect
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from sootprint.compat import shared
from sootprint.settings.rules import MOST_PERIOD_S
from sootprint.tracker.worker import text_of

TOOL = "codecarbon"
COMMON = (
    "project_name", "measure_power_secs", "api_call_interval", "api_endpoint", "api_key", "output_dir",
    "output_file", "output_methods", "save_to_file", "save_to_api", "save_to_logger", "logging_logger",
    "save_to_prometheus", "save_to_logfire", "prometheus_url", "output_handlers", "gpu_ids", "emissions_endpoint",
    "experiment_id", "experiment_name", "electricitymaps_api_token", "co2_signal_api_token", "tracking_mode",
    "log_level", "on_csv_write", "logger_preamble", "force_cpu_power", "force_ram_power", "pue", "wue",
    "force_carbon_intensity_g_co2e_kwh", "force_mode_cpu_load", "allow_multiple_runs", "rapl_include_dram",
    "rapl_prefer_psys", "metadata",
)  # fmt: skip
PLACE = ("country_iso_code", "region", "cloud_provider", "cloud_region", "country_2letter_iso_code")
DECORATOR = (
    *COMMON[: COMMON.index("force_cpu_power")], "offline", *PLACE, "force_cpu_power", "force_ram_power", "pue", "wue",
    "force_carbon_intensity_g_co2e_kwh", "allow_multiple_runs", "rapl_include_dram", "rapl_prefer_psys",
)  # fmt: skip
USED = (
    "project_name", "measure_power_secs", "output_dir", "output_file", "output_methods", "save_to_file",
    "gpu_ids", "experiment_id", "experiment_name", "tracking_mode", "log_level", "on_csv_write", "pue",
    "allow_multiple_runs", *PLACE,
)  # fmt: skip
ONLINE = shared.signature(COMMON)
OFFLINE = shared.signature(COMMON, by_name=PLACE)
DECORATED = shared.signature(
    DECORATOR, more=inspect.Parameter("fn", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
)
FILE_NAME = ".codecarbon.config"
SHARES = {"machine": "node", "process": "process"}
WRITES = ("append", "update")


class OutputMethod(str, Enum):  # noqa: UP042 - as there: its text is not its value
    """Where results go; all but CSV have no meaning here."""

    CSV = "csv"
    API = "api"
    LOGGER = "logger"
    PROMETHEUS = "prometheus"
    LOGFIRE = "logfire"
    BOAMPS = "boamps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a tracker was told.

    Args:
        project_name: Label of its rows.
        experiment_id: Identity of its experiment, "" where none was given.
        experiment_name: Name in the file of its tasks.
        file: The CSV, or None where none is written.
        on_csv_write: "append" or "update".
        tracking_mode: "machine" or "process".
        settings: Settings and tags of the run.
    """

    project_name: str = "codecarbon"
    experiment_id: str = ""
    experiment_name: str = "base"
    file: Path | None = None
    on_csv_write: str = "append"
    tracking_mode: str = "machine"
    settings: Mapping[str, Any]


def options(given: Mapping[str, Any], *, of_place: bool) -> Options:
    """What was given, and where nothing was what the configuration states; what cannot be used is warned of.

    Args:
        given: Arguments by name.
        of_place: Whether the arguments of a place count, as of an offline tracker.
    """
    names = (*COMMON, *PLACE) if of_place else COMMON
    told = {name: text for name, text in stated().items() if name in names} | dict(given)
    shared.warn_of_ignored(TOOL, {name: _plain(value) for name, value in told.items()}, USED)
    told = {name: value for name, value in told.items() if value is not None}
    _set_level(told.get("log_level"))
    mode = _one_of("tracking_mode", told, tuple(SHARES))
    texts = {
        name: text_of(told[name])
        for name in ("project_name", "experiment_id", "experiment_name")
        if name in told
    }
    return Options(
        **texts,
        file=_file(told),
        on_csv_write=_one_of("on_csv_write", told, WRITES),
        tracking_mode=mode,
        settings=_settings(told, texts) | {"share": SHARES[mode] if "tracking_mode" in told else None},
    )


def stated() -> dict[str, str]:
    """What the two configuration files and the environment state, the later over the earlier, all as texts."""
    found: dict[str, str] = {}
    for folder in (Path.home, Path.cwd):
        try:
            path = folder() / FILE_NAME
            if path.is_file():
                read = configparser.ConfigParser(interpolation=None)
                read.read_string(path.read_text(encoding="utf-8"), source=str(path))
                found |= dict(read[TOOL]) if TOOL in read else {}
        except (OSError, RuntimeError, UnicodeDecodeError, configparser.Error) as err:
            shared.remark(f"{FILE_NAME}: {_fault(err)}; measuring without it")
    prefix = f"{TOOL}_"
    return found | {
        name.lower().removeprefix(prefix): text
        for name, text in os.environ.items()
        if name.lower().startswith(prefix)
    }


def _fault(err: Exception) -> str:
    """What is wrong with a file of settings; never its lines, which hold keys."""
    if not isinstance(err, configparser.Error):
        return " ".join(str(err).split())
    wrong = [number for number, _ in getattr(err, "errors", ())] or [getattr(err, "lineno", None)]
    return f"{type(err).__name__}{'' if wrong[0] is None else f' in line {wrong[0]}'}"


def _plain(value: Any) -> Any:
    """Value of an argument, of which a text "false" or "" in a file switches off."""
    return None if isinstance(value, str) and value.strip().lower() in ("", "false", "none") else value


def _is_on(value: Any) -> bool:
    return bool(_plain(value))


def _one_of(name: str, told: Mapping[str, Any], known: tuple[str, ...]) -> str:
    value = told.get(name, known[0])
    if value in known:
        return str(value)
    shared.remark(f"{name}={text_of(value):.40} is not one of {', '.join(known)}: {known[0]} is taken")
    return known[0]


def _set_level(level: Any) -> None:
    """Let our lines through from a level on, as `log_level` does there for all trackers of a program."""
    if level is None:
        return
    try:
        logging.getLogger("sootprint").setLevel(level.strip().upper() if isinstance(level, str) else level)
    except (TypeError, ValueError):
        shared.remark(f"log_level={text_of(level):.40} is no level of logging; it stays as it is")


def _file(told: Mapping[str, Any]) -> Path | None:
    """The CSV, by the working directory of now; None where none is asked for."""
    methods = told.get("output_methods")
    wanted = _is_on(told.get("save_to_file", True))
    if isinstance(methods, list | tuple | set):
        wanted = OutputMethod.CSV in methods
        others = sorted({text_of(getattr(one, "value", one)) for one in methods} - {OutputMethod.CSV.value})
        if others:
            shared.remark(f"{TOOL}: output_methods other than csv ({', '.join(others)}) have no meaning here")
    if not wanted:
        return None
    try:
        folder = Path(told.get("output_dir", ".")).absolute()
        return folder / Path(told.get("output_file", "emissions.csv"))
    except (OSError, TypeError) as err:
        shared.remark(f"output_dir and output_file name no file ({err}): no CSV is written")
        return None


def _settings(told: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Settings of the run, and its name and tags; the run itself refuses what it cannot use, in one line."""
    made: dict[str, Any] = {"name": texts.get("project_name"), "project": texts.get("project_name")}
    tags = {name: texts[name] for name in ("experiment_id", "experiment_name") if name in texts}
    period = told.get("measure_power_secs")
    try:
        period = None if period is None else min(float(period), MOST_PERIOD_S)
    except (TypeError, ValueError):
        period = text_of(period)
    zone = _zone({name: told[name] for name in PLACE if name in told})
    made |= {"tags": tags or None, "period": period, "pue": told.get("pue"), "zone": zone}
    return made | {"accelerators": told.get("gpu_ids")}


def _zone(told: Mapping[str, Any]) -> str | None:
    """Zone that the arguments of a place state: the cloud's region, else the state, else the country; never a guess."""
    if not told:
        return None
    from sootprint.importers.codecarbon import placed

    row = {name: text_of(value).strip() for name, value in told.items()}
    if not row.get("country_iso_code"):
        row["country_iso_code"] = row.get("country_2letter_iso_code", "")
    found, remarks = placed(row | {"on_cloud": "Y"})
    for remark in remarks:
        shared.remark(remark)
    for name, other in (
        ("region", "country_iso_code"),
        ("cloud_region", "cloud_provider"),
        ("cloud_provider", "cloud_region"),
    ):
        if row.get(name) and not row.get(other):
            shared.remark(f"{name}={row.pop(name)!r:.40} tells no place without {other}")
    unused = [name for name in ("cloud_region", "region") if row.get(name) and not _names(found, name)]
    if unused:
        words = ", ".join(f"{name}={row[name]!r:.40}" for name in unused)
        shared.remark(f"{words} is in no table: the place is {found.zone or 'unknown'}")
    return found.zone


def _names(found: Any, name: str) -> bool:
    """Whether a place is as near as an argument says."""
    return (found.region if name == "cloud_region" else found.subdivision or found.region) is not None
