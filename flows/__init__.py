"""Which stages run, in what order, how many at once."""
