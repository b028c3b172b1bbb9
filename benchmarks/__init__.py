"""Measurements of the toolkit and of its rivals."""
