"""Taking back, asking again, stopping."""
