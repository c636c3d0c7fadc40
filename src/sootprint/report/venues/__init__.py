"""Venues: what a conference or journal wants to know of a footprint, in a small file, and what a record lacks of it."""

from __future__ import annotations

from sootprint.report.venues.check import Finding, check, in_words
from sootprint.report.venues.rules import Rule, Venue, load, parsed, shipped

__all__ = ["Finding", "Rule", "Venue", "check", "in_words", "load", "parsed", "shipped"]
