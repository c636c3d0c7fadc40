"""Campaigns: authors of a sample of papers are asked where, on what and how long they trained."""
