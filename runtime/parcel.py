"""Values between processes, over a pipe. Large arrays travel beside the pickle, which holds up no other thread."""

import pickle
import struct
from collections.abc import Sequence
from io import BufferedReader, BufferedWriter
from typing import Any

import numpy as np

_NUMBER = struct.Struct("<Q")


def send(stream: BufferedWriter, value: object) -> None:
    """Writes a value that can be pickled. Raises OSError when the other end has gone."""
    post(stream, pack(value))


def pack(value: object) -> list[memoryview]:
    """A value as it travels. Raises whatever pickle does of one that it cannot take."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, 5, buffer_callback=buffers.append)
    return [memoryview(head), *(buffer.raw() for buffer in buffers)]


def post(stream: BufferedWriter, parts: Sequence[memoryview]) -> None:
    """Writes what `pack` gave. Raises OSError when the other end has gone."""
    stream.write(_NUMBER.pack(len(parts)))
    for part in parts:
        stream.write(_NUMBER.pack(part.nbytes))
        stream.write(part)
    stream.flush()


def receive(stream: BufferedReader) -> Any:
    """The next value, as `unpack` gives it. Raises EOFError at the end."""
    return unpack(collect(stream))


def collect(stream: BufferedReader) -> list[memoryview]:
    """The next value as it travels. Raises EOFError at the end."""
    return [_part(stream, _number(stream)) for _ in range(_number(stream))]


def unpack(parts: Sequence[memoryview]) -> Any:
    """The value, for which modules may be imported; its arrays may be written to. Only from a process of our own."""
    head, *buffers = parts
    return pickle.loads(head, buffers=buffers)


def _number(stream: BufferedReader) -> int:
    return int(_NUMBER.unpack(_part(stream, _NUMBER.size))[0])


def _part(stream: BufferedReader, size: int) -> memoryview:
    part = np.empty(size, np.uint8).data  # not zeroed, which would take time
    if stream.readinto(part) < size:
        raise EOFError
    return part
