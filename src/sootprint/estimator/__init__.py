"""Footprints of work that was not measured, from what is known of it."""

from sootprint.estimator.hours import estimate

__all__ = ["estimate"]
