"""Whether the emulator answers as the real service does: the same calls, shapes compared."""
