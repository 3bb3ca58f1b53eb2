"""Where it runs: blocks, deploy-time steps, and the embedded stack."""
