"""Cables that carry, delay, swallow and break."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fastapi_taskflow_testkit.faults import BLACKHOLE, GOOD, RESET, Cable, Proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """In front of a server that says again what it hears."""
    server = socket.create_server(("127.0.0.1", 0))

    def repeat(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # it may be cut, which is the point
            while said := connection.recv(65_536):
                connection.sendall(said)

    def serve() -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = server.accept()
                threading.Thread(target=repeat, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with Proxy(server.getsockname()[1]) as proxy:
        yield proxy
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        yield client


def heard(client: socket.socket, number: int) -> bytes:
    data = b""
    while len(data) < number:
        piece = client.recv(number - len(data))
        if not piece:
            return data
        data += piece
    return data


def test_a_good_cable_carries_everything(client: socket.socket) -> None:
    sent = bytes(range(256)) * 1_000
    threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
    assert heard(client, len(sent)) == sent


def test_a_black_hole_swallows_and_says_nothing(proxy: Proxy, client: socket.socket) -> None:
    proxy.lay(BLACKHOLE)
    client.sendall(b"hello")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(1)
    proxy.lay(GOOD)
    client.sendall(b"again")
    client.settimeout(10)
    assert heard(client, 5) == b"again"


def test_a_cut_resets_who_is_connected(proxy: Proxy, client: socket.socket) -> None:
    client.sendall(b"x")
    assert heard(client, 1) == b"x"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert proxy.connections == 0


def test_a_cable_that_resets_lets_nobody_in_until_there_is_another(proxy: Proxy) -> None:
    proxy.lay(RESET)
    with pytest.raises(ConnectionResetError):  # noqa: SIM117
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.recv(1)
    proxy.lay(GOOD)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        client.sendall(b"y")
        assert heard(client, 1) == b"y"


@pytest.mark.parametrize("bytes_", [1, 7, 400])
def test_a_cable_breaks_after_exactly_so_many_bytes(
    proxy: Proxy, client: socket.socket, bytes_: int
) -> None:
    proxy.lay(Cable(cut_after=bytes_))
    client.sendall(b"z" * 1_000)
    with pytest.raises(ConnectionResetError):
        while client.recv(1_000):
            pass
    assert proxy.connections == 0


def test_a_slow_cable_takes_its_time(proxy: Proxy, client: socket.socket) -> None:
    proxy.lay(Cable(delay=0.05))
    began = time.monotonic()
    client.sendall(b"slow")
    assert heard(client, 4) == b"slow"
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("delivered", [False, True])
def test_a_connection_is_cut_at_a_word_once(delivered: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # noqa: SIM117
        with Proxy(server.getsockname()[1]) as proxy:
            proxy.cut_at(b"COMMIT", delivered=delivered)
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
                connection, _ = server.accept()
                with connection:
                    client.sendall(b"BEGIN")
                    assert heard(connection, 5) == b"BEGIN"
                    client.sendall(b"COMMIT")
                    with pytest.raises(ConnectionResetError):
                        client.recv(1)
                    arrived = b""
                    with suppress(ConnectionResetError):
                        arrived = connection.recv(10)
            assert (arrived, proxy.cuts) == (b"COMMIT" if delivered else b"", 1)


def test_without_a_server_the_client_is_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Proxy(port) as proxy, pytest.raises(ConnectionResetError):
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.recv(1)
