"""What the tests of real clients share: a driver in a process of its own, and running a client.

A test file defines functions test_NAME() and ends with support.main(). It is called with the
command that runs clients_runner (its path; Wine's before it, for a Windows program) and the name of
one of them. A missing client is told, and ends with SKIPPED."""

import hashlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys

SKIPPED = 77
CLIENT_SECONDS = 60

runner = None


class Driver:
    """A driver that runs until the block ends. Leaving anything behind fails the test."""

    def __init__(self, name, **parameters):
        self.command = runner + [name] + [f"{key}={value}" for key, value in parameters.items()]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("PORT "):
            raise AssertionError(f"{' '.join(self.command)} printed {line!r}, not its port")
        self.port = int(line.split()[1])
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        status = self.process.wait(CLIENT_SECONDS)
        if status != 0 and kind is None:
            raise AssertionError(f"{' '.join(self.command)} ended with {status}")


def client(*command, given=None):
    """Runs a client, which has to succeed; its output, as bytes."""
    done = subprocess.run([str(word) for word in command], input=given, stdout=subprocess.PIPE,
                          timeout=CLIENT_SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout[-2000:]!r}")
    return done.stdout


def some_bytes(count, seed=1):
    return random.Random(seed).randbytes(count)


def expect_same(got, expected):
    if hashlib.sha256(got).digest() != hashlib.sha256(expected).digest():
        differing = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), None)
        raise AssertionError(f"got {len(got)} bytes, expected {len(expected)}; "
                             f"the first that differs is {differing}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main(program, tests):
    global runner
    runner = [os.path.abspath(word) for word in sys.argv[1:-1]]
    if shutil.which(program) is None:
        print(f"SKIPPED: {program} is not installed", flush=True)
        sys.exit(SKIPPED)
    tests["test_" + sys.argv[-1]]()
    print(f"{pathlib.Path(sys.argv[0]).stem} {sys.argv[-1]}: passed")
