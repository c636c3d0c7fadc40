"""Formulas of other calculators for hours, energy and power, from their code and papers, on published runs."""

from __future__ import annotations

from published import Run

from sootprint.estimator import utilisation

A100_TFLOPS = 312.0
NODE, PARAMS_PER_GB = 8, 0.03e9
OTHER_MEMORY = 1.0 - 7.76 / 33.46
GREEN_ALGORITHMS_TPU_W = {"Google TPU v2": 221.0, "Google TPU v3": 220.0}
ML_CO2_TPU_W = {"Google TPU v2": 221.0, "Google TPU v3": 283.0}
W_PER_GB = 0.3725  # Green Algorithms, memory


def llmcarbon_utilisation(run: Run) -> float:
    """Share of the peak rate by the polynomials of LLMCarbon (Faiz et al. 2024), as a fraction of that of an A100.

    Its code takes the polynomial of tensor parallelism where a node of 8 holds the model at 0.03e9 parameters per GB,
    and 23 % less where the memory is not 80 GB.
    """
    assert run.device is not None
    size, memory = run.active_params or run.params or 0.0, run.device.memory_gb or 0.0
    if size < NODE * PARAMS_PER_GB * memory:
        tflops = -8.82079068e-20 * size**2 + 1.68591116e-09 * size + 133.954735
    else:
        tflops = -5.60233749e-23 * size**2 + 8.45435587e-11 * size + 134.546129
    return tflops / A100_TFLOPS * (1.0 if memory == 80.0 else OTHER_MEMORY)


def hours(run: Run, share: float) -> float:
    """Device hours at a share of the 16-bit peak rate, as the others count [h]."""
    assert run.device is not None
    rate = utilisation.peak(run.device, "fp16").value or 1.0
    return (run.flops or 0.0) / (share * rate * 3600.0)


def rated_w(run: Run) -> float | None:
    """Power by the rated power alone [W]; a given one where the catalogue has none."""
    assert run.device is not None
    return run.device.rated_power_w or (run.device.measured_w[1] if run.device.measured_w else None)


def green_algorithms_w(run: Run) -> float | None:
    """Power of a device with its memory by Green Algorithms (Lannelongue et al. 2021) at a usage of 1 [W]."""
    assert run.device is not None
    core = GREEN_ALGORITHMS_TPU_W.get(run.device.name) or rated_w(run)
    return None if core is None else core + W_PER_GB * (run.device.memory_gb or 0.0)


def ml_co2_w(run: Run) -> float | None:
    """Power by ML CO2 Impact (Lacoste et al. 2019): rated power, of TPUs a measured one [W]."""
    assert run.device is not None
    return ML_CO2_TPU_W.get(run.device.name) or rated_w(run)
