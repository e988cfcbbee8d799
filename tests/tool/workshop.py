"""The way of docs/workshop.md, command by command as the page has them."""

import json
import re
import shutil
import signal
import subprocess

import support
from support import Run, call, expect, need


def commands():
    """Every command of the page, with a free port for the page's."""
    page = (support.source / "docs" / "workshop.md").read_text()
    port = support.free_port()
    blocks = re.findall(r"```console\n(.*?)```", page, re.S)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    assert len(lines) > 10, lines
    return [line.replace("7777", str(port)).replace("examples/", f"{support.source}/examples/")
            for line in lines]


def shell(line):
    done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=support.SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{line} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def test_page():
    """Walks it; stays connected while `status` is asked."""
    need("nc")
    printed = {}
    run = None
    for line in commands():
        if line.startswith("wskemu run"):
            run = Run(*line.split()[2:])
            run.wait_for("listens on port")
        elif line.startswith("wskemu trace") and run.process.poll() is None:
            text = run.stop()
            expect(text, "unloaded")
            printed[line] = shell(line)
        else:
            printed[line] = shell(line)
    texts = {line.split("#")[0].strip(): text for line, text in printed.items()}
    expect(next(text for line, text in texts.items() if "nc " in line), "hello, kernel")
    expect(texts["wskemu status"], "kind=listener", "state=listening", "irps:", "pool:")
    json.loads(texts["wskemu status --json"])
    expect(texts["wskemu trace echo.trace"], "WskReceive", "echo.c:")
    json.load(open("echo.json"))
    expect(open("echo.html").read(), "<canvas", "WskSend")
    assert open("echo.pcapng", "rb").read(4) == b"\x0a\x0d\x0d\x0a"


def test_path_by_hand():
    """A client is connected while the driver is asked; the exit is clean."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}", "--verbose", "--trace", "t.trace") as run:
        run.wait_for("listens on port")
        client = subprocess.Popen(["nc", "127.0.0.1", str(port)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) if shutil.which("nc") else None
        if client is None:
            support.skip("nc is not installed")
        client.stdin.write(b"hello\n")
        client.stdin.flush()
        assert client.stdout.readline() == b"hello\n"
        known = support.status()
        connection = [one for one in known["sockets"] if one["kind"] == "connection"][0]
        assert connection["state"] == "connected" and connection["bytes_in"] == 6, connection
        assert connection["local"].endswith(f":{port}"), connection
        pending = [one for one in known["irps"] if one["call"] == "WskReceive"]
        assert len(pending) == 1 and "echo.c:" in pending[0]["site"], known["irps"]
        assert 0 <= pending[0]["seconds"] < support.SECONDS
        assert any(one["blocks"] > 0 for one in known["pool"]), known["pool"]
        text = run.stop()
        client.kill()
        client.communicate()
    expect(text, "accepted", "unloaded", "nothing was left")
    expect(call("trace", "t.trace"), "socket-accept", "WskSend", "irp-allocate", "dpc-run")


def test_quiet_without_a_terminal():
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}") as run:
        run.wait_for("listens on port")
        support.echo(port, b"hello")
        text = run.stop()
    assert "accepted" not in text and "loaded" not in text.replace("unloaded", ""), text


def test_for_seconds():
    name = support.build("heartbeat")
    run = Run(name, "--for", "0.2")
    run.end()


def test_terminated():
    name = support.build("tcp_echo", "echo")
    run = Run(name, "--param", f"Port={support.free_port()}")
    run.wait_for("listens on port")
    run.process.send_signal(signal.SIGTERM)
    run.end()


support.main(globals())
