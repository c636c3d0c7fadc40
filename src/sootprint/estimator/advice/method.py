"""Measures on the method: what is trained, on what, from where, and until when."""

from __future__ import annotations

import dataclasses

from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import COMPARE, NO_EVIDENCE, NOT_HERE, Effect, Idea

LARGE = 1e9  # parameters from which sparse experts were shown to pay
# Energy over that of a dense model of equal quality: below 1/10 (Patterson et al., 2021), 1/3 (GLaM, Du et al., 2022).
EXPERTS = Quantity(value=0.18, low=0.10, high=0.35)
# Fine-tuning over pre-training: 1/45,000 to 1/400 for BERT (Wang et al., 2023); 0.15 assumed above the 7.6 MWh of
# BLOOMz-7B (Luccioni et al., 2023).
TUNED = Quantity(value=0.02, low=1 / 45_000, high=0.15)
EVOLVED = Quantity(value=0.20, low=0.16, high=0.25)
# Both ways: 512 to 4,096 quarters the energy of a ResNet on 8 H100 (Latif et al., 2024), 8 to 128 costs 2.3 to 2.6
# times as much to the target for BERT on V100 and A40 (traces of You et al., 2023).
BATCH = Quantity(value=0.55, low=0.25, high=2.6)
DISTILLED = Quantity(value=2.4, low=2.0, high=2.9)  # one-off, over direct fine-tuning; the spread is assumed


def ideas(base: Baseline) -> list[Idea]:
    """Measures on the method, in the order of the reference page."""
    return [
        _batch_size(base),
        _pruning(),
        _distillation(base),
        _experts(base),
        _architecture(base),
        _optimiser(),
        _curriculum(),
        _data(base),
        _transfer(base),
    ]


def _batch_size(base: Baseline) -> Idea:
    draws = tuple(base.of("batch", BATCH))
    return Idea(
        name="batch_size",
        action="train with another batch size",
        factors=("power", "hours"),
        effect=Effect(remaining=BATCH.value, draws=draws, time_factor=None),
        evidence="Published both ways: 512 to 4,096 quarters the energy of a ResNet on 8 H100 (Latif et al., 2024); "
        "128 to 8 saves 56 to 62 % to the target for BERT on V100 and A40 (traces of You et al., 2023)",
        tier="measured elsewhere",
        boundary="not monotone, and quality follows it: find it here with `sootprint tune --batch-sizes`",
    )


def _pruning() -> Idea:
    return Idea(
        name="pruning",
        action="prune the model, or train it sparse",
        factors=("work",),
        status=NO_EVIDENCE,
        evidence=COMPARE,
        boundary="saves energy only where the device computes sparse matrices faster; peak rates `with sparsity` are "
        "not training rates. Training dense first and pruning after adds energy",
    )


def _distillation(base: Baseline) -> Idea:
    idea = Idea(
        name="distillation",
        action="distil a smaller model",
        factors=("work",),
        boundary="the teacher's forward passes count; it pays where the teacher's output is used for several students, "
        "or where the smaller model serves for long",
    )
    if base.facts.stage not in ("finetune", "distil"):
        return dataclasses.replace(idea, status=NO_EVIDENCE)
    return dataclasses.replace(
        idea,
        effect=Effect(
            remaining=DISTILLED.value,
            draws=tuple(base.of("distilled", DISTILLED)),
            time_factor=DISTILLED.value,
        ),
        evidence="one-off distillation costs about 2.4 times direct fine-tuning (Lambert & Luccioni, 2026, arXiv "
        "2605.13981)",
        tier="measured elsewhere",
    )


def _experts(base: Baseline) -> Idea:
    facts = base.facts
    idea = Idea(
        name="mixture_of_experts",
        action="train sparse experts instead of a dense model",
        factors=("work",),
        boundary="shown for pre-training of large language models at equal quality; needs the memory of all "
        "experts, so more devices are held, in training and in service",
    )
    if facts.active_params is not None and facts.params is not None and facts.active_params < facts.params:
        return dataclasses.replace(
            idea, status=NOT_HERE, evidence="the model is a mixture of experts already"
        )
    if facts.stage != "pretrain" or facts.params is None or facts.params < LARGE:
        return dataclasses.replace(
            idea,
            status=NO_EVIDENCE,
            evidence=f"{COMPARE}; published for pre-training from {LARGE / 1e9:g} billion parameters on",
        )
    return dataclasses.replace(
        idea,
        effect=Effect(
            remaining=EXPERTS.value, draws=tuple(base.of("experts", EXPERTS)), time_factor=EXPERTS.value
        ),
        evidence="less than 1/10 of the energy (Patterson et al., 2021, arXiv 2104.10350), 1/3 of it (GLaM, Du et al., "
        "2022, arXiv 2112.06905)",
        tier="measured elsewhere",
    )


