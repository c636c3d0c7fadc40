"""Measuring a run: one sampling loop, a journal that survives kill -9, spans, and the finished footprint."""

from sootprint.tracker.run import Run, track

__all__ = ["Run", "track"]
