"""The pure part: no orchestrator, network, database, clock or environment."""
