"""Rules on the computation: which share of the peak rate the numbers imply, and how FLOPs were counted."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.core.units import SECONDS_PER_HOUR
from sootprint.estimator.audit import facts
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.finding import Finding
from sootprint.estimator.audit.words import figure

_TERA = 1e12
STEP_OVER_RUN = 1.5  # rate of a step over that of the whole run: 1.2 to 1.5 in published pairs
FROZEN = 1.5  # 6 N D over 4 N D, which a fine-tuning takes whose base is frozen
TRAINING = (None, "pretrain", "distil")


def utilisation_of_peak(claim: Claim) -> Iterator[Finding]:
    """Share of the peak rate that parameters, tokens and hours imply."""
    implied = implied_mfu(claim)
    if implied is None or claim.kind in ("inference", "search"):
        return
    most = facts.MOST_MFU if claim.kind in TRAINING else FROZEN
    if implied > most:
        yield _high(claim, implied)
    elif (
        claim.kind in TRAINING
        and implied < facts.LEAST_MFU
        and claim.precision not in ("fp32", "float32", "tf32")
    ):
        yield _low(claim, implied)


def _high(claim: Claim, implied: float) -> Finding:
    count, above = claim.count or 1.0, implied > 1.0
    wall = (
        count > 1.0 and not claim.hours_agree and facts.LEAST_MFU / 2.0 <= implied / count <= facts.MOST_MFU
    )
    thousand = facts.LEAST_MFU <= implied / 1000.0 <= facts.MOST_MFU
    slip = "wall-or-device-hours" if wall else "unit-factor-1000" if thousand else "utilisation-above-peak"
    return Finding(
        rule=slip if above else "utilisation-high",
        severity="error" if above else "warning",
        field="device_hours",
        given=claim.hours_of_devices,
        implied=(claim.hours_of_devices or 0.0) * implied / facts.TYPICAL_MFU,
        message=f"{_computation(claim, implied)}; the highest published whole run reached 63 %",
        cause=_cause_of_high(claim, wall=wall),
        confidence="high" if above else "medium",
    )


def _low(claim: Claim, implied: float) -> Finding:
    count = claim.count or 1.0
    many = (
        count > 1.0
        and not claim.hours_agree
        and implied < 0.02
        and facts.LEAST_MFU <= implied * count <= facts.MOST_MFU
    )
    more = "the hours hold more than this training (a teacher, other models, failed runs), or the tokens are not all"
    return Finding(
        rule="wall-or-device-hours" if many else "utilisation-low",
        severity="warning",
        field="device_hours",
        given=claim.hours_of_devices,
        implied=(claim.hours_of_devices or 0.0) * implied / facts.TYPICAL_MFU,
        message=f"{_computation(claim, implied)}; published whole runs span 19 to 52 %",
        cause="device hours are multiplied by the number of devices again" if many else more,
        confidence="medium",
    )


def _computation(claim: Claim, implied: float) -> str:
    flops, hours = facts.flops_of(claim) or 0.0, claim.hours_of_devices or 0.0
    device = claim.hardware or "the device"
    return (
        f"{figure(flops)} FLOPs in {figure(hours, 6)} device hours are {figure(implied * 100, 2)} % of the dense peak "
        f"of {device}"
    )


def _cause_of_high(claim: Claim, *, wall: bool) -> str:
    if wall:
        return "wall hours stand where device hours are meant"
    if claim.architecture == "moe" and claim.active_params is None:
        return "all parameters are counted for each token; give the active ones"
    return (
        "hours of a part of the run, tokens of several epochs or models, or FLOPs counted with another rule"
    )


def implied_mfu(claim: Claim) -> float | None:
    """Share of the dense peak that FLOPs and device hours imply, or None where one is not known [1]."""
    hours, device, flops = claim.hours_of_devices, facts.device_of(claim), facts.flops_of(claim)
    peak = facts.peak_tflops(claim, device) if device else None
    if hours is None or flops is None or peak is None:
        return None
    return flops / (hours * SECONDS_PER_HOUR * peak * _TERA)


def claimed_utilisation(claim: Claim) -> Iterator[Finding]:
    """Utilisation as claimed against the implied one, and against what is possible."""
    implied = implied_mfu(claim)
    if claim.mfu is None:
        return
    if claim.mfu > 1.0:
        cause = "a percentage, or another peak rate"
        yield _mfu(claim, "utilisation-above-peak", "it is above the peak rate", cause, severity="error")
    elif implied is None and claim.mfu > facts.MOST_MFU:
        cause = "rate of the best steps, or another peak rate"
        yield _mfu(claim, "utilisation-high", "published whole runs reach 63 % at most", cause)
    elif implied is not None and not 1.0 / STEP_OVER_RUN <= claim.mfu / implied <= STEP_OVER_RUN:
        half = 0.45 <= claim.mfu / implied <= 0.55
        sparse = "the peak rate with sparsity (twice the dense one) was taken"
        yield _mfu(
            claim,
            "sparse-peak" if half else "utilisation-claimed",
            f"the numbers imply {figure(implied * 100, 2)} %",
            sparse if half else "other hours or tokens, or another peak rate",
        )


def _mfu(claim: Claim, rule: str, words: str, cause: str, *, severity: str = "warning") -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        field="mfu",
        given=claim.mfu,
        implied=implied_mfu(claim),
        message=f"utilisation of peak is {figure((claim.mfu or 0.0) * 100)} % as claimed, and {words}",
        cause=cause,
        confidence="medium",
    )


def peak_rate(claim: Claim) -> Iterator[Finding]:
    """Peak rate as claimed against the maker's dense one."""
    device = facts.device_of(claim)
    known = facts.peak_tflops(claim, device) if device else None
    if claim.peak_tflops is None or device is None or known is None or device.peak_tflops is None:
        return
    ratio = claim.peak_tflops / known
    if 0.9 <= ratio <= 1.1:
        return
    sparse = 1.9 <= claim.peak_tflops / device.peak_tflops <= 2.1 and claim.precision not in (
        "fp8",
        "float8",
        "e4m3",
        "int8",
    )
    sparse = sparse or 1.9 <= ratio <= 2.1
    lower = ratio < 0.9 and claim.precision in ("fp32", "float32", "tf32", None)
    if lower:
        return  # another number format, which the claim does not name
    yield Finding(
        rule="sparse-peak" if sparse else "peak-figure",
        severity="warning",
        field="peak_tflops",
        given=claim.peak_tflops,
        implied=known,
        message=f"peak is {figure(claim.peak_tflops, 4)} TFLOP/s as claimed, and the dense one of "
        f"{device.name} is {figure(known, 4)}",
        cause="the figure with structured sparsity, which training does not use"
        if sparse
        else "another number format or device",
        confidence="high" if sparse else "medium",
    )


