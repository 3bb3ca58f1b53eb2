"""`make new`: a backfill drafted from a table as it is, ready to run."""
