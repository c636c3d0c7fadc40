"""Operations of trainings, against counts that papers print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core.errors import InputError
from sootprint.estimator.flops import Workload, training_flops

SIZES = st.floats(1e6, 1e12)


def test_gpt3_is_counted_as_its_authors_count() -> None:
    """Brown et al. (2020), table D.1: 3.14e23 operations for 174.6e9 parameters and 300e9 tokens."""
    assert training_flops(Workload(params=174.6e9, tokens=300e9)).useful == pytest.approx(3.14e23, rel=0.005)


def test_mixture_of_experts_counts_what_a_token_passes() -> None:
    """GShard-600B, 2.3e9 active, 1e12 tokens: 1.33e22 in Patterson et al. (2021), 1.38e22 by 6ND."""
    work = Workload(params=619e9, active_params=2.3e9, tokens=1e12, architecture="moe")
    assert training_flops(work).useful == pytest.approx(1.33e22, rel=0.05)


def test_encoder_decoder_splits_the_tokens() -> None:
    """T5-11B on 1e12 tokens: 4.05e22 in Patterson et al. (2021); 6ND would give 6.6e22, 3ND gives 3.3e22."""
    made = training_flops(Workload(params=11e9, tokens=1e12, architecture="encdec")).useful
    assert made == 0.5 * training_flops(Workload(params=11e9, tokens=1e12)).useful
    assert made == pytest.approx(4.05e22, rel=0.2)


def test_attention_of_gpt3_is_small_at_its_context() -> None:
    """96 layers of width 12,288 at 2,048 tokens: 12 x 96 x 12288 x 2048 / (6 x 175e9) = 2.8 %."""
    plain = training_flops(Workload(params=175e9, tokens=3e11)).useful
    made = training_flops(Workload(params=175e9, tokens=3e11, layers=96, width=12288, sequence_length=2048))
    assert made.useful / plain - 1.0 == pytest.approx(0.0276, abs=0.0005)
    guessed = training_flops(Workload(params=175e9, tokens=3e11, sequence_length=2048)).useful
    assert guessed == pytest.approx(made.useful, rel=0.002)


def test_vision_counts_images() -> None:
    """ResNet-50, 8.2e9 operations an image forward, 90 epochs of 1.28e6 images: 3 x 8.2e9 x 1.152e8 = 2.83e18."""
    work = Workload(samples=90 * 1.28e6, flops_per_sample=8.2e9, architecture="vision")
    assert training_flops(work).useful == pytest.approx(2.834e18, rel=1e-3)


def test_frozen_base_saves_a_third() -> None:
    """With a frozen base 4ND are left of 6ND, and the adapter is added."""
    made = training_flops(Workload(params=7e9, tokens=1e9, technique="lora", adapter_params=4e6))
    assert made.parts == {"training": 4 * 7e18, "adapter": 6 * 4e15}


def test_teacher_is_part_of_a_distillation() -> None:
    """A teacher of 70e9 parameters runs forward: 2 x 70e9 operations a token."""
    made = training_flops(Workload(params=1e9, tokens=1e9, technique="distil", teacher_params=70e9))
    assert made.parts == {"training": 6e18, "teacher": 1.4e20}


def test_rollouts_are_generated_and_judged() -> None:
    """Per token of a rollout: 2N to generate, 2N for the reference, 2R for the reward model."""
    work = Workload(params=1e9, tokens=1e9, technique="rl", rollout_tokens=2e9, reward_params=3e9)
    made = training_flops(work)
    assert made.parts == {"training": 6e18, "rollouts": 4e18, "judging": 1.6e19}
    assert made.generated == 4e18


def test_recomputation_is_hardware_work_only() -> None:
    """8ND on the hardware, 6ND useful."""
    made = training_flops(Workload(params=1e9, tokens=1e9, recompute=True))
    assert (made.useful, made.hardware) == (6e18, 8e18)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"params": 7e9, "tokens": 0}, "tokens is 0"),
        ({"params": -1, "tokens": 1}, "params is -1"),
        ({"params": 7e9}, "give params and tokens"),
        ({"params": 1, "active_params": 2, "tokens": 1}, "more than"),
        ({"params": 1, "tokens": 1, "architecture": "moe"}, "active_params"),
        ({"params": 1, "tokens": 1, "technique": "distil"}, "teacher_params"),
        ({"params": 1, "tokens": float("nan")}, "tokens is nan"),
        ({"params": 1e300, "tokens": 1e300}, "params is 1e[+]300: it is above 0 and at most 1e[+]30"),
        ({"params": 10**400, "tokens": 1}, "params is 1000000"),
        ({"params": 1, "tokens": True}, "tokens is True"),
        ({"params": 1, "tokens": 1, "technique": "magic"}, "'magic'"),
    ],
)
def test_what_cannot_be_counted_is_refused(given: dict[str, object], words: str) -> None:
    """The message names the value and the way out."""
    with pytest.raises(InputError, match=words):
        Workload(**given)  # type: ignore[arg-type]


@given(params=SIZES, tokens=SIZES, more=st.floats(1.0, 10.0))
def test_more_of_anything_is_more_work(params: float, tokens: float, more: float) -> None:
    """Operations rise with parameters, tokens and context."""
    base = training_flops(Workload(params=params, tokens=tokens, sequence_length=1024)).useful
    for name in ("params", "tokens", "sequence_length"):
        given = {"params": params, "tokens": tokens, "sequence_length": 1024.0}
        given[name] *= more
        assert training_flops(Workload(**given)).useful >= base * (1.0 - 1e-12)


def test_operations_that_contradict_the_count_are_refused() -> None:
    """6 x 7e9 x 1e12 are 4.2e22: 1e21 is another training, and 6.6e22 a way of counting."""
    with pytest.raises(InputError, match=r"flops is 1e\+21, and params and tokens count 4.2e\+22"):
        training_flops(Workload(params=7e9, tokens=1e12, flops=1e21))
    assert training_flops(Workload(params=7e9, tokens=1e12, flops=6.6e22)).useful == 6.6e22
