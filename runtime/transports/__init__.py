"""Wires between agents: motion instead of pictures."""
