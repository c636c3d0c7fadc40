"""`sootprint audit`: what a published claim implies, and what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import lookup, options, output, shell

if TYPE_CHECKING:
    from rich.console import Console

    from sootprint.estimator.audit import Claim, Finding

MARKS = {"error": "✗", "warning": "!", "info": "·"}
STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}
# Fields of a claim with the options that give them.
_FIELDS = {
    name: name
    for name in ("emissions_kg", "energy_kwh", "hardware", "count", "device_hours", "power_w", "pue")
}
_FIELDS |= {"wall_hours": "hours", "intensity_g_per_kwh": "intensity", "place": "zone", "year": "year"}
_FIELDS |= {
    name: name
    for name in ("params", "active_params", "tokens", "flops", "mfu", "peak_tflops", "architecture")
}
LONG_LIST = 5  # claims from which on only those with errors and warnings are shown


def _number(name: str, metavar: str, text: str) -> Any:
    return typer.Option(name, metavar=metavar, parser=options.number, help=text)


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE...]",
        help="Claims in YAML, JSON, CSV, a Markdown model card, LaTeX or plain text, or our records; - for stdin.",
    ),
]
Emissions = Annotated[float | None, _number("--emissions-kg", "KG", "Emissions as claimed, in kgCO2e.")]
Energy = Annotated[float | None, _number("--energy-kwh", "KWH", "Energy as claimed, in kWh.")]
Hardware = Annotated[str | None, typer.Option("--hardware", metavar="NAME", help="Device as claimed.")]
Count = Annotated[float | None, _number("--count", "N", "Number of devices.")]
Hours = Annotated[float | None, _number("--hours", "H", "Wall hours of one device.")]
DeviceHours = Annotated[float | None, _number("--device-hours", "H", "Hours summed over the devices.")]
Power = Annotated[float | None, _number("--power-w", "W", "Mean power of one device as claimed.")]
Intensity = Annotated[float | None, _number("--intensity", "G", "Carbon intensity as claimed, in gCO2e/kWh.")]
Params = Annotated[float | None, _number("--params", "N", "Parameters, e.g. 7e9.")]
Active = Annotated[float | None, _number("--active-params", "N", "Parameters used for one token.")]
Tokens = Annotated[float | None, _number("--tokens", "N", "Tokens seen, e.g. 2e12.")]
Flops = Annotated[float | None, _number("--flops", "N", "Floating-point operations, e.g. 4e22.")]
Mfu = Annotated[float | None, _number("--mfu", "U", "Share of the peak rate as claimed, 0 to 1.")]
Peak = Annotated[
    float | None, _number("--peak-tflops", "T", "Peak rate of one device as claimed, in TFLOP/s.")
]
Architecture = Annotated[
    str | None, typer.Option("--architecture", metavar="A", help="dense, encdec, moe or vision.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where a claim has an error.")]


def audit(
    files: Files = None,
    emissions_kg: Emissions = None,
    energy_kwh: Energy = None,
    hardware: Hardware = None,
    count: Count = None,
    hours: Hours = None,
    device_hours: DeviceHours = None,
    power_w: Power = None,
    pue: options.Pue = None,
    intensity: Intensity = None,
    zone: options.Zone = None,
    year: options.Year = None,
    params: Params = None,
    active_params: Active = None,
    tokens: Tokens = None,
    flops: Flops = None,
    mfu: Mfu = None,
    peak_tflops: Peak = None,
    architecture: Architecture = None,
    strict: Strict = False,
    json: options.Json = False,
) -> None:
    r"""Check published claims: what their numbers imply, and what cannot be.

    It says the watts per device, the utilisation of peak and the intensity that a claim implies, and names slips of
    units, of hours, of PUE and of scope. Nothing is repaired. The exit code is 0 when the audit ran, whatever it
    found; 1 with --strict where a claim has an error; 2 where a file cannot be read or has no numbers.

        sootprint audit README.md
        sootprint audit claims.csv --json
        sootprint audit --hardware A100 --count 8 --hours 240 --zone FR \
            --emissions-kg 0.084
    """
    given = {
        field: value for field, value in zip(_FIELDS, _values(locals()), strict=True) if value is not None
    }
    claims = _claims(files or [], given)
    from sootprint.estimator import audit as auditing

    findings = [auditing.audit(claim) for claim in claims]
    if json:
        _print_json(claims, findings)
    else:
        _print(claims, findings)
    if strict and any(one.severity == "error" for found in findings for one in found):
        raise typer.Exit(shell.FAILED)


def _values(local: dict[str, Any]) -> list[Any]:
    return [local[option] for option in _FIELDS.values()]


def _claims(files: list[str], given: dict[str, Any]) -> list[Claim]:
    """Claims of the files, or the one of the options.

    Raises:
        InputError: Both are given, neither is, or a file cannot be read.
    """
    from sootprint.estimator.audit import Claim, read
    from sootprint.estimator.audit.claim import ARCHITECTURES, NUMBERS

    if files and given:
        shell.wrong(
            "files and numbers are given: audit the files, or leave them out and give the claim by options"
        )
    if files:
        return [claim for file in files for claim in read(_text(file), name=_name(file))]
    if not any(name in NUMBERS for name in given):
        shell.wrong(
            "no claim is given: name a file, or give numbers such as --energy-kwh with --hardware and --hours"
        )
    if given.get("architecture") not in (None, *ARCHITECTURES):
        shell.wrong(f"architecture is {given['architecture']!r}: it is one of {', '.join(ARCHITECTURES)}")
    texts = {name: f"{value:g}" for name, value in given.items() if name in NUMBERS}
    return [Claim(**given, given=texts, where="the claim")]


def _text(file: str) -> str:
    """Text of a file, or of standard input; a sentence in its place is told where it belongs."""
    if file != "-" and " " in file.strip() and not Path(file).exists():
        shell.wrong(
            f"there is no file {file!r:.60}: a sentence goes to standard input, echo '...' | sootprint audit -"
        )
    return lookup.text_of(file, wanted="a model card, a table or a text that holds the claim")


def _name(file: str) -> str:
    return "standard input" if file == "-" else Path(file).name


def _print_json(claims: list[Claim], findings: list[tuple[Finding, ...]]) -> None:
    """Print one object for one claim, else a list of them with the place of each."""
    from sootprint.core.codec import to_dict
    from sootprint.estimator.audit import implied, record_of

    made = [
        {
            "findings": list(found),
            "implied": {one.name: one.value for one in implied(claim)},
            "footprint": to_dict(record_of(claim)),
        }
        for claim, found in zip(claims, findings, strict=True)
    ]
    if len(made) == 1:
        output.print_json(made[0])
        return
    output.print_json([{"claim": claim.where} | one for claim, one in zip(claims, made, strict=True)])


def _print(claims: list[Claim], findings: list[tuple[Finding, ...]]) -> None:
    console = output.console()
    short = len(claims) >= LONG_LIST
    for claim, found in zip(claims, findings, strict=True):
        told = [one for one in found if one.severity != "info"]
        if not short or told:
            _print_claim(console, claim, tuple(told) if short else found)
    if len(claims) > 1:
        _print_summary(console, findings)


def _print_claim(console: Console, claim: Claim, found: tuple[Finding, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    where = f" ({claim.where})" if claim.where and claim.name else ""
    console.print(
        Text.assemble((shell.printable(claim.name or claim.where or "claim"), "bold"), (where, "dim"))
    )
    _print_implied(console, claim)
    grid = Table.grid(padding=(0, 1))
    for one in found:
        if one.rule == "missing" and one.given is None:
            continue
        grid.add_row("", Text(MARKS[one.severity], style=STYLES[one.severity]), _words(one))
    if grid.row_count:
        console.print(grid)
    lacking = [
        one.message.split(" is not ")[0].split(" are not ")[0] for one in found if one.rule == "missing"
    ]
    if lacking:
        console.print(Text(f"  · not stated: {'; '.join(lacking)}", style="dim"))
    if not any(one.severity != "info" for one in found):
        console.print(Text("  nothing that is stated contradicts itself or what is published", style="green"))
    console.print()


def _print_implied(console: Console, claim: Claim) -> None:
    from rich.text import Text

    from sootprint.estimator.audit import implied
    from sootprint.estimator.audit.words import figure

    for one in implied(claim):
        scale, unit = (100.0, "%") if one.unit == "1" else (1.0, one.unit)
        span = (
            ""
            if one.low is None or one.high is None
            else f" (usual: {_span(one.low * scale, one.high * scale)}"
        )
        usual = f"{span} {unit}, {one.of})" if span else f" ({one.of})"
        name = one.name.removesuffix("_g_per_kwh").replace("_", " ")
        console.print(
            Text.assemble(f"  {name:<20}", (f"{figure(one.value * scale)} {unit}", "bold"), (usual, "dim"))
        )


def _span(low: float, high: float) -> str:
    from sootprint.estimator.audit.words import figure

    return figure(low) if low == high else f"{figure(low)} to {figure(high)}"


def _words(one: Finding) -> Any:
    from rich.text import Text

    cause = f" Likely: {one.cause} ({one.confidence} confidence)." if one.cause else ""
    said = shell.printable(one.message)
    return Text.assemble(
        (one.rule, STYLES[one.severity]), f"  {said[:1].upper()}{said[1:]}.", (cause, "italic")
    )


def _print_summary(console: Console, findings: list[tuple[Finding, ...]]) -> None:
    from rich.text import Text

    errors = sum(any(one.severity == "error" for one in found) for found in findings)
    warned = sum(any(one.severity == "warning" for one in found) for found in findings)
    clean = sum(all(one.severity == "info" for one in found) for found in findings)
    words = f"{len(findings)} claims: {errors} with errors, {warned} with warnings, {clean} without either"
    console.print(Text(words, style="bold"))
