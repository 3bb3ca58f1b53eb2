"""What each stage does: thin tasks over backfills, adapters and a pure core."""
