"""Floating-point operations of a training, from what is known of its model and its data. Pure functions.

`training_flops(Workload(...))` is the one entry. Useful operations are those that the mathematics needs; operations
that are done twice to save memory (recomputation) are hardware operations and stand apart: time follows from the
useful ones and the utilisation that goes with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sootprint.core.errors import InputError
from sootprint.core.quantity import finite

ARCHITECTURES = ("dense", "moe", "encdec", "vision")
TECHNIQUES = ("full", "lora", "distil", "rl")
FORWARD, BACKWARD = 2.0, 4.0  # per parameter and token: Kaplan et al. (2020, arXiv 2001.08361), table 1
TRAINING = FORWARD + BACKWARD
FROZEN = FORWARD + 2.0  # a frozen weight needs no gradient of its own, only that of its input
ATTENTION = (
    12.0  # per layer, unit of width, token of context: Narayanan et al. (2021, arXiv 2104.04473), equation 3
)
ENCDEC_SHARE = 0.5  # each token passes one of the two halves: Patterson et al. (2021, arXiv 2104.10350)
PER_SAMPLE = 3.0  # forward once, backward twice as much
ASPECT = 128.0  # width over layers of decoders from GPT-3 to Llama; Kaplan et al. find 30-200 alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is trained on how much.

    Args:
        params: Parameters in all [1].
        active_params: Parameters that one token passes, in a mixture of experts [1].
        tokens: Tokens trained on, epochs included [1].
        samples: Images (or other samples) trained on, epochs included [1].
        flops_per_sample: Operations of one forward pass of one sample; multiply-adds count two [1].
        architecture: dense, moe, encdec or vision.
        technique: full, lora (base frozen), distil (a teacher runs forward) or rl (tokens are generated first).
        layers: Layers [1]; the attention is counted where `sequence_length` is given.
        width: Width of the model [1]; from parameters and layers where None.
        sequence_length: Tokens in a sequence [1].
        adapter_params: Parameters of the adapter of "lora" [1].
        teacher_params: Active parameters of the teacher of "distil" [1].
        rollout_tokens: Tokens generated in "rl" [1]; `tokens` where None.
        reward_params: Active parameters of the models that judge the rollouts [1].
        recompute: Whether activations are computed again in the backward pass.
        flops: Operations of the whole training, where they are published [1].

    Raises:
        InputError: A number is not above 0, or what is needed to count is not given.
    """

    params: float | None = None
    active_params: float | None = None
    tokens: float | None = None
    samples: float | None = None
    flops_per_sample: float | None = None
    architecture: str = "dense"
    technique: str = "full"
    layers: float | None = None
    width: float | None = None
    sequence_length: float | None = None
    adapter_params: float | None = None
    teacher_params: float | None = None
    rollout_tokens: float | None = None
    reward_params: float | None = None
    recompute: bool | None = None
    flops: float | None = None

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            _check_number(name, getattr(self, name))
        for name, known in (("architecture", ARCHITECTURES), ("technique", TECHNIQUES)):
            if getattr(self, name) not in known:
                raise InputError(f"{name} is {getattr(self, name)!r}: it is one of {', '.join(known)}")
        _check_together(self)

    @property
    def active(self) -> float | None:
        """Parameters that one token passes [1]."""
        return self.params if self.active_params is None else self.active_params


