"""Errors that a person meets: one line that names the cause and the remedy, and an exit code."""


class AgentError(Exception):
    """Something failed while running. The message is one line for the user; exit code 1."""

    exit_code = 1


class InputError(AgentError):
    """Wrong usage or input (file, device, option). The message says how to mend it; exit code 2."""

    exit_code = 2
