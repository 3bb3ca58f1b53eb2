"""The embedded stack: Postgres, Prefect server, worker, Gemini emulator; loopback only."""
