"""Figures of the survey: one function gives one chart."""
