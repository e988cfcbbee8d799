"""What the tests of the program share: running it, and waiting for what it prints.

A test file defines functions test_NAME() and ends with support.main(). It is called with the path
of wskemu, the source tree, a folder to work in, and the name of a test. Each test has a folder of
its own, which also holds the program's cache and sockets; it stays, for a look."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

SKIPPED = 77
SECONDS = 90

wskemu = None
source = None
folder = None


def skip(reason):
    print(f"SKIPPED: {reason}", flush=True)
    sys.exit(SKIPPED)


def need(program):
    if shutil.which(program) is None:
        skip(f"{program} is not installed")


def call(*words, status=0, given=None, text=True):
    """Runs wskemu; what it printed on both streams."""
    done = subprocess.run([wskemu, *map(str, words)], stdout=subprocess.PIPE, input=given,
                          stderr=subprocess.STDOUT, timeout=SECONDS, text=text, check=False)
    if done.returncode != status:
        raise AssertionError(f"wskemu {words} ended with {done.returncode}, not {status}:\n"
                             f"{done.stdout}")
    return done.stdout


def expect(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"{part!r} is not in:\n{text}")


class Run:
    """`wskemu run ...` until the block ends, or stop() or kill()."""

    def __init__(self, *words, status=0):
        self.status = status
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen([wskemu, "run", *map(str, words)], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
        with self.changed:
            self.lines.append("")
            self.changed.notify_all()

    def text(self):
        return "".join(self.lines)

    def wait_for(self, part):
        """Until the program printed that; the whole text."""
        with self.changed:
            is_there = self.changed.wait_for(
                lambda: part in self.text() or "" in self.lines, SECONDS)
        if not is_there or part not in self.text():
            self.process.kill()
            raise AssertionError(f"{part!r} did not come:\n{self.text()}")
        return self.text()

    def wait_for_answer(self):
        """Until it can be asked, which may be before its drivers are loaded."""
        self.wait_until(lambda: subprocess.run(
            [wskemu, "status", "-p", str(self.process.pid)], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False).returncode == 0)

    def wait_until(self, condition):
        begin = time.monotonic()
        while not condition():
            if self.process.poll() is not None or time.monotonic() - begin > SECONDS:
                raise AssertionError(f"it never came; the run printed:\n{self.text()}")

    def end(self):
        """Waits for the end; what was printed."""
        status = self.process.wait(SECONDS)
        self.reader.join()
        if status != self.status:
            raise AssertionError(f"run ended with {status}, not {self.status}:\n{self.text()}")
        return self.text()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def kill(self):
        self.status = -signal.SIGKILL
        self.process.kill()
        return self.end()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                self.process.kill()
                self.process.wait()
                self.reader.join()
                print(self.text())


def build(example, name=None):
    """Builds a driver of examples/ or of this folder into the test's folder; its name."""
    name = name or example
    path = source / "examples" / example / f"{example}.c"
    if not path.exists():
        path = source / "tests" / "tool" / "drivers" / f"{example}.c"
    shutil.copy(path, f"{name}.c")
    for header in path.parent.glob("*.h"):
        shutil.copy(header, ".")
    call("build", f"{name}.c")
    return name


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def echo(port, data):
    """Sends data to an echo server and takes it back, over one connection that ends gracefully."""
    got = bytearray()
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(data),
                                                  connection.shutdown(socket.SHUT_WR)))
        sender.start()
        while chunk := connection.recv(65536):
            got += chunk
        sender.join()
    if got != data:
        raise AssertionError(f"{len(got)} bytes came back of {len(data)}, or others")


def status():
    return json.loads(call("status", "--json"))


def main(tests):
    global wskemu, source, folder
    name = sys.argv[4]
    wskemu = os.path.abspath(sys.argv[1])
    source = pathlib.Path(sys.argv[2]).resolve()
    folder = pathlib.Path(sys.argv[3]).resolve() / f"{pathlib.Path(sys.argv[0]).stem}.{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    os.environ["PATH"] = os.path.dirname(wskemu) + os.pathsep + os.environ["PATH"]
    runtime = pathlib.Path(f"/tmp/wskemu-test-{os.getpid()}")  # sockets have short names
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        tests["test_" + name]()
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    print(f"{folder.name}: passed")
