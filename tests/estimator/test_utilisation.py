"""Whole-run utilisation and peak rates."""

from __future__ import annotations

import pytest

from sootprint.catalogue import hardware
from sootprint.core.errors import CatalogueError, InputError
from sootprint.estimator.utilisation import MOST, Setting, of_steps, peak, whole_run


@pytest.mark.parametrize(
    ("name", "precision", "tflops"),
    [
        ("A100", None, 312.0),
        ("A100", "tf32", 156.0),
        ("A100", "fp32", 19.5),
        ("H100", "fp8", 1978.0),
        ("P100", None, 10.6),
        ("P100", "fp16", 21.2),
        ("TPU v3", None, 123.0),
        ("GTX 1080 Ti", "mixed", 11.3),
    ],
)
def test_peak_rate_is_dense_and_of_the_precision(name: str, precision: str | None, tflops: float) -> None:
    """Rates of the data sheets without sparsity; cards without matrix units compute in fp32."""
    assert peak(hardware.accelerator(name), precision).value == pytest.approx(tflops * 1e12)


def test_device_that_cannot_is_refused() -> None:
    """An A100 has no 8-bit floating point, and nobody has an 'fp64x'."""
    with pytest.raises(CatalogueError, match="fp8"):
        peak(hardware.accelerator("A100"), "fp8")
    with pytest.raises(InputError, match="'fp64x'"):
        peak(hardware.accelerator("A100"), "fp64x")


def test_faster_chip_on_like_memory_is_used_less() -> None:
    """An H100 has 3.2 times the rate of an A100 and 1.6 times its bandwidth."""
    a100, h100 = (
        whole_run(hardware.accelerator(name), Setting(params=7e9)).value for name in ("A100-80GB", "H100")
    )
    assert h100 < a100
    assert h100 * 989 > a100 * 312  # it is faster all the same


def test_small_model_on_many_devices_uses_less() -> None:
    """Gradients are exchanged after each step, and the steps of 70 million parameters on 64 devices are short."""
    chip = hardware.accelerator("A100")
    small = whole_run(chip, Setting(params=7e7, count=64)).value
    assert small < 0.7 * whole_run(chip, Setting(params=7e9, count=64)).value
    assert small < 0.7 * whole_run(chip, Setting(params=7e7)).value
    most = [whole_run(chip, Setting(params=1e6, count=count)).value for count in (3, 1024)]
    assert most[0] == most[1]  # beyond what any run of the fit did, nothing is added


def test_images_wait() -> None:
    """Reading and distorting images takes time that text does not."""
    chip = hardware.accelerator("A100")
    assert (
        whole_run(chip, Setting(params=3e8, images=True)).value
        < 0.8 * whole_run(chip, Setting(params=3e8)).value
    )


def test_what_is_told_of_scale_and_parallelism_counts() -> None:
    """10,000 devices, a pipeline's bubble and recomputation each lower the useful share."""
    chip = hardware.accelerator("H100")
    plain = whole_run(chip, Setting(params=7e10)).value
    assert whole_run(chip, Setting(params=7e10, count=16384)).value < plain
    piped = whole_run(chip, Setting(params=7e10, pipeline_stages=8, microbatches=28)).value
    assert piped == pytest.approx(plain / 1.25)
    recomputed = whole_run(chip, Setting(params=7e10, recompute=True)).value
    kept = whole_run(chip, Setting(params=7e10, recompute=False)).value
    assert recomputed == pytest.approx(0.75 * kept)


def test_utilisation_is_a_share_with_bounds() -> None:
    """Value and bounds stay within what was ever published."""
    for name in ("P100", "V100", "A100", "H100", "B200", "TPU v4", "MI250X", "RTX 4090"):
        made = whole_run(hardware.accelerator(name), Setting(params=1e9))
        assert 0.02 < made.low < made.value < made.high <= MOST + 0.15
        assert made.source


def test_steps_are_better_than_the_run() -> None:
    """A step utilisation of 0.5 is 0.4 (0.33-0.48) over the whole run."""
    made = of_steps(0.5)
    assert (made.value, made.low) == (pytest.approx(0.4), pytest.approx(1 / 3))