def encoder_decoder(claim: Claim) -> Iterator[Finding]:
    """FLOPs of an encoder-decoder that were counted with 6 N D, as those of a decoder are."""
    if claim.architecture != "encdec":
        return
    dense = facts.dense_flops(claim)
    as_dense = claim.flops is not None and dense is not None and abs(claim.flops / dense - 1.0) <= 0.15
    if as_dense and dense is not None:
        yield Finding(
            rule="encoder-decoder",
            severity="warning",
            field="flops",
            given=claim.flops,
            implied=0.5 * dense,
            message=f"{figure(claim.flops or 0.0)} FLOPs are 6 x parameters x tokens, and in an "
            f"encoder-decoder each token meets half "
            f"of the parameters: about {figure(0.5 * dense)}",
            cause="counted as a dense decoder",
            confidence="high",
        )
    elif claim.params is not None and (claim.flops is None or dense is None):
        yield Finding(
            rule="encoder-decoder",
            severity="info",
            field="architecture",
            given="encdec",
            message="an encoder-decoder takes about 3 x parameters x tokens, not 6: how its FLOPs "
            "were counted is not "
            "stated",
            cause="counted as a dense decoder",
            confidence="low",
        )


def experts(claim: Claim) -> Iterator[Finding]:
    """FLOPs of a mixture of experts that were counted with all parameters."""
    if claim.architecture != "moe":
        return
    if claim.flops and claim.params and claim.tokens and claim.active_params:
        whole = 6.0 * claim.params * claim.tokens
        own = 6.0 * claim.active_params * claim.tokens
        if abs(claim.flops / whole - 1.0) <= 0.15 and claim.flops > 1.5 * own:
            yield Finding(
                rule="experts-as-dense",
                severity="warning",
                field="flops",
                given=claim.flops,
                implied=own,
                message=f"{figure(claim.flops)} FLOPs are 6 x all parameters x tokens, and a token "
                f"meets the active ones: {figure(own)}",
                cause="a mixture of experts counted as dense",
            )
    elif claim.active_params is None and claim.params is not None:
        yield Finding(
            rule="missing",
            severity="info",
            field="active_params",
            message="active parameters of a mixture of experts are not stated: its FLOPs cannot be checked",
        )
