"""What two ends of a call say to each other: messages and parts of portraits."""

import pytest

from runtime.transports.call_control import (
    Bye,
    Hello,
    Offered,
    Parts,
    ProtocolError,
    Ready,
    offered,
    read,
    write,
)


def test_a_message_is_read_as_it_was_written_and_a_later_kind_is_passed_over() -> None:
    hello = Hello("Anna", Offered("0" * 64, 5), False)
    filmed = Hello("Eve", Offered("0" * 64, 5), False, camera=True)
    for message in (hello, filmed, Hello("Ben", None, False), Ready(), Bye("dinner")):
        assert read(write(message)) == message
    assert read('{"type": "sticker"}') is None
    told = read(write(Hello("A\x1b[31m\nn" + "n" * 100, Offered("0" * 64, 5), True)))
    assert isinstance(told, Hello) and told.name == "A[31mn" + "n" * 34


def test_parts_make_a_portrait() -> None:
    parts = Parts(offered(b"portrait"))
    assert parts.take(b"port") is None
    assert parts.take(b"rait") == b"portrait"
    with pytest.raises(ProtocolError, match="larger"):
        Parts(offered(b"x")).take(b"")
