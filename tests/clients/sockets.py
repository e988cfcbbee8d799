"""The host's own sockets, in Python, against the echo drivers: a client that is always there."""

import socket
import sys
import threading

import support
from support import Driver, expect_same, some_bytes

SECONDS = 30
STREAM_BYTES = 1024 * 1024


def echo_stream(port, data):
    """Sends on one thread while it receives on this one, so that neither direction blocks."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        sender = threading.Thread(target=send_all, args=(connection, data))
        sender.start()
        got = b"".join(iter(lambda: connection.recv(65536), b""))
        sender.join(SECONDS)
    expect_same(got, data)


def send_all(connection, data):
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def echo_datagrams(port):
    """Each datagram is sent when the one before is back: none is lost on the way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", port))
        for length in [1, 100, 1400, 1000, 4000] * 20:
            data = some_bytes(length, seed=length)
            client.send(data)
            expect_same(client.recv(65536), data)


def test_tcp_echo():
    with Driver("tcp_echo") as echo:
        echo_stream(echo.port, b"")
        echo_stream(echo.port, some_bytes(STREAM_BYTES))


def test_event_echo():
    with Driver("event_echo") as echo:
        echo_stream(echo.port, some_bytes(STREAM_BYTES))


def test_udp_echo():
    with Driver("udp_echo") as echo:
        echo_datagrams(echo.port)


def test_udp_echo_event():
    with Driver("udp_echo_event") as echo:
        echo_datagrams(echo.port)


support.main(sys.executable, globals())
