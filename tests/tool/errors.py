"""What a person does wrong, and what the program says; how a run ends."""

import shutil
import socket
import subprocess

import support
from support import Run, call, expect


def write(name, text):
    with open(name, "w") as file:
        file.write(text)


ENTRY = """#include <ntddk.h>
static DRIVER_UNLOAD Unload;
static VOID Unload(PDRIVER_OBJECT Driver) { %s }
DRIVER_INITIALIZE DriverEntry;
NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    Driver->DriverUnload = Unload;
    UNREFERENCED_PARAMETER(Path);
    %s
}
"""


def build_of(name, entry, unload="UNREFERENCED_PARAMETER(Driver);"):
    write(f"{name}.c", ENTRY % (unload, entry))
    call("build", f"{name}.c")
    return name


def test_usage():
    expect(call(status=2), "usage: wskemu COMMAND")
    expect(call("--help"), "usage: wskemu COMMAND", "trace")
    expect(call("--version"), "wskemu ")
    expect(call("bild", status=2), "no command named bild")
    for command in ("build", "run", "status", "ioctl", "session", "trace"):
        expect(call(command, "--help"), f"usage: wskemu {command}", "--help")
        expect(call(command, "--nonsense", status=2), "unknown option --nonsense",
               f"wskemu {command} --help")
    expect(call("run", "--parm", "a=b", status=2), "did you mean --param")
    expect(call("run", "x", "--for", "soon", status=2), "no number of seconds")
    expect(call("run", "x", "--param", "novalue", status=2), "NAME=VALUE")
    expect(call("run", "x", "--for", status=2), "needs an argument")
    expect(call("ioctl", "Echo", "x", status=2), "is no number")
    expect(call("ioctl", "Echo", "1", "--in", "0g", status=2), "no hex digit")
    expect(call("session", "sing", "1", status=2), "no event named sing")
    expect(call("trace", "-f", "gif", "x", status=2), "no format named gif")


def test_no_driver_there():
    expect(call("run", "echo", status=3), "no driver echo", "wskemu build")


def test_not_a_driver():
    write("echo.c", "int x;")
    expect(call("run", "echo.c", status=3), "is no driver", "wskemu build")
    with open("driver.sys", "wb") as file:
        file.write(b"MZ" + bytes(100))
    expect(call("run", "driver.sys", status=3), "binary for Windows")
    compiler = shutil.which("gcc") or shutil.which("clang")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "plain.so", "echo.c"], check=True)
    expect(call("run", "plain", status=3), "has no DriverEntry")


def test_other_architecture():
    with open("arm.so", "wb") as file:
        file.write(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(100))
    expect(call("run", "arm", status=3), "is for 64-bit ARM", "x86-64")


def test_source_without_entry():
    write("empty.c", "#include <ntddk.h>\n")
    expect(call("build", "empty.c", status=1), "has no DriverEntry")


def test_source_with_a_mistake():
    write("wrong.c", "#include <ntddk.h>\nint f(void) { return undeclared_name; }\n")
    text = call("build", "wrong.c", status=1)
    expect(text, "wrong.c:2", "undeclared_name", "was not built")
    assert "ninja" not in text and "CMake" not in text, text
    expect(call("build", "absent.c", status=1), "there is no file absent.c")
    expect(call("build", "wrong.txt", status=2), "is no C or C++ source")
    expect(call("build", "wrong.c", "-c", "nocc", status=1), "there is no compiler nocc")


def test_missing_kernel_function():
    name = build_of("missing", """
    extern void KeNobodyHasThis(void);
    KeNobodyHasThis();
    return STATUS_SUCCESS;""")
    expect(call("run", name, status=3), "needs KeNobodyHasThis")


def test_large_frame():
    write("large.c", ENTRY % ("UNREFERENCED_PARAMETER(Driver);", """
    UCHAR bytes[65536];
    RtlFillMemory(bytes, sizeof(bytes), 1);
    return bytes[7] == 1 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;"""))
    expect(call("build", "large.c"), "large.c:", "frame size")


def test_undeclared_function():
    write("forgetful.c", "#include <ntddk.h>\nint f(void) { return KeNobodyDeclaresThis(); }\n")
    expect(call("build", "forgetful.c", status=1), "forgetful.c:2", "KeNobodyDeclaresThis")


def test_refused_entry():
    name = build_of("refuses", "return STATUS_DEVICE_NOT_READY;")
    expect(call("run", name, status=3), "did not load", "STATUS_DEVICE_NOT_READY")


def test_port_taken():
    name = support.build("tcp_echo", "echo")
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        text = call("run", name, "--param", f"Port={port}", status=3)
    expect(text, f"cannot bind to 0.0.0.0:{port}", "STATUS_ADDRESS_ALREADY_EXISTS",
           "taken by another program")


def test_things_left_behind():
    name = build_of("leaks", """
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 'kaeL') != NULL ? STATUS_SUCCESS
                                                                    : STATUS_NO_MEMORY;""")
    text = call("run", name, "--for", "0.1", status=4)
    expect(text, "left", "Leak", "leaks.c")


def test_bug_check():
    name = build_of("breaks", "KeBugCheckEx(0xE2, 1, 2, 3, 4); return STATUS_SUCCESS;")
    text = call("run", name, "--trace", "t.trace", status=70)
    expect(text, "*** STOP: 0x000000E2")
    expect(call("trace", "t.trace"), "bugcheck", "0x000000E2", "DriverEntry at breaks.c")


def test_parameters():
    """Each type comes to the driver as it was given."""
    name = support.build("parameters")
    text = call("run", name, "--for", "0.1", "-p", "Number=7", "-p", "Wide=qword:5000000000", "-p",
                "Text=sz:7 dwarfs", "-p", "Bytes=binary:0a0b", "-p", "List=multi_sz:a,b")
    expect(text, "Number type 4 length 4: 7", "Wide type 11 length 8: 5000000000",
           "Text type 1: 7 dwarfs", "Bytes type 3 length 2", "List type 7 length 10")


def test_trace_that_cannot_be_written():
    name = build_of("calm", "return STATUS_SUCCESS;")
    expect(call("run", name, "--trace", "/nonexistent/t.trace", status=1), "cannot write the trace")


support.main(globals())
