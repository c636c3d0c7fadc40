"""Where am I: the zone that was stated, or that this machine tells without a network; never a guess.

No network call is made. The local time zone only suggests a zone, in words, for the person to confirm.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sootprint.core.classes import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLOUDS = {"aws": "aws", "ec2": "aws", "gce": "gcp", "gcp": "gcp", "google": "gcp", "azure": "azure"}
_AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"  # chassis asset tag of every Azure machine
_INSTANCE_DATA = "run/cloud-init/instance-data.json"  # written at boot, readable by every user
_EXAMPLE_REGIONS = {"aws": "aws/us-east-1", "gcp": "gcp/europe-west9", "azure": "azure/westeurope"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPlace:
    """The zone of a run, or what to do where it is unknown.

    Args:
        zone: Grid zone or cloud region, or None where unknown.
        site: Configured site that the zone belongs to.
        source: How it was found: argument, environment, configuration, site, cluster or cloud.
        detail: The same in words.
        provider: Cloud provider that the firmware names, even where the region is unknown.
        suggestion: Zone of the local time zone; to be shown, never applied.
        suggestion_from: Time zone behind the suggestion.
        fix: One line that says how to state the place, or None where it is known.
    """

    zone: str | None = None
    site: str | None = None
    source: str | None = None
    detail: str | None = None
    provider: str | None = None
    suggestion: str | None = None
    suggestion_from: str | None = None
    fix: str | None = None


def resolve(
    stated: Sequence[tuple[str, str | None, str]] = (),
    *,
    clusters: Mapping[str, tuple[str, str | None, str]] | None = None,
    environ: Mapping[str, str] | None = None,
    sysfs: str = "/sys",
    root: Path = Path("/"),
) -> ResolvedPlace:
    """Place of this machine: stated first, then cluster, then cloud facts, else unknown with a suggestion.

    Args:
        stated: Zone, site and origin of each statement, the strongest first (`Settings.stated_places()`).
        clusters: The same for each known cluster (`Settings.cluster_places()`).
        environ: Environment variables; the process's own when None.
        sysfs: Root of the kernel's device tree, where the firmware names the cloud provider.
        root: Root of the file tree that holds /run, /etc and /usr.
    """
    environ = os.environ if environ is None else environ
    if stated:
        zone, site, origin = stated[0]
        return ResolvedPlace(zone=zone, site=site, source=_kind(site, origin), detail=origin)
    cluster = (clusters or {}).get(environ.get("SLURM_CLUSTER_NAME", ""))
    if cluster is not None:
        zone, site, detail = cluster
        return ResolvedPlace(zone=zone, site=site, source="cluster", detail=detail)
    return _from_cloud(root) or _unknown(environ, sysfs=sysfs, root=root)


def suggest(environ: Mapping[str, str], *, root: Path = Path("/")) -> tuple[str, str] | None:
    """Country code and name of the local time zone, or None where it names no country (such as UTC).

    Source:
        IANA time zone database, zone.tab.
    """
    time_zone = _time_zone(environ, root=root)
    if time_zone is None:
        return None
    table = _text(root / "usr/share/zoneinfo/zone.tab")
    for line in table.splitlines():
        fields = line.split("\t")
        if len(fields) > 2 and not line.startswith("#") and fields[2] == time_zone:
            return fields[0], time_zone
    return None


def _kind(site: str | None, origin: str) -> str:
    """Kind of a statement from its origin."""
    if site is not None:
        return "site"
    if origin.startswith("SOOTPRINT_"):
        return "environment"
    return "argument" if origin == "argument" else "configuration"


def _from_cloud(root: Path) -> ResolvedPlace | None:
    """Place by the facts that cloud-init left on this machine, or None."""
    facts = _json(root / _INSTANCE_DATA).get("v1")
    if not isinstance(facts, dict):
        return None
    name = str(facts.get("cloud_name") or facts.get("cloud-name") or facts.get("platform") or "")
    provider, region = _CLOUDS.get(name.lower()), facts.get("region")
    if provider is None or not isinstance(region, str) or not region.strip():
        return None
    zone = f"{provider}/{region.strip().lower().replace(' ', '')}"
    return ResolvedPlace(
        zone=zone, source="cloud", detail="cloud-init facts of this machine", provider=provider
    )


def _unknown(environ: Mapping[str, str], *, sysfs: str, root: Path) -> ResolvedPlace:
    """Unknown place, with the provider that the firmware names and a suggestion for the person."""
    provider = _provider(Path(sysfs) / "class/dmi/id")
    found = suggest(environ, root=root)
    suggestion, time_zone = found if found else (None, None)
    example = _EXAMPLE_REGIONS[provider] if provider else suggestion or "FR"
    ways = f'--zone {example}, or SOOTPRINT_ZONE={example}, or zone = "{example}" in sootprint.toml'
    return ResolvedPlace(
        provider=provider,
        suggestion=suggestion,
        suggestion_from=time_zone,
        fix=f"state the place: {ways}{_why(provider, time_zone)}",
    )


def _why(provider: str | None, time_zone: str | None) -> str:
    """Reason for the example in the fix."""
    if provider:
        return f" (this is a machine of {provider}; give its region)"
    return f" (suggested by the time zone {time_zone})" if time_zone else " (FR stands for your grid's code)"


def _provider(dmi: Path) -> str | None:
    """Cloud provider that the firmware names, or None."""
    vendor, product = _text(dmi / "sys_vendor").strip(), _text(dmi / "product_name").strip()
    if vendor == "Amazon EC2":
        return "aws"
    if vendor == "Google" or product == "Google Compute Engine":
        return "gcp"
    return "azure" if _text(dmi / "chassis_asset_tag").strip() == _AZURE_ASSET_TAG else None


def _time_zone(environ: Mapping[str, str], *, root: Path) -> str | None:
    """IANA name of the local time zone: TZ, the link /etc/localtime, or /etc/timezone."""
    stated = environ.get("TZ", "").lstrip(":")
    if "/" in stated:
        return stated.rpartition("zoneinfo/")[2]
    if stated:
        return None
    try:
        linked = str((root / "etc/localtime").readlink())
    except OSError:
        linked = ""
    return (
        linked.rpartition("zoneinfo/")[2]
        if "zoneinfo/" in linked
        else _text(root / "etc/timezone").strip() or None
    )


def _json(path: Path) -> dict[str, Any]:
    """Object in a JSON file; empty where there is none."""
    text = _text(path)
    if not text:
        return {}
    import json

    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _text(path: Path) -> str:
    """Text of a file; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
