"""Traces: every form, all bytes, and after the process was killed."""

import json
import os
import random
import re
import socket
import subprocess
import threading
import time

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


def chrome_events():
    call("trace", "t.trace", "-o", "t.json")
    return json.load(open("t.json"))["traceEvents"]


def test_chrome_json():
    """Slices nest on every track, spans and arrows have both ends, IRQLs are counters."""
    record(b"hello", "--trace-level", "all")
    events = chrome_events()
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


FIELDS = {  # of the Trace Event Format, by phase: which there must be beside ph, name, pid
    "B": {"tid", "ts", "cat"}, "E": {"tid", "ts"}, "X": {"tid", "ts", "dur", "cat"},
    "i": {"tid", "ts", "s"}, "C": {"ts", "args"}, "M": {"args"},
    "b": {"ts", "cat", "id"}, "n": {"ts", "cat", "id"}, "e": {"ts", "cat", "id"},
    "s": {"tid", "ts", "cat", "id"}, "f": {"tid", "ts", "cat", "id"}}


def check_field(event):
    phase = event["ph"]
    assert phase in FIELDS and FIELDS[phase] | {"name", "pid"} <= set(event), event
    assert isinstance(event["pid"], int) and isinstance(event.get("tid", 0), int), event
    assert isinstance(event["name"], str) and event["name"] != "", event
    assert isinstance(event.get("id", ""), str), event
    if phase != "M":
        assert isinstance(event["ts"], (int, float)) and event["ts"] >= 0, event
    if phase == "X":
        assert event["dur"] > 0, event
    elif phase == "i":
        assert event["s"] in ("g", "p", "t"), event
    elif phase == "C":
        assert all(isinstance(value, int) for value in event["args"].values()), event
    elif phase == "M":
        assert event["name"] in ("process_name", "thread_name"), event
        assert event["args"]["name"] != "", event


def test_chrome_json_has_the_documented_form():
    """Every event has what its phase demands; what comes in pairs does, in the right order; an
    arrow begins and ends in a slice of its track; every track has a name."""
    record(b"hello" * 1000, "--trace-level", "all")
    events = chrome_events()
    spans, arrows, ended = {}, {}, set()
    slices = {}
    for event in events:
        check_field(event)
        if event["ph"] == "X":
            slices.setdefault((event["pid"], event["tid"]), []).append(event)
    named = {(one["pid"], one["tid"]) for one in events if one["ph"] == "M"}
    for event in events:
        phase, key = event["ph"], (event.get("cat"), event.get("id"))
        if phase == "b":
            assert key not in spans, event
            spans[key] = event["name"]
        elif phase == "n":
            assert key in spans, event
        elif phase == "e":
            assert spans.pop(key) == event["name"], event
        elif phase in "sf":
            if phase == "s":
                assert key not in arrows, event
                arrows[key] = event
            else:
                assert event["bp"] == "e" and key not in ended, event
                assert arrows[key]["ts"] <= event["ts"], (arrows[key], event)
                assert arrows[key]["name"] == event["name"], (arrows[key], event)
                ended.add(key)
            around = slices[(event["pid"], event["tid"])]
            assert any(one["ts"] <= event["ts"] <= one["ts"] + one["dur"] for one in around), event
        if phase in "BEXi":
            assert (event["pid"], event["tid"]) in named, event
    assert {"irp", "dpc", "wake"} <= {category for category, _ in ended}, ended


def test_sessions_and_who_asked():
    """A session has a track, its events are seen to call the driver; a thread that acts for a
    question is named by it, and one that only looks is not there."""
    name = support.build("session_listener")
    with Run(name, "--param", f"Port={support.free_port()}", "--trace", "t.trace") as run:
        run.wait_for("waits for a user")
        for event in ("create", "connect", "logon"):
            call("session", event, 3)
        run.wait_for("listens on port")
        call("status")
        call("session", "terminate", 3)
        run.stop()
    text = call("trace", "t.trace")
    steps = re.findall(r" session +(\w+) session 3\n", text)
    assert steps == ["create", "connect", "logon", "terminate"], text
    after = text[text.index("logon session 3"):]
    expect(after, " callback        a session callback SessionChanged at session_listener.c:")
    assert text.count(" thread          wskemu session\n") == 4, text
    assert text.count(" thread-start ") == 5, text  # theirs, and the driver's own
    events = chrome_events()
    of_session = [one for one in events if one.get("cat") == "session"]
    assert [one["ph"] for one in of_session] == ["b", "n", "n", "e"], of_session
    assert {one["name"] for one in of_session} == {"session 3", "connect", "logon"}, of_session
    names = " ".join(one["args"]["name"] for one in events if one["ph"] == "M")
    expect(names, "(wskemu session)", "sessions")
    call("trace", "t.trace", "-o", "t.html")
    expect(open("t.html").read(), '"logon session 3"')


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


