"""Drivers that do not let the program end: it ends all the same, and says which routine of the
driver keeps it."""

import os
import signal
import subprocess

import support
from support import Run, build, expect

ENDLESS_ENTRY, ENDLESS_DPC, ENDLESS_THREAD, PENDS, NOT_COMPLETED, WORK, TERMINATES = range(1, 8)

# The machine may be loaded, but nothing is to happen in this time anyway.
os.environ["WSKEMU_HANG_MS"] = "300"


def tells_what_runs():
    """ThreadSanitizer holds signals back until the thread calls something of the host's."""
    return "-fsanitize=thread" not in os.environ.get("CFLAGS", "")


def run(act, *options, status):
    return Run(build("stuck"), "-v", "-p", f"Act={act}", *options, status=status)


def ask(process):
    """Begins a control that the driver keeps."""
    return subprocess.Popen([support.wskemu, "ioctl", "-p", str(process.process.pid), "Stuck",
                             "0x222004"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)


def gone(asker):
    text, _ = asker.communicate(timeout=support.SECONDS)
    expect(text, "before it answered")
    if asker.returncode != 1:
        raise AssertionError(f"ioctl ended with {asker.returncode}:\n{text}")


def test_second_signal_ends_a_stuck_unload():
    """Nothing hangs, for the thread sleeps and sleeps; a first signal begins the unload."""
    with run(ENDLESS_THREAD, status=130) as process:
        process.wait_for("loaded stuck")
        process.process.send_signal(signal.SIGTERM)
        process.wait_for("A second Ctrl-C ends it")
        process.process.send_signal(signal.SIGINT)
        text = process.end()
    expect(text, "ended by a second signal")
    if tells_what_runs():
        expect(text.split("ended by a second signal")[1], "the unload routine (Unload at ",
               "KeWaitForSingleObject at ", "a system thread (SleepForEver at ", "stuck.c:")


def test_time_ends_a_stuck_unload():
    with run(ENDLESS_THREAD, "--for", "0.1", status=6) as process:
        text = process.end()
    expect(text, "the time of --for is over",
           *["the unload routine (Unload at "] * tells_what_runs())


def test_time_ends_an_endless_entry():
    with run(ENDLESS_ENTRY, "--for", "0.1", status=6) as process:
        text = process.end()
    expect(text, "the time of --for is over")
    if tells_what_runs():
        expect(text, "DriverEntry (DriverEntry at ", "runs at IRQL 0", "Compute at ", "stuck.c:")


def test_signals_end_an_endless_entry():
    with run(ENDLESS_ENTRY, status=130) as process:
        process.wait_for("stuck: computes")
        process.process.send_signal(signal.SIGINT)
        process.wait_for("A second Ctrl-C ends it")
        process.process.send_signal(signal.SIGINT)
        text = process.end()
    expect(text, "ended by a second signal", *["Compute at "] * tells_what_runs())


def test_endless_dpc_is_stopped():
    if not tells_what_runs():
        support.skip("nobody can be asked")
    with run(ENDLESS_DPC, status=70) as process:
        expect(process.end(), "Rule DPC-14", "ComputeAtDispatch at ", "stuck.c:")


def test_shutdown_names_the_irp_it_waits_for():
    with run(PENDS, status=70) as process:
        process.wait_for("loaded stuck")
        asker = ask(process)
        process.wait_for("stuck: has the IRP")
        process.process.send_signal(signal.SIGINT)
        text = process.end()
    expect(text, "inside the shutdown of ", "was pended by Control at ", "Rule CANCEL-22",
           "stuck.c:", "pending: IRP")
    gone(asker)


def test_ioctl_says_that_the_driver_is_gone():
    with run(NOT_COMPLETED, status=70) as process:
        process.wait_for("loaded stuck")
        gone(ask(process))
        process.end()


def test_work_routine_at_unload():
    os.environ["WSKEMU_HANG_MS"] = "10000"  # more than the grace of work routines
    with run(WORK, "--for", "0.1", status=70) as process:
        expect(process.end(), "WORK-25", "its work routine SleepLong at ", "stuck.c:")


def test_terminate_in_entry():
    with run(TERMINATES, status=70) as process:
        expect(process.end(), "Rule THREAD-12", "in DriverEntry", "stuck.c:")


support.main(globals())
