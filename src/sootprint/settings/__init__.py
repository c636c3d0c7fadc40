"""Settings: what a user stated, in which place, read once at the start of a run.

An argument wins over a `SOOTPRINT_*` variable, that over `sootprint.toml` of the project (the nearest one
from the working directory upwards), that over the user's own `sootprint.toml`, that over the default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sootprint.core.classes import dataclass, field
from sootprint.core.errors import SettingsError
from sootprint.settings import rules
from sootprint.settings.folders import config_directory, home_directory, runtime_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date
    from typing import Any, NamedTuple

    from sootprint.core.protocols import Machine
    from sootprint.settings.grid import Grid
    from sootprint.settings.pues import StatedPue
    from sootprint.settings.tables import Cluster, Site, UserHardware
    from sootprint.settings.targets import Target
    from sootprint.settings.wall import WallMeter
else:
    from sootprint.core.named import NamedTuple

__all__ = ["FILE_NAME", "Settings", "config_directory", "home_directory", "load", "runtime_directory"]
FILE_NAME = "sootprint.toml"
NOT_CLONED = "one that you cloned must not open connections with your passwords, or write your files"


class _UnreadableFileError(SettingsError):
    """A file that is damaged as a whole, unlike one that states a wrong value."""


class Stated(NamedTuple):
    """A place that someone stated: zone, the site it belongs to, and who stated it."""

    zone: str
    site: str | None
    source: str


class Described(NamedTuple):
    """One setting for a person: its key, its value and where that came from."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a run may be told, with where each value came from in `origins`.

    Args:
        home: Directory of the ledger, the journals and newer catalogue tables.
        runtime_dir: Directory of locks and sockets; one reader for each machine and device tree.
        node_socket: Socket of the node service, which is used where it is there.
        sysfs: Root of the kernel's device tree.
        procfs: Root of the process tree.
        zone: Grid zone or cloud region, e.g. "FR", "US-WA", "aws/us-east-1".
        site: Name of an entry of `sites`.
        pue: Facility energy over IT energy, at least 1 [1].
        project: Name under which runs are summed.
        run_group: Identity of the job on several nodes that the run is of; else as its launcher tells.
        period_s: Time between two looks at the meters [s].
        share: "node" charges the run for the node it holds, "process" for its own use only.
        accelerators: Those that the run is charged for, as CUDA_VISIBLE_DEVICES names them; else as that says.
        quiet: Whether the summary at the end is left out.
        store_command: Whether the command line is kept in the record.
        budget_kg: Emissions at which the run warns once [kgCO2e].
        expect_total: What the whole run does, e.g. "epochs=90", "steps=100000" or "hours=6"; it is then forecast.
        year: Year of the grid's intensity where it is not the year of the run.
        hub: Address of a hub.
        hub_push: What each run sends to the hub: "asked" nothing but what is asked for, "end" its record, "live" also
            its minutes while it lasts.
        hub_token_file: File of a token for the hub.
        exporters: Places where the record of each finished run goes, e.g. "jsonl:footprints.jsonl" or "mlflow".
        hardware: Devices that the user added to the catalogue, by name.
        sites: Places with their own zone and PUE, by name.
        clusters: Zone or site of each Slurm cluster, by its name.
        wall: Wall meters, by the meter's name.
        grid: Sources of carbon intensity to ask over the network, or None.
        targets: Places where a job may run, by name.
        origins: Where each value came from; a key that is missing has its default.
    """

    home: Path
    runtime_dir: Path
    node_socket: Path = Path("/run/sootprint/node.sock")
    sysfs: str = "/sys"
    procfs: str = "/proc"
    zone: str | None = None
    site: str | None = None
    pue: float | None = None
    project: str | None = None
    run_group: str | None = None
    period_s: float = 1.0
    share: str = "node"
    accelerators: str | None = None
    quiet: bool = False
    store_command: bool = False
    budget_kg: float | None = None
    expect_total: str | None = None
    year: int | None = None
    hub: str | None = None
    hub_push: str = "asked"
    hub_token_file: Path | None = None
    exporters: tuple[str, ...] = ()
    hardware: Mapping[str, UserHardware] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    wall: Mapping[str, WallMeter] = field(default_factory=dict)
    grid: Grid | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def machine(self) -> Machine:
        """Where the meters look, and what they are told."""
        from sootprint.core.protocols import Machine

        told = {name: getattr(self, name) for name in ("sysfs", "procfs", "hardware", "wall")}
        environ = os.environ if self.accelerators is None else rules.seen_by(os.environ, self.accelerators)
        return Machine(**told, environ=environ, home=str(self.home))

    def describe(self) -> tuple[Described, ...]:
        """Each setting with its value and its origin, in the order of the reference."""
        return tuple(Described(key, getattr(self, key), self.origins.get(key, "default")) for key in _KEYS)

    def for_runs_inside(self) -> dict[str, str]:
        """Variables that tell a command's own runs what was stated for the command: they are parts of one run."""
        stated = [name for name in _INSIDE if self.origins.get(name) == "argument"]
        return {_KEYS[name].variable or name: str(getattr(self, name)) for name in stated}

    def stated_places(self) -> tuple[Stated, ...]:
        """Places that were stated, the strongest first: argument, variable, project file, user file."""
        found: list[tuple[int, Stated]] = []
        if self.zone is not None:
            origin = self.origins.get("zone", "argument")
            found.append((rules.strength(origin), Stated(self.zone, None, origin)))
        if self.site is not None and self.sites[self.site].zone is not None:
            origin = self.origins.get("site", "argument")
            place = Stated(self.sites[self.site].zone or "", self.site, f"site {self.site} ({origin})")
            found.append((rules.strength(origin), place))
        return tuple(place for _, place in sorted(found, key=lambda entry: entry[0]))

    def cluster_places(self) -> dict[str, Stated]:
        """Place of each configured cluster, by the name that Slurm gives it."""
        places: dict[str, Stated] = {}
        for name, cluster in self.clusters.items():
            at = cluster.zone or (self.sites[cluster.site].zone if cluster.site else None)
            if at is not None:
                places[name] = Stated(at, cluster.site, f"cluster {name}")
        return places

    def pue_at(self, at_s: float, *, site: str | None = None) -> StatedPue | None:
        """PUE that holds at an instant in seconds since 1970 [s], as `pue_on`; most runs have none to look for [1]."""
        if self.pue is None and not self.sites:
            return None
        from datetime import UTC, datetime

        return self.pue_on(datetime.fromtimestamp(at_s, UTC).date(), site=site)

    def pue_on(self, day: date, *, site: str | None = None) -> StatedPue | None:
        """PUE that holds on a day, by what was stated most strongly; None where none is known [1].

        Args:
            day: The day.
            site: Site of the place that was found; else the stated one, unless a zone elsewhere is stronger.
        """
        from sootprint.settings.pues import holding

        return holding(self, day, site=site)


