"""The ledger: what was promised to whom, what was paid for, what came back."""
