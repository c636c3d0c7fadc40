"""What is probed: knobs, the settings that differ in one of them, and how a command is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sootprint.core.errors import InputError

MAX_SETTINGS = 64
Setting = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A tuning, as asked for.

    Args:
        command: Program and arguments; `{batch_size}`, `{precision}` and `{workers}` in them are filled in.
        knobs: Values of each knob, the present one first.
        rounds: How often each setting is measured.
        slice_s: Longest time of one slice [s].
        samples: Samples of one slice, where the command does not log them.
        quality: Metric of quality; found by its points where None.
        target: Metric and value to be reached, or None.
        by: What settings are compared by: sample, quality or target; as the slices allow where None.

    Raises:
        InputError: No knob has two values, or a number is outside its range.
    """

    command: tuple[str, ...]
    knobs: Mapping[str, tuple[str, ...]]
    rounds: int = 3
    slice_s: float = 30.0
    samples: float | None = None
    quality: str | None = None
    target: tuple[str, float] | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        if not self.command:
            raise InputError("no command is given: name it after --, e.g. -- python train.py")
        if not any(len(values) > 1 for values in self.knobs.values()):
            raise InputError(
                "nothing to probe: give at least two values of a knob, the present one first, e.g. --batch-sizes 32,64"
            )
        if len(self.settings()) > MAX_SETTINGS:
            raise InputError(
                f"{len(self.settings())} settings are too many: give at most {MAX_SETTINGS} in all"
            )
        if not 2 <= self.rounds <= 50:
            raise InputError(f"rounds is {self.rounds}: give 2 to 50, for one measurement alone has no error")
        if not 1.0 <= self.slice_s <= 86_400.0:
            raise InputError(f"slice is {self.slice_s:g} s: give 1 s to 1 day")
        if self.samples is not None and self.samples <= 0.0:
            raise InputError(f"samples is {self.samples:g}: it is above 0")
        if self.by == "target" and self.target is None:
            raise InputError("--by target needs --target METRIC=VALUE")

    def settings(self) -> list[dict[str, str]]:
        """The present setting, then those that differ from it in one knob."""
        now = {name: values[0] for name, values in self.knobs.items()}
        others = [{**now, name: value} for name, values in self.knobs.items() for value in values[1:]]
        return [now, *others]

    @property
    def key(self) -> str:
        """Identity of what is asked: the same question goes on where it stopped."""
        asked = [self.command, sorted(self.knobs.items()), self.slice_s, self.samples]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


def filled(command: Sequence[str], setting: Setting) -> list[str]:
    """Command with the placeholders of a setting filled in; other braces stay.

    >>> filled(["python", "t.py", "--bs={batch_size}", "{x}"], {"batch_size": "64"})
    ['python', 't.py', '--bs=64', '{x}']
    """
    made = list(command)
    for name, value in setting.items():
        made = [part.replace(f"{{{name}}}", value) for part in made]
    return made


def variables(setting: Setting) -> dict[str, str]:
    """Variables that tell a command its setting: `TUNE_BATCH_SIZE` and so on.

    >>> variables({"batch_size": "64"})
    {'TUNE_BATCH_SIZE': '64'}
    """
    return {f"TUNE_{name.upper()}": value for name, value in setting.items()}


def words(setting: Setting, now: Setting) -> str:
    """What a setting has of its own, in words.

    >>> words({"batch_size": "64", "workers": "0"}, {"batch_size": "32", "workers": "0"})
    'batch_size 64'
    >>> words({"batch_size": "32"}, {"batch_size": "32"})
    'now: batch_size 32'
    """
    own = [f"{name} {value}" for name, value in setting.items() if now.get(name) != value]
    return (
        ", ".join(own) if own else "now: " + ", ".join(f"{name} {value}" for name, value in setting.items())
    )


def values_of(name: str, text: str | None) -> tuple[str, ...]:
    """Values of a knob as typed, without those that stand twice.

    Raises:
        InputError: A batch size or number of workers is no whole number.
    """
    listed = list(dict.fromkeys(one.strip() for one in (text or "").split(",") if one.strip()))
    if name != "precision":
        least = 1 if name == "batch_size" else 0
        for one in listed:
            if not one.isdecimal() or int(one) < least:
                raise InputError(f"{name} {one!r} is not a whole number of at least {least}")
    return tuple(listed)


def in_rounds(settings: Iterable[Setting], rounds: int) -> list[tuple[int, Setting]]:
    """Slices in their order: each round measures every setting once, every second one backwards against drift."""
    listed = list(settings)
    return [
        (number, setting)
        for number in range(rounds)
        for setting in (listed if number % 2 == 0 else listed[::-1])
    ]