def _table(name: str, module: str = "tables") -> Callable[[Any], Any]:
    """Rule of a table; its module is loaded by the first table, for most runs have none."""

    def parse(value: Any) -> Any:
        import importlib

        return getattr(importlib.import_module(f"sootprint.settings.{module}"), name)(value)

    return parse


class _Key(NamedTuple):
    name: str  # as written in files
    variable: str | None
    parse: Callable[[Any], Any]
    in_files: bool = True


_KEYS: dict[str, _Key] = {
    "home": _Key("home", "SOOTPRINT_HOME", rules.directory, False),
    "runtime_dir": _Key("runtime_dir", "SOOTPRINT_RUNTIME_DIR", rules.directory, False),
    "node_socket": _Key("node_socket", "SOOTPRINT_NODE_SOCKET", rules.directory),
    "sysfs": _Key("sysfs", "SOOTPRINT_SYSFS", rules.label, False),
    "procfs": _Key("procfs", "SOOTPRINT_PROCFS", rules.label, False),
    "zone": _Key("zone", "SOOTPRINT_ZONE", rules.zone),
    "site": _Key("site", "SOOTPRINT_SITE", rules.label),
    "pue": _Key("pue", "SOOTPRINT_PUE", rules.overhead),
    "project": _Key("project", "SOOTPRINT_PROJECT", rules.label),
    "run_group": _Key("run_group", "SOOTPRINT_RUN_GROUP", rules.label, False),
    "period_s": _Key("period", "SOOTPRINT_PERIOD", rules.period),
    "share": _Key("share", "SOOTPRINT_SHARE", rules.share),
    "accelerators": _Key("accelerators", "SOOTPRINT_ACCELERATORS", rules.accelerators, False),
    "quiet": _Key("quiet", "SOOTPRINT_QUIET", rules.boolean),
    "store_command": _Key("store_command", "SOOTPRINT_STORE_COMMAND", rules.boolean),
    "budget_kg": _Key("budget_kg", "SOOTPRINT_BUDGET_KG", rules.budget),
    "expect_total": _Key("expect_total", "SOOTPRINT_EXPECT_TOTAL", _table("expectation", "rules"), False),
    "year": _Key("year", "SOOTPRINT_YEAR", rules.year),
    "hub": _Key("hub", "SOOTPRINT_HUB", rules.hub),
    "hub_push": _Key("hub_push", "SOOTPRINT_HUB_PUSH", rules.pushed),
    "hub_token_file": _Key("hub_token_file", "SOOTPRINT_HUB_TOKEN_FILE", rules.directory, False),
    "exporters": _Key("exporters", "SOOTPRINT_EXPORTERS", _table("exporters", "exporters")),
    "hardware": _Key("hardware", None, _table("hardware")),
    "sites": _Key("sites", None, _table("sites")),
    "clusters": _Key("clusters", None, _table("clusters")),
    "wall": _Key("wall", None, _table("wall", "wall")),
    "grid": _Key("grid", None, _table("grid", "grid")),
    "targets": _Key("targets", None, _table("targets", "targets")),
}
_INSIDE = ("zone", "site", "pue", "project", "year", "expect_total")
_TABLES = ("hardware", "sites", "clusters", "wall", "targets")
# They open connections, name secrets or write files.
_OWN = {"wall": "[wall]", "grid": "[grid]", "targets": "[targets]", "exporters": "`exporters`"}
_BY_FILE_NAME = {key.name: field_name for field_name, key in _KEYS.items() if key.in_files}
_BY_ARGUMENT = {field_name: field_name for field_name in _KEYS} | {"period": "period_s"}
_BY_VARIABLE = {key.variable: field_name for field_name, key in _KEYS.items() if key.variable}


