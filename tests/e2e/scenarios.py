"""The runs of the truth tests: counters, powers, wraps, resets and failures, each against a known wave."""

from __future__ import annotations

import random

from tests.e2e.harness import Scenario, Wave

SEED = 20261122
RANGE_UJ = 262_143_328_850
SQUARES = 4
FAIL_FROM_S, FAIL_FOR_S = 25.0, 10.0
RESET_S = 30.0


def _square(number: int) -> Scenario:
    """A power-only card under a square wave of random period, one in each quarter of 0.3 to 10 s on the log scale."""
    share = (number + random.Random(SEED + number).random()) / SQUARES
    period_s = 0.3 * (10.0 / 0.3) ** share
    wave = Wave(shape="square", base_w=100.0, amp_w=200.0, period_s=period_s)
    return Scenario(name=f"power-{number}", device="nvml", wave=wave, environ={"FAKE_NVML_NO_ENERGY": "1"})


POWERS = tuple(_square(number) for number in range(SQUARES))
PACKAGE = Scenario(
    name="package",
    device="powercap",
    wave=Wave(shape="sine", base_w=60.0, amp_w=30.0, period_s=7.0),
    options=(
        "--start-uj",
        str(RANGE_UJ - 600_000_000),
    ),  # 600 J: the package wraps after 10 s, its memory after 40 s
)
NODE = Scenario(
    name="node",
    device="powercap",
    wave=Wave(shape="square", base_w=40.0, amp_w=80.0, period_s=3.3),
    options=("--packages", "2", "--psys"),
)
RESET = Scenario(
    name="reset", device="powercap", wave=Wave(base_w=70.0), options=("--reset-at", str(RESET_S))
)
FAILURE = Scenario(
    name="failure",
    device="powercap",
    wave=Wave(shape="ramp", base_w=50.0, amp_w=50.0, period_s=5.0),
    options=("--fail-from", str(FAIL_FROM_S), "--fail-for", str(FAIL_FOR_S)),
)
CARDS = Scenario(
    name="cards",
    device="nvml",
    wave=Wave(shape="sine", base_w=200.0, amp_w=150.0, period_s=4.1),
    environ={"FAKE_NVML_COUNT": "2"},
)
CARD_RESET = Scenario(
    name="card-reset",
    device="nvml",
    wave=Wave(base_w=250.0),
    environ={"FAKE_NVML_RESET_AT": str(RESET_S)},
)
SCENARIOS = (*POWERS, PACKAGE, NODE, RESET, FAILURE, CARDS, CARD_RESET)
