"""Published models that reach a target already."""

from __future__ import annotations

import pytest

from sootprint import InputError, predict
from sootprint.estimator.reuse import metrics, reaching, target


def test_models_that_reach_the_target_come_by_their_cost() -> None:
    """Everything listed is at least as good, and the cheapest is first."""
    found = reaching(target("Top-1 accuracy = 80", "ImageNet"))
    assert len(found) > 2
    assert all(one.value >= 80 and one.dataset == "ImageNet" for one in found)
    hours = [one.device_hours for one in found if one.device_hours]
    assert hours == sorted(hours)


def test_nothing_is_better_than_perfect() -> None:
    """No model has 101 % accuracy, and what the table knows is told."""
    assert reaching(target("accuracy=101")) == ()
    assert any("BLEU" in one for one in metrics())


@pytest.mark.parametrize("text", ["accuracy", "=80", "accuracy=high", "accuracy=nan"])
def test_target_that_is_none_is_refused(text: str) -> None:
    """A target is METRIC=VALUE."""
    with pytest.raises(InputError, match="METRIC=VALUE"):
        target(text)


def test_prediction_lists_them_in_the_record() -> None:
    """They stand in `given`, before any number is read."""
    made = predict(params=7e9, tokens=2e12, hardware="A100", count=512, intensity=1, target="MMLU=45")
    assert "Llama 2 7B" in [one["model"] for one in made.given["reuse"]]
