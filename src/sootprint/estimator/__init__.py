"""Footprints of work that was not measured, or has not begun, from what is known of it."""

from sootprint.estimator.hours import estimate
from sootprint.estimator.prediction import predict

__all__ = ["estimate", "predict"]
