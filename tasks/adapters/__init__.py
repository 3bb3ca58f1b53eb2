"""Everything that touches the world: Gemini, the ledger, files, settings."""
