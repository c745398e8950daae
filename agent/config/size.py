"""Sizes as they are typed."""

from models.errors import InputError

_MAX_SIDE = 2160


def parse_size(text: str) -> tuple[int, int]:
    """ "512" -> (512, 512), "1280x720" -> (1280, 720).

    Raises:
        InputError: not numbers, odd, or outside 64..2160.
    """
    parts = text.lower().split("x")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or any(n % 2 or not 64 <= n <= _MAX_SIDE for n in numbers):
        raise InputError(f"--size {text}: give an even number from 64 to {_MAX_SIDE}, or two as in 1280x720")
    return numbers[0], numbers[-1]
