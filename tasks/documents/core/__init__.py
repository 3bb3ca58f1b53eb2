"""The documents index, pure: what a row means, who it is, what its document holds."""
