"""Helpers of `build_catalogue.py`: one module for each group of tables."""
