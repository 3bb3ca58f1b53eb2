"""What a run takes on, what it would cost, and who said yes."""
