"""A stand-in for the Gemini API on loopback, with its state on disk and its faults on switches."""
