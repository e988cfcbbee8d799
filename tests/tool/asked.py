"""Questions to a running driver: controls and sessions."""

import re
import signal
import subprocess

import support
from support import Run, call, expect


def codes():
    """The codes of examples/ioctl, from its header."""
    text = (support.source / "examples" / "ioctl" / "ioctl_codes.h").read_text()
    found = re.findall(r"#define (\w+)\s+\\?\s*CTL_CODE\(([^)]*)\)", text)
    assert found, text
    methods = {"METHOD_BUFFERED": 0, "METHOD_IN_DIRECT": 1, "METHOD_OUT_DIRECT": 2,
               "METHOD_NEITHER": 3}
    accesses = {"FILE_ANY_ACCESS": 0, "FILE_READ_DATA": 1, "FILE_WRITE_DATA": 2,
                "FILE_READ_ACCESS": 1, "FILE_WRITE_ACCESS": 2}
    values = {}
    for name, words in found:
        device, function, method, access = [word.strip() for word in words.split(",")]
        values[name] = (int(device, 0) << 16 | accesses[access] << 14 | int(function, 0) << 2 |
                        methods[method])
    return values


def test_control():
    code = codes()
    with Run(support.build("ioctl"), "--verbose", "--trace", "t.trace") as run:
        run.wait_for("loaded")
        text = call("ioctl", "IoctlExample", code["IOCTL_EXAMPLE_REVERSE"], "--in", "61 62 63",
                    "--out", 3)
        expect(text, "STATUS_SUCCESS", "63 62 61")
        expect(call("ioctl", "IoctlExample", "0x12345678", status=1),
               "STATUS_INVALID_DEVICE_REQUEST")
        expect(call("ioctl", "Nothing", "0", status=1), "cannot open the device Nothing")
        run.stop()
    text = call("trace", "t.trace")
    thread = re.search(r"\d +(\d+) +- PASSIVE +thread +wskemu ioctl\n", text)
    assert thread, text
    assert re.search(rf"\d +{thread[1]} +- PASSIVE +callback .* at ioctl\.c:", text), text


def test_control_that_waits_is_seen_and_cancelled():
    code = codes()
    with Run(support.build("ioctl"), "--verbose") as run:
        run.wait_for("loaded")
        command = [support.wskemu, "ioctl", "IoctlExample", str(code["IOCTL_EXAMPLE_WAIT"]),
                   "--out", "4"]
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        run.wait_until(lambda: support.status()["irps"])
        waiting.send_signal(signal.SIGINT)
        waiting.communicate()
        run.wait_until(lambda: not support.status()["irps"])
        again = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True)
        run.wait_until(lambda: support.status()["irps"])
        run.stop()  # cancels what is asked
        again.communicate(timeout=support.SECONDS)


def test_sessions():
    with Run(support.build("heartbeat")) as run:
        run.wait_for_answer()
        for event in ("create", "connect", "logon"):
            call("session", event, 3)
        known = support.status()["sessions"]
        assert known == [{"id": 3, "state": "LoggedOn", "where": "local"}], known
        expect(call("session", "create", 3, status=1), "STATUS_")
        expect(call("session", "logon", 9, status=1), "STATUS_NOT_FOUND")
        call("session", "terminate", 3)
        run.stop()


def test_one_of_several():
    name = support.build("heartbeat")
    with Run(name) as first, Run(name) as second:
        for run in (first, second):
            run.wait_for_answer()
        text = call("status", status=5)
        expect(text, "2 drivers run", str(first.process.pid), str(second.process.pid))
        expect(call("status", "--process", first.process.pid), "name=heartbeat")
        second.kill()
        expect(call("status"), "name=heartbeat")  # what the killed one left does not count
        first.stop()


def test_nobody_runs():
    expect(call("status", status=5), "no driver runs")


support.main(globals())
