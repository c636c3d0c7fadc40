"""Engines that start, pause and resume jobs, and the book in which each step of a plan is written before it is done."""
