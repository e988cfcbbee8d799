"""netcat (OpenBSD's) against the echo drivers."""

import concurrent.futures
import shutil

import support
from support import Driver, client, expect_same, some_bytes

PROGRAM = "nc.openbsd" if shutil.which("nc.openbsd") else "nc"


def nc(port, data):
    """-N: ends its direction when its input ends."""
    return client(PROGRAM, "-N", "127.0.0.1", port, given=data)


def test_tcp_echo():
    data = some_bytes(4 * 1024 * 1024)
    with Driver("tcp_echo") as echo:
        expect_same(nc(echo.port, data), data)
        expect_same(nc(echo.port, b""), b"")


def test_event_echo():
    data = some_bytes(4 * 1024 * 1024)
    with Driver("event_echo") as echo:
        expect_same(nc(echo.port, data), data)


def test_parallel():
    with Driver("tcp_echo") as echo, concurrent.futures.ThreadPoolExecutor(8) as pool:
        data = [some_bytes(500000 + i, seed=i) for i in range(16)]
        for got, expected in zip(pool.map(nc, [echo.port] * len(data), data), data):
            expect_same(got, expected)


def test_port_is_open():
    with Driver("tcp_echo") as echo:
        for _ in range(10):
            client(PROGRAM, "-z", "127.0.0.1", echo.port)


def test_udp_echo():
    with Driver("udp_echo") as echo:
        got = client(PROGRAM, "-u", "-w", "1", "127.0.0.1", echo.port, given=b"one datagram")
        expect_same(got, b"one datagram")


support.main(PROGRAM, globals())
