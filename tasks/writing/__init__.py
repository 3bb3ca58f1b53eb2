"""Answers into rows, in one transaction."""