def traffic(port, done, wanted=1 << 30, at_once=20000):
    """Sends to an echo server and takes it back, until the connection fails or enough is back;
    done[0] says how much is."""
    block = random.Random(2).randbytes(at_once)
    try:
        with socket.create_connection(("127.0.0.1", port), support.SECONDS) as connection:
            while done[0] < wanted:
                connection.sendall(block)
                left = len(block)
                while left:
                    got = len(connection.recv(left))
                    if got == 0:
                        return
                    left -= got
                    done[0] += got
    except OSError:
        pass  # it was killed


def received(text):
    return sum(map(int, re.findall(r" receive +socket \d+ .*?(\d+) bytes", text)))


def test_killed_amid_traffic():
    """What the client had back when the process was killed is in the trace, byte for byte."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    done = [0]
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace", "--payload") as run:
        run.wait_for("listens on port")
        client = threading.Thread(target=traffic, args=(port, done))
        client.start()
        run.wait_until(lambda: done[0] > 3000000)
        run.kill()
        client.join()
    assert received(call("trace", "t.trace")) >= done[0]
    need("tshark")
    call("trace", "t.trace", "-o", "t.pcapng")
    block = random.Random(2).randbytes(20000)
    got = stream_bytes(port, True)
    assert len(got) >= done[0] and got == (block * (len(got) // 20000 + 1))[:len(got)]


def test_killed_amid_small_messages():
    """The same where only their lengths are recorded, in many parts."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    done = [0]
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace") as run:
        run.wait_for("listens on port")
        client = threading.Thread(target=traffic, args=(port, done, 1 << 30, 100))
        client.start()
        run.wait_until(lambda: done[0] > 300000)
        run.kill()
        client.join()
    text = call("trace", "t.trace")
    assert done[0] <= received(text) <= done[0] + 100, (received(text), done)
    assert os.path.getsize("t.trace") > 1 << 17


def test_time_after_a_pause():
    """A pause is as long in the trace as it was, even if more ticks go by than a record tells."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace") as run:
        run.wait_for("listens on port")
        with socket.create_connection(("127.0.0.1", port), support.SECONDS) as connection:
            began = time.monotonic()
            for pause in (0, 2.5, 0):
                time.sleep(pause)
                connection.sendall(b"x")
                assert connection.recv(1) == b"x"
            took = time.monotonic() - began
        run.stop()
    times = [float(line.split()[0]) for line in call("trace", "t.trace").splitlines()
             if re.search(r" receive +socket ", line)]
    assert len(times) == 3 and 2.49 < times[1] - times[0] < took, (times, took)
    assert times[2] - times[1] < took - 2.49, (times, took)


def test_read_while_it_is_written():
    """Whatever the traffic does meanwhile, the trace has all that was before it was asked for."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    done = [0]
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace", "--payload") as run:
        run.wait_for("listens on port")
        client = threading.Thread(target=traffic, args=(port, done, 8000000))
        client.start()
        while client.is_alive():
            before = done[0]
            text = call("trace", "t.trace")
            assert received(text) >= before, (received(text), before)
            assert " unknown " not in text
        client.join()
        run.stop()
    assert received(call("trace", "t.trace")) == done[0] == 8000000


def test_full_file_says_so():
    """Events for which there is no room are counted, and those before them stay."""
    name = support.build("tcp_echo", "echo")
    port = support.free_port()
    with Run(name, "--param", f"Port={port}", "--trace", "t.trace", "--payload", "--trace-size",
             "1") as run:
        run.wait_for("listens on port")
        support.echo(port, random.Random(3).randbytes(3000000))
        run.stop()
    assert os.path.getsize("t.trace") <= 1 << 20
    text = call("trace", "t.trace")
    assert re.search(r"# \d+ events were lost: the file was full", text), text[-500:]
    assert received(text) > 300000


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
