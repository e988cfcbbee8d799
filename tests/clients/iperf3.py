"""iperf3 through relay: its server behind, its client in front."""

import json
import subprocess

import support
from support import Driver, client

BYTES = 64 * 1024 * 1024


class Server:
    """iperf3's server for one test."""

    def __enter__(self):
        self.port = support.free_port()
        self.process = subprocess.Popen(
            ["iperf3", "--server", "--one-off", "--bind", "127.0.0.1", "--port", str(self.port),
             "--forceflush"], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith("Server listening"):
                return self
        raise AssertionError("iperf3's server did not start")

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.process.kill()
        self.process.communicate(timeout=support.CLIENT_SECONDS)


def measure(*arguments):
    with Server() as server, Driver("relay", Target=server.port) as relay:
        text = client("iperf3", "--client", "127.0.0.1", "--port", relay.port, "--json",
                      "--bytes", BYTES, *arguments)
    end = json.loads(text)["end"]
    sent, received = end["sum_sent"]["bytes"], end["sum_received"]["bytes"]
    # iperf3 stops both counts when one of its ends is through, whatever is still on its way, and
    # on a busy machine that is much: what arrives whole is for the tests of curl, socat and nc.
    if not 0 < received <= sent:
        raise AssertionError(f"{sent} bytes were sent, {received} received")
    print(f"{end['sum_received']['bits_per_second'] / 8e6:.0f} megabytes a second")


def test_upload():
    measure()


def test_download():
    measure("--reverse")


def test_parallel():
    measure("--parallel", "4")


def test_both_ways():
    measure("--bidir")


support.main("iperf3", globals())
