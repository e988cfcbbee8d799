"""The program where `cmake --install` puts it, moved to another folder."""

import os
import pathlib
import subprocess

import support
from support import call, expect


def install():
    build = os.environ["TOOL_TEST_BUILD"]
    subprocess.run(["cmake", "--install", build, "--prefix", "first"], check=True,
                   stdout=subprocess.DEVNULL)
    os.rename("first", "moved")
    return pathlib.Path("moved").resolve()


def test_build_and_run():
    prefix = install()
    support.wskemu = str(prefix / "bin" / "wskemu")
    name = support.build("tcp_echo", "echo")
    project = next(pathlib.Path("cache").rglob("CMakeLists.txt")).read_text()
    expect(project, str(prefix))
    assert str(support.source / "cmake") not in project, project
    with support.Run(name, "--param", f"Port={support.free_port()}") as run:
        run.wait_for("listens on port")
        expect(call("status"), "kind=listener")
        run.stop()


def test_manual_and_completion():
    prefix = install()
    page = (prefix / "share" / "man" / "man1" / "wskemu.1").read_text()
    completion = prefix / "share" / "bash-completion" / "completions" / "wskemu"
    for command in ("build", "run", "status", "ioctl", "session", "trace"):
        options = [word for word in call(command, "--help").split() if word.startswith("--")]
        for option in set(word.strip("[],.") for word in options) - {"--help", "--install"}:
            expect(page.replace("\\-", "-"), option)
            expect(completion.read_text(), option)
    script = (f"source {completion}; COMP_WORDS=(wskemu ru); COMP_CWORD=1; _wskemu; "
              "echo ${COMPREPLY[@]}")
    done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "run", done.stdout


support.main(globals())