MOST = 1e30  # of any count: products of four are numbers, too
COUNTS_DIFFER = 3.0  # attention, encoder-decoders and recomputation: no published count is farther from 6 N D
_NUMBERS = (
    *("params", "active_params", "tokens", "samples", "flops_per_sample", "layers", "width"),
    *("sequence_length", "adapter_params", "teacher_params", "rollout_tokens", "reward_params", "flops"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Operations of a training.

    Args:
        parts: Useful operations by part: "training", "attention", "adapter", "teacher", "rollouts", "judging" [1].
        recomputed: Operations done a second time to save memory [1].
    """

    parts: dict[str, float] = field(default_factory=dict)
    recomputed: float = 0.0

    @property
    def useful(self) -> float:
        """Operations that the mathematics needs [1]."""
        return math.fsum(self.parts.values())

    @property
    def hardware(self) -> float:
        """Operations that the hardware does [1]."""
        return self.useful + self.recomputed

    @property
    def generated(self) -> float:
        """Operations of tokens that are generated one after another, which no utilisation of training fits [1]."""
        return self.parts.get("rollouts", 0.0)


def training_flops(work: Workload) -> Flops:
    """Operations of a training.

    Raises:
        InputError: Operations that are given are not those of the parameters and tokens that are given with them.

    Source:
        Kaplan et al. (2020, arXiv 2001.08361): 6 N D; Narayanan et al. (2021, arXiv 2104.04473): attention and
        recomputation; Hoffmann et al. (2022, arXiv 2203.15556) count alike.

    >>> f"{training_flops(Workload(params=7e9, tokens=2e12)).useful:.3g}"
    '8.4e+22'
    """
    if work.flops is not None:
        _check_counted(work)
        parts = {"training": work.flops}
    elif work.samples is not None and work.flops_per_sample is not None:
        parts = {"training": PER_SAMPLE * work.flops_per_sample * work.samples}
    else:
        parts = _token_parts(work)
    forward = parts["training"] * FORWARD / TRAINING
    return Flops(parts=parts, recomputed=forward if work.recompute else 0.0)


def _check_counted(work: Workload) -> None:
    """Nothing where operations and a count of parameters and tokens agree within a factor of 3, or one is missing."""
    if work.flops is None or work.active is None or work.tokens is None or work.technique != "full":
        return
    counted = math.fsum(_token_parts(work).values())
    if not 1.0 / COUNTS_DIFFER < work.flops / counted < COUNTS_DIFFER:
        raise InputError(
            f"flops is {work.flops:.3g}, and params and tokens count {counted:.3g}: leave one of them out, or give the "
            "parameters that one token passes and all tokens"
        )


def attention_flops_per_token(params: float, sequence_length: float, shape: Shape) -> float:
    """Operations of the attention itself for one token, forward and backward [1].

    Args:
        params: Parameters that one token passes [1].
        sequence_length: Tokens in a sequence [1].
        shape: Layers and width, either or both of which may be None.

    >>> round(attention_flops_per_token(6.7e9, 2048, Shape(32, 4096)) / (6 * 6.7e9), 3)
    0.08
    """
    layers = shape.layers or (params / (ATTENTION * ASPECT**2)) ** (1.0 / 3.0)
    width = shape.width or math.sqrt(params / (ATTENTION * layers))
    return ATTENTION * layers * width * sequence_length


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of a transformer.

    Args:
        layers: Layers [1]; from parameters at an aspect of 128 where None.
        width: Width [1]; from parameters and layers where None.
    """

    layers: float | None = None
    width: float | None = None


def _token_parts(work: Workload) -> dict[str, float]:
    active, tokens = work.active or 0.0, work.tokens or 0.0
    seen = tokens * (ENCDEC_SHARE if work.architecture == "encdec" else 1.0)
    parts = {"training": (FROZEN if work.technique == "lora" else TRAINING) * active * seen}
    if work.sequence_length is not None:
        shape = Shape(work.layers, work.width)
        parts["attention"] = attention_flops_per_token(active, work.sequence_length, shape) * seen
    if work.adapter_params is not None:
        parts["adapter"] = TRAINING * work.adapter_params * tokens
    if work.technique == "distil":
        parts["teacher"] = FORWARD * (work.teacher_params or 0.0) * tokens
    if work.technique == "rl":
        rollouts = tokens if work.rollout_tokens is None else work.rollout_tokens
        parts["rollouts"] = FORWARD * active * rollouts
        parts["judging"] = FORWARD * (active + (work.reward_params or 0.0)) * rollouts
    return parts


def _check_number(name: str, value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is {value!r}: it is a number, e.g. 7e9")
    number = finite(value)
    if number is None or not 0.0 < number <= MOST:
        raise InputError(
            f"{name} is {value!r:.40}: it is above 0 and at most {MOST:g}; leave it out where it is unknown"
        )


def _check_together(work: Workload) -> None:
    if work.active_params is not None and work.params is not None and work.active_params > work.params:
        raise InputError(
            f"active_params is {work.active_params:g}, more than the {work.params:g} parameters in all: "
            "swap the two, or leave one out"
        )
    if work.technique == "distil" and work.teacher_params is None and work.flops is None:
        raise InputError(
            "technique is 'distil' and teacher_params is not given: the teacher's passes count too"
        )
    if work.architecture == "moe" and work.active_params is None and work.flops is None:
        raise InputError(
            "architecture is 'moe' and active_params is not given: a token passes a part of the model"
        )
    if work.flops is None and not _countable(work):
        raise InputError(
            "the operations cannot be counted: give params and tokens, or samples and flops_per_sample, or flops"
        )


def _countable(work: Workload) -> bool:
    by_tokens = work.active is not None and work.tokens is not None
    return by_tokens or (work.samples is not None and work.flops_per_sample is not None)
