"""The machine's sessions in a driver: a private D-Bus, a stand-in for the login manager, and
logind_runner, which prints what its driver hears.

Called with logind_runner, logind_manager (empty where it was not built) and a test's name; what is
missing is told, and ends with SKIPPED."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
SECONDS = 20

BUS = """<busconfig>
  <type>custom</type>
  <listen>unix:tmpdir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

runner = ""
manager = ""


class Process:
    """A program that is told and asked line by line, and ends when its input does."""

    def __init__(self, *command, environment=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)

    def read(self):
        return self.process.stdout.readline().rstrip("\n")

    def expect(self, *lines):
        for line in lines:
            got = self.read()
            if got != line:
                raise AssertionError(f"{self.process.args[0]} printed {got!r}, not {line!r}")

    def say(self, line):
        print(line, file=self.process.stdin, flush=True)
        self.expect("done")

    def end(self):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        status = self.process.wait(SECONDS)
        if status != 0:
            raise AssertionError(f"{self.process.args[0]} ended with {status}")
        return rest.splitlines()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def private_bus():
    """A bus; the environment of who uses it as the system's."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bus.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(BUS.format(folder=folder))
        with Process("dbus-daemon", f"--config-file={path}", "--nofork",
                     "--print-address") as daemon:
            environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=daemon.read())
            yield environment


@contextlib.contextmanager
def stand_in(environment, *before):
    """The login manager, with what it knows when it begins."""
    with Process(manager, *before, environment=environment) as logind:
        logind.expect("ready")
        yield logind


@contextlib.contextmanager
def listener(environment, status="0x00000000"):
    with Process(runner, environment=environment) as driver:
        driver.expect(f"mirror {status}")
        yield driver


@contextlib.contextmanager
def everything(*before):
    """The stand-in, which knows all of before, and then a driver that listens."""
    with private_bus() as environment, stand_in(environment, *before) as logind:
        with listener(environment) as driver:
            yield logind, driver


LOCAL_LOGON = ["create 2 Created", "connect 2 Connected local", "logon 2 LoggedOn local"]


def test_a_user_logs_on_and_off():
    with everything() as (logind, driver):
        logind.say("add 2 user 1 0")
        driver.expect(*LOCAL_LOGON)
        logind.say("set 2 closing")
        driver.expect("logoff 2 LoggedOff")
        logind.say("remove 2")
        driver.expect("terminate 2 Terminated")
        assert driver.end() == []


def test_one_that_closes_while_it_is_asked_about_is_never_in_the_background():
    for questions in (1, 2, 3, 4):
        with everything("add 2 user 1 0") as (logind, driver):
            driver.expect(*LOCAL_LOGON)
            logind.say(f"ask 2 {questions}")
            driver.expect("logoff 2 LoggedOff")
            assert driver.end() == []


def test_sessions_that_are_there_come_first():
    with everything("add 2 user 1 0", "add 7 user 1 1") as (_, driver):
        driver.expect(*LOCAL_LOGON)
        driver.expect("create 7 Created", "connect 7 Connected remote", "logon 7 LoggedOn remote")
        assert driver.end() == []


def test_another_user_in_front_disconnects():
    with everything("add 2 user 1 0") as (logind, driver):
        driver.expect(*LOCAL_LOGON)
        logind.say("set 2 online")
        driver.expect("disconnect 2 DisconnectedLoggedOn")
        logind.say("set 2 active")
        driver.expect("connect 2 LoggedOn local")
        logind.say("set 2 online")
        driver.expect("disconnect 2 DisconnectedLoggedOn")
        logind.say("set 2 closing")
        driver.expect("logoff 2 Disconnected")
        logind.say("remove 2")
        driver.expect("terminate 2 Terminated")


def test_a_user_may_begin_in_the_background():
    with everything("add 3 user 0 0") as (logind, driver):
        driver.expect("create 3 Created", "disconnect 3 Disconnected",
                      "logon 3 DisconnectedLoggedOn")
        logind.say("remove 3")
        driver.expect("terminate 3 Terminated")


def test_a_login_screen_has_no_user():
    with everything("add c1 greeter 1 0") as (logind, driver):
        driver.expect("create 65536 Created", "connect 65536 Connected local")
        logind.say("set c1 online")
        driver.expect("disconnect 65536 Disconnected")
        logind.say("add 4 user 1 0")
        driver.expect("create 4 Created", "connect 4 Connected local", "logon 4 LoggedOn local")
        logind.say("remove c1")
        driver.expect("terminate 65536 Terminated")
        assert driver.end() == []


def test_services_are_no_sessions():
    with everything("add 5 background 1 0", "add 6 manager 1 0") as (logind, driver):
        logind.say("add 2 user-early 1 0")
        driver.expect(*LOCAL_LOGON)
        assert driver.end() == []


def test_names_that_are_no_numbers_count_from_above():
    with everything("add c2 user 1 0", "add 70000 user 1 0", "add 0 user 1 0") as (_, driver):
        created = [driver.read() for _ in range(9)]
        assert created[0::3] == [f"create {i} Created" for i in (65536, 65537, 65538)], created


def test_many_changes_at_once_end_right():
    with everything() as (logind, driver):
        for name in range(10, 40):
            logind.say(f"add {name} user 1 1")
        for name in range(10, 40):
            logind.say(f"set {name} closing")
            logind.say(f"remove {name}")
        logind.say("add 2 user 1 0")
        states = {}
        while states.get("2") != "LoggedOn":
            _, name, state, *_ = driver.read().split()
            states[name] = state
        lines = driver.end()
        for line in lines:
            _, name, state, *_ = line.split()
            states[name] = state
        assert set(states.values()) <= {"Terminated", "LoggedOn"}, states


def test_a_manager_that_starts_again_is_asked_again():
    with private_bus() as environment:
        with stand_in(environment, "add 2 user 1 0", "add 3 user 1 1"):
            driver = Process(runner, environment=environment)
            driver.expect("mirror 0x00000000", *LOCAL_LOGON, "create 3 Created",
                          "connect 3 Connected remote", "logon 3 LoggedOn remote")
        with driver, stand_in(environment, "add 2 user 1 0"):
            driver.expect("terminate 3 Terminated")
            assert driver.end() == []


def test_without_a_manager_there_is_no_mirror():
    with private_bus() as environment:
        with listener(environment, "0xC000009D") as driver:
            assert driver.end() == []


def test_without_a_bus_there_is_no_mirror():
    environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nowhere/bus")
    with listener(environment, "0xC000009D") as driver:
        assert driver.end() == []


def test_a_bus_that_ends_leaves_the_sessions():
    with private_bus() as environment, stand_in(environment) as logind:
        logind.say("add 2 user 1 0")
        driver = Process(runner, environment=environment)
        driver.expect("mirror 0x00000000", *LOCAL_LOGON)
    with driver:
        assert driver.end() == []


def real_sessions():
    """Names and classes of the machine's own sessions; None where there is no login manager."""
    if shutil.which("loginctl") is None:
        return None
    listed = subprocess.run(["loginctl", "list-sessions", "--no-legend"], capture_output=True,
                            text=True, timeout=SECONDS, check=False)
    if listed.returncode != 0:
        return None
    return [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]


def test_the_machines_own_manager_answers():
    names = real_sessions()
    if names is None:
        print("SKIPPED: this machine has no login manager that answers", flush=True)
        sys.exit(SKIPPED)
    with listener(dict(os.environ)) as driver:
        created = [line for line in driver.end() if line.startswith("create ")]
        assert len(created) <= len(names), (created, names)


def main():
    global runner, manager
    runner, manager, test = sys.argv[1:]
    if not manager:
        print("SKIPPED: libsystemd-dev is not installed", flush=True)
        sys.exit(SKIPPED)
    if shutil.which("dbus-daemon") is None:
        print("SKIPPED: dbus-daemon is not installed", flush=True)
        sys.exit(SKIPPED)
    globals()["test_" + test]()
    print(f"logind {test}: passed")


if __name__ == "__main__":
    main()
