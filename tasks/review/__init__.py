"""Rows that people judge: put before them, and what they said taken back in."""