def _architecture(base: Baseline) -> Idea:
    idea = Idea(
        name="architecture",
        action="train a searched, more efficient architecture",
        factors=("work",),
        boundary="shown for machine translation with Transformers, with the same data; reuse one that was found: a "
        "search of your own adds its energy",
    )
    words = " ".join(
        filter(None, [base.footprint.model.architecture if base.footprint.model else None])
    ).lower()
    if "transformer" not in words or base.facts.stage != "pretrain":
        return dataclasses.replace(
            idea, status=NO_EVIDENCE, evidence=f"{COMPARE}; published for pre-trained Transformers alone"
        )
    saved = base.of("evolved", EVOLVED)
    return dataclasses.replace(
        idea,
        effect=Effect(
            remaining=1.0 - EVOLVED.value,
            draws=tuple(1.0 - one for one in saved),
            time_factor=1.0 - EVOLVED.value,
        ),
        evidence="Evolved Transformer against Transformer: 16 to 25 % less energy (Patterson et al., 2021, arXiv "
        "2104.10350)",
        tier="measured elsewhere",
    )


def _optimiser() -> Idea:
    return Idea(
        name="optimiser",
        action="reach the target in fewer steps: optimiser and learning-rate schedule",
        factors=("work",),
        status=NO_EVIDENCE,
        evidence=COMPARE,
        boundary="compare the energy to the same quality (`compare --target`), not of a step: a step may cost more",
    )


def _curriculum() -> Idea:
    return Idea(
        name="curriculum",
        action="order the examples from easy to hard, or the sequences from short to long",
        factors=("work",),
        status=NO_EVIDENCE,
        evidence=COMPARE,
        boundary="compare the energy to the same quality with `compare --target`",
    )


def _data(base: Baseline) -> Idea:
    work = base.footprint.work
    seen = None if work is None else work.tokens or work.samples
    what = "tokens" if work is not None and work.tokens else "samples"
    amount = "" if not seen else f" of the {what}"
    tenth_kg = 0.1 * base.emissions_kg.value
    return Idea(
        name="data_curation",
        action="leave out duplicates and poor examples",
        factors=("work",),
        status=NO_EVIDENCE,
        evidence=f"{COMPARE}; energy follows what is seen: each tenth{amount} left out is {_mass(tenth_kg)}",
        boundary="only if the quality holds, and less the energy of the curation itself (a stage of its own in "
        "`estimate --stages`)",
    )


def _transfer(base: Baseline) -> Idea:
    idea = Idea(
        name="transfer_learning",
        action="fine-tune a model that is there instead of training from scratch",
        factors=("work",),
        boundary="only where a base model fits the task. The base model is not free: its share is charged by lineage "
        "(`[parent]` in `estimate --stages`) and is not in this saving",
    )
    model = base.footprint.model
    if base.facts.stage != "pretrain":
        tuned = base.facts.stage == "finetune" or (model is not None and model.base is not None)
        if tuned:
            return dataclasses.replace(
                idea, status=NOT_HERE, evidence="the run starts from a model that is there"
            )
        return dataclasses.replace(
            idea,
            status=NO_EVIDENCE,
            evidence=f"{COMPARE}; published against pre-training alone, and this run is {base.facts.stage}",
        )
    return dataclasses.replace(
        idea,
        effect=Effect(remaining=TUNED.value, draws=tuple(base.of("tuned", TUNED)), time_factor=TUNED.value),
        evidence="pre-training BERT is 400 to 45,000 fine-tunings (Wang et al., 2023, arXiv 2311.10267); fine-tuning "
        "BLOOMz-7B took 7.6 MWh (Luccioni et al., 2023)",
        tier="measured elsewhere",
    )


def _mass(mass_kg: float) -> str:
    """Mass in three digits without a power of ten.

    >>> _mass(3519.2), _mass(0.0123456), _mass(9.63e-07)
    ('3,520 kg', '12.3 g', '0.963 mg')
    """
    scaled, units = mass_kg, ["mg", "g", "kg"]
    while scaled < 1.0 and len(units) > 1:
        scaled *= G_PER_KG
        units.pop()
    return f"{float(f'{scaled:.3g}'):,.10g} {units[-1]}"
