"""What can go wrong with the embedded stack, told to a person."""


class StackError(Exception):
    """Say in one sentence what is wrong with the embedded stack and what to do."""
