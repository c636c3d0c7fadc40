"""Migrations of the hub's database, in the order of their revisions."""
