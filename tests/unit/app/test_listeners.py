"""Addresses that cannot be had."""

import socket

import pytest

from demurrage.app.listeners import bind
from demurrage.app.settings_types import Address
from demurrage.model.error import SettingsError


def test_a_taken_port_is_told_once_with_its_setting() -> None:
    """One line names the setting, the address and the reason, each a single time."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            bind(Address("127.0.0.1", port), "http.bind")
    line = str(caught.value)
    assert line.startswith(f"http.bind: 127.0.0.1:{port} ")
    assert line.count("127.0.0.1") == line.count("in use") == 1
