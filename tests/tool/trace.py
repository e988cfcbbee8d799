"""Traces: every form, all bytes, and after the process was killed."""

import json
import os
import random
import re
import socket
import subprocess

import support
from support import Run, call, expect, need


def record(data, *options):
    """An echo of data, recorded in t.trace; the port."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace", *options) as run:
        run.wait_for("listens on port")
        support.echo(port, data)
        run.stop()
    return port


def tshark(*words):
    done = subprocess.run(["tshark", "-r", "t.pcapng", *words], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, timeout=support.SECONDS, check=True)
    return done.stdout


def stream_bytes(port, is_to_port):
    direction = f"tcp.dstport == {port}" if is_to_port else f"tcp.srcport == {port}"
    fields = tshark("-Y", direction, "-T", "fields", "-e", "tcp.payload")
    return bytes.fromhex(fields.replace("\n", "").replace(":", ""))


def test_capture_has_the_bytes():
    """The streams that tshark puts together are what was sent."""
    need("tshark")
    data = random.Random(1).randbytes(300000)
    port = record(data, "--payload")
    call("trace", "t.trace", "-o", "t.pcapng")
    assert stream_bytes(port, True) == data
    assert stream_bytes(port, False) == data
    comments = tshark("-Y", "tcp.len > 0", "-T", "fields", "-e", "frame.comment")
    expect(comments, "IRP ", "of WskReceive, ConnectionReceive at echo.c:", "of WskSend")
    wrong = tshark("-o", "tcp.check_checksum:TRUE", "-Y",
                   "tcp.checksum.status == 0 || tcp.analysis.lost_segment || _ws.malformed")
    assert wrong == "", wrong


def test_capture_without_bytes_has_lengths():
    need("tshark")
    record(b"x" * 1000)
    call("trace", "t.trace", "-o", "t.pcapng")
    lengths = tshark("-Y", "tcp.len > 0", "-T", "fields", "-e", "tcp.len").split()
    assert sum(map(int, lengths)) == 2000, lengths


def test_text_has_fixed_columns():
    record(b"hello")
    lines = call("trace", "t.trace").splitlines()
    form = re.compile(r" *\d+\.\d{9} +\d+ +(-|\d+) [A-Z]+ +[a-z-]+ ")
    assert all(form.match(line) for line in lines if not line.startswith("#")), lines
    times = [float(line.split()[0]) for line in lines if not line.startswith("#")]
    assert times == sorted(times)
    expect("\n".join(lines), "print           tcp_echo: listens", "driver-unload   echo",
           "call            WskSend")
    assert "did not end" not in lines[-1]


def test_chrome_json():
    """Slices nest on every track, spans and arrows have both ends, IRQLs are counters."""
    record(b"hello", "--trace-level", "all")
    call("trace", "t.trace", "-o", "t.json")
    events = json.load(open("t.json"))["traceEvents"]
    depth = {}
    for event in events:
        track = event["pid"], event.get("tid")
        if event["ph"] == "B":
            depth.setdefault(track, []).append(event["name"])
        elif event["ph"] == "E":
            assert depth[track].pop() == event["name"], event
    assert not any(depth.values()), depth
    for begin, end in (("b", "e"), ("s", "f")):
        begins = {(one["cat"], one["id"]) for one in events if one["ph"] == begin}
        ends = {(one["cat"], one["id"]) for one in events if one["ph"] == end}
        kinds = {"irp"} if begin == "b" else {"irp", "dpc", "wake"}
        assert kinds <= {category for category, _ in begins & ends}, (begins, ends)
    levels = {one["args"]["irql"] for one in events if one["ph"] == "C"}
    assert {0, 2} <= levels, levels


def test_killed_run_can_be_read():
    """Every event up to the kill is there, with the names of call sites."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace", "--payload") as run:
        run.wait_for("listens on port")
        for _ in range(50):
            support.echo(port, b"still here")
        run.wait_until(lambda: "echo.c:" in call("trace", "t.trace"))  # named a moment later
        run.kill()
    text = call("trace", "t.trace")
    accepted = text.count("socket-accept")
    assert accepted == 50, accepted
    sends = len(re.findall(r" send +socket \d+ IRP \d+ 10 bytes", text))
    assert sends == 50, sends
    expect(text, "did not end the trace")
    for output in ("t.json", "t.html", "t.pcapng"):
        call("trace", "t.trace", "-o", output)
    assert open("t.pcapng", "rb").read().count(b"still here") == 100


def test_datagrams():
    need("tshark")
    name = support.build("udp_echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace", "--payload") as run:
        run.wait_for("port")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(support.SECONDS)
            client.sendto(b"datagram", ("127.0.0.1", port))
            assert client.recv(100) == b"datagram"
        run.stop()
    call("trace", "t.trace", "-o", "t.pcapng")
    payloads = tshark("-T", "fields", "-e", "udp.payload").split()
    assert [bytes.fromhex(one) for one in payloads] == [b"datagram"] * 2, payloads


def test_page_in_a_browser():
    """A headless browser shows it; the picture is kept."""
    need("chromium")
    record(b"hello" * 100, "--trace-level", "all")
    call("trace", "t.trace", "-o", "t.html")
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               f"--user-data-dir={support.folder}/profile", "--virtual-time-budget=5000"]
    page = f"file://{support.folder}/t.html"
    done = subprocess.run([*browser, "--dump-dom", page], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, timeout=support.SECONDS, check=True)
    ready = re.search(r'data-ready="(\d+)"', done.stdout)
    assert ready and int(ready[1]) > 50, done.stdout[-2000:]
    expect(done.stdout, "wskemu trace of echo", "<td>WskSend")
    subprocess.run([*browser, "--window-size=1400,900", "--screenshot=page.png", page],
                   stderr=subprocess.DEVNULL, timeout=support.SECONDS, check=True)
    assert os.path.getsize("page.png") > 20000
    print(f"the picture is {support.folder}/page.png")


def test_no_trace_is_refused():
    open("no.trace", "w").write("hello")
    expect(call("trace", "no.trace", status=1), "is no trace")
    expect(call("trace", "absent.trace", status=1), "cannot read")


support.main(globals())
