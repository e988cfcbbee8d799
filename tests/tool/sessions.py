"""`wskemu run --sessions=logind`: the machine's sessions in a driver that runs as a program. The
machine is a D-Bus of the test's own with the stand-in for the login manager of tests/logind."""

import contextlib
import os
import pathlib
import socket
import sys

import support
from support import Run, call, expect, need

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "logind"))
import mirror


@contextlib.contextmanager
def machine(*before):
    """A bus, which is the system's for what is started here, and its login manager."""
    mirror.manager = os.environ.get("TOOL_TEST_LOGIN_MANAGER", "")
    if not mirror.manager:
        support.skip("libsystemd-dev is not installed")
    need("dbus-daemon")
    with mirror.private_bus() as environment, mirror.stand_in(environment, *before) as logind:
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = environment["DBUS_SYSTEM_BUS_ADDRESS"]
        yield logind


def states():
    return {one["id"]: (one["state"], one["where"]) for one in support.status()["sessions"]}


def serves(port):
    """Whether somebody listens."""
    with contextlib.suppress(OSError):
        with socket.create_connection(("127.0.0.1", port), support.SECONDS) as connection:
            return connection.recv(100).decode()
    return ""


def test_driver_sees_the_machines_users():
    """A user who was there before the driver, one who comes, one who goes; the service follows."""
    name = support.build("session_listener")
    port = support.free_port()
    with machine("add 2 user 1 0") as logind:
        with Run(name, "--param", f"Port={port}", "--sessions=logind", "--trace",
                 "t.trace") as run:
            run.wait_for_answer()
            run.wait_until(lambda: states() == {2: ("LoggedOn", "local")})
            logind.say("add 7 user 1 1")
            run.wait_until(lambda: states().get(7) == ("LoggedOn", "remote"))
            run.wait_for("listens on port")
            run.wait_until(lambda: serves(port).startswith("users: "))
            logind.say("set 7 closing")
            logind.say("remove 7")
            logind.say("set 2 closing")
            run.wait_for("session_listener: closed")
            run.wait_until(lambda: states() == {2: ("LoggedOff", "local")})
            logind.say("remove 2")
            run.wait_until(lambda: states() == {})
            expect(run.stop(), "unloaded")
    text = call("trace", "t.trace")
    expect(text, "session         logon session 7", "session         terminate session 2")


def test_without_a_manager_the_run_says_why():
    """A driver that was to see the machine's users does not run without them."""
    name = support.build("heartbeat")
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nowhere/bus"
    text = call("run", name, "--sessions=logind", "--for", "5", status=3)
    expect(text, "cannot show the sessions of logind: STATUS_")


support.main(globals())