def load(
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    *,
    unreadable: list[str] | None = None,
    **arguments: Any,
) -> Settings:
    """Settings from files, environment and arguments; an argument that is None was not given.

    Args:
        env: Environment variables; the process's own when None.
        cwd: Directory from which the project's file is looked for; the working directory when None.
        unreadable: Gets a line for each damaged file, which is then left out; where None, such a file is an error.
        arguments: Fields of `Settings` (`period` may stand for `period_s`).

    Raises:
        SettingsError: A key is unknown or a value cannot be used; the one line names both, and the rule.
    """
    env = os.environ if env is None else env
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path, origin in reversed(_files(env, cwd)):
        try:
            own = path == config_directory(env) / FILE_NAME
            _merge(_from_file(path, own=own), values, origins, origin=origin)
        except _UnreadableFileError as err:
            if unreadable is None:
                raise
            unreadable.append(str(err))
    _merge(_from_environment(env), values, origins, origin="")
    _merge(_from_arguments(arguments), values, origins, origin="argument")
    values.setdefault("home", home_directory(env))
    values.setdefault("runtime_dir", runtime_directory(env))
    settings = Settings(**values, origins=origins)
    _check_names(settings)
    return settings


def _working_directory() -> Path:
    """Working directory, or the root where it was deleted under us."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")


def _files(env: Mapping[str, str], cwd: Path | None) -> list[tuple[Path, str]]:
    """Configuration files that exist, the strongest first."""
    start = _working_directory() if cwd is None else cwd
    found = []
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            found.append((folder / FILE_NAME, "project file"))
            break
    users = config_directory(env) / FILE_NAME
    if users.is_file() and all(users != path for path, _ in found):
        found.append((users, "user file"))
    return found


def _from_file(path: Path, *, own: bool) -> list[tuple[str, Any, str]]:
    """Field, parsed value and name of each key of a file."""
    import tomllib

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise _UnreadableFileError(f"{path}: cannot be read as TOML: {err}") from err
    for name, shown in _OWN.items():
        if name in content and not own:
            raise SettingsError(
                f"{path}: {shown} may stand only in your own {FILE_NAME}, not in a project's: {NOT_CLONED}"
            )
    return [_parsed(name, value, _BY_FILE_NAME, where=f"{path}: ") for name, value in content.items()]


def _from_environment(env: Mapping[str, str]) -> list[tuple[str, Any, str]]:
    """Field, parsed value and name of each variable that is a setting; an empty one is not given."""
    given = []
    for name, text in env.items():
        if name.startswith("SOOTPRINT_") and text.strip():
            if name in _BY_VARIABLE:
                given.append(_parsed(name, text.strip(), _BY_VARIABLE, where=""))
            else:
                _refuse_misspelling(name)
    return given


def _refuse_misspelling(name: str) -> None:
    """Refusal of a variable that is nearly a setting; others may belong to another program."""
    import difflib

    names = [variable.removeprefix("SOOTPRINT_") for variable in _BY_VARIABLE]
    rest = name.removeprefix("SOOTPRINT_")
    near = difflib.get_close_matches(rest, names, n=1, cutoff=0.75)
    if near and not rest.startswith(near[0]):
        raise SettingsError(f"{name} is not a setting; the nearest is SOOTPRINT_{near[0]}")


def _from_arguments(arguments: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """Field, parsed value and name of each argument that was given."""
    return [_parsed(*one, _BY_ARGUMENT, where="") for one in arguments.items() if one[1] is not None]


def _parsed(name: str, value: Any, known: Mapping[str, str], *, where: str) -> tuple[str, Any, str]:
    """Field, parsed value and name of one entry."""
    if name not in known:
        raise SettingsError(f"{where}{name} is not a setting; the nearest is {_nearest(name, tuple(known))}")
    try:
        return known[name], _KEYS[known[name]].parse(value), name
    except ValueError as err:
        from sootprint.core.letters import without_secrets

        inner = "." if known[name] in (*_TABLES, "grid") else f" = {without_secrets(repr(value))} "
        raise SettingsError(f"{where}{name}{inner}{err}") from err


def _merge(
    given: Sequence[tuple[str, Any, str]], values: dict[str, Any], origins: dict[str, str], *, origin: str
) -> None:
    """Values laid over weaker ones; the tables are joined entry by entry."""
    for field_name, value, name in given:
        values[field_name] = {**values.get(field_name, {}), **value} if field_name in _TABLES else value
        origins[field_name] = origin or name


def _check_names(settings: Settings) -> None:
    """Refusal of a site that no entry of `sites` describes."""
    wanted = [("site", settings.site)]
    wanted += [(f"clusters.{name}.site", cluster.site) for name, cluster in settings.clusters.items()]
    for key, name in wanted:
        if name is not None and name not in settings.sites:
            known = f"; the nearest is {_nearest(name, tuple(settings.sites))}" if settings.sites else ""
            raise SettingsError(f"{key} = {name!r} is not described by [sites.{name}] in {FILE_NAME}{known}")


def _nearest(name: str, known: Sequence[str]) -> str:
    """Known name that is most like another."""
    import difflib

    return difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
