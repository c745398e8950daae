"""Debian packages for the virtual machine, on hosts that have no mirror of them."""

import pytest
from vm import debian


def test_without_a_mirror_nothing_is_fetched_and_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(debian, "command", lambda *words, **_: "" if "indextargets" in words else pytest.fail(words))
    with pytest.raises(debian.UnavailableError, match=r"apt knows no Debian mirror: name one in /etc/apt"):
        debian.unpack("v4l2loopback-dkms", tmp_path, "bookworm")
