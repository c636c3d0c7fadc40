"""What a tuning probes, and in which order."""

from __future__ import annotations

import pytest

from sootprint.core.errors import InputError
from sootprint.estimator.tuning.plan import Probe, filled, in_rounds, values_of, variables

KNOBS = {"batch_size": ("32", "64", "128"), "workers": ("0", "4")}


def test_settings_differ_from_the_present_one_in_one_knob() -> None:
    """Two knobs with three and two values are four settings, not six."""
    settings = Probe(command=("x",), knobs=KNOBS).settings()
    assert settings[0] == {"batch_size": "32", "workers": "0"}
    assert [sum(one[name] != settings[0][name] for name in one) for one in settings] == [0, 1, 1, 1]


def test_rounds_go_back_and_forth() -> None:
    """A drift that lasts is in no difference between settings."""
    order = in_rounds([{"a": "1"}, {"a": "2"}], 2)
    assert [(number, one["a"]) for number, one in order] == [(0, "1"), (0, "2"), (1, "2"), (1, "1")]


def test_command_is_told_by_placeholder_and_variable() -> None:
    """Other braces of the command stay as they are."""
    setting = {"batch_size": "64", "precision": "bf16"}
    assert filled(["t", "--b={batch_size}", "{precision}", "{lr}"], setting) == [
        "t",
        "--b=64",
        "bf16",
        "{lr}",
    ]
    assert variables(setting) == {"TUNE_BATCH_SIZE": "64", "TUNE_PRECISION": "bf16"}


def test_same_question_has_the_same_key_whatever_its_rounds() -> None:
    """More rounds go on with those that are there; another command does not."""
    first = Probe(command=("x",), knobs=KNOBS, rounds=2)
    assert first.key == Probe(command=("x",), knobs=KNOBS, rounds=5).key
    assert first.key != Probe(command=("y",), knobs=KNOBS, rounds=2).key


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"command": ()}, "no command"),
        ({"knobs": {"batch_size": ("32",)}}, "nothing to probe"),
        ({"rounds": 1}, "2 to 50"),
        ({"slice_s": 0.5}, "1 s to 1 day"),
        ({"samples": 0.0}, "above 0"),
        ({"by": "target"}, "--target"),
        ({"knobs": {"batch_size": tuple(str(n) for n in range(1, 80))}}, "too many"),
    ],
)
def test_what_cannot_be_probed_is_refused(stated: dict[str, object], words: str) -> None:
    """One line names the rule."""
    with pytest.raises(InputError, match=words):
        Probe(**{"command": ("x",), "knobs": KNOBS, **stated})  # type: ignore[arg-type]


def test_values_are_checked_and_kept_in_order() -> None:
    """Batch sizes are whole numbers; the present one stays first."""
    assert values_of("batch_size", "64, 32,64") == ("64", "32")
    assert values_of("precision", "fp32,bf16") == ("fp32", "bf16")
    with pytest.raises(InputError, match="whole number"):
        values_of("batch_size", "32,x")
    with pytest.raises(InputError, match="at least 1"):
        values_of("batch_size", "0")
