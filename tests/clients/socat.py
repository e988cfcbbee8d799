"""socat against the echo drivers."""

import subprocess

import support
from support import Driver, client, expect_same, some_bytes

MEGABYTES = 8


def echo_stream(driver):
    data = some_bytes(MEGABYTES * 1024 * 1024)
    with Driver(driver) as echo:
        for _ in range(2):
            got = client("socat", "-t", "30", "-", f"TCP4:127.0.0.1:{echo.port}", given=data)
            expect_same(got, data)


def echo_datagrams(driver):
    """Each datagram is sent when the one before is back: none is lost on the way."""
    with Driver(driver) as echo:
        command = ["socat", "-b", "65536", "-t", "0.1", "-", f"UDP4:127.0.0.1:{echo.port}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as socat:
            for length in [1, 100, 1400, 1000, 4000] * 20:
                data = some_bytes(length, seed=length)
                socat.stdin.write(data)
                socat.stdin.flush()
                expect_same(socat.stdout.read(length), data)
            socat.stdin.close()
            if socat.wait(support.CLIENT_SECONDS) != 0:
                raise AssertionError("socat failed")


def test_tcp_echo():
    echo_stream("tcp_echo")


def test_event_echo():
    echo_stream("event_echo")


def test_udp_echo():
    echo_datagrams("udp_echo")


def test_udp_echo_event():
    echo_datagrams("udp_echo_event")


def test_through_relay():
    data = some_bytes(MEGABYTES * 1024 * 1024)
    with Driver("tcp_echo") as echo, Driver("relay", Target=echo.port) as relay:
        got = client("socat", "-t", "30", "-", f"TCP4:127.0.0.1:{relay.port}", given=data)
        expect_same(got, data)


support.main("socat", globals())
