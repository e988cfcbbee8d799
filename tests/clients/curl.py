"""curl against http_server, directly and through relay."""

import concurrent.futures

import support
from support import Driver, client, expect_same, some_bytes

PAGE = b"<html><body>Hello from a driver.</body></html>\n"
LARGE = bytes((i * 2654435761 & 0xFFFFFFFF) >> 24 for i in range(4 * 1024 * 1024))


def curl(*arguments, given=None):
    return client("curl", "--silent", "--show-error", "--fail", "--max-time", "30", *arguments,
                  given=given)


def url(port, path="/", host="127.0.0.1"):
    return f"http://{host}:{port}{path}"


def test_page():
    with Driver("http_server") as server:
        expect_same(curl(url(server.port)), PAGE)


def test_ipv6():
    with Driver("http_server") as server:
        expect_same(curl(url(server.port, host="[::1]")), PAGE)


def test_http_1_0():
    with Driver("http_server") as server:
        expect_same(curl("--http1.0", url(server.port)), PAGE)


def test_large():
    with Driver("http_server") as server:
        expect_same(curl(url(server.port, "/large")), LARGE)


def test_keep_alive():
    """One connection for all requests."""
    with Driver("http_server") as server:
        got = curl("--write-out", "%{num_connects}\n", *[url(server.port)] * 20)
        expect_same(got, (PAGE + b"1\n") + (PAGE + b"0\n") * 19)


def test_not_found():
    with Driver("http_server") as server:
        got = client("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
                     url(server.port, "/nothing"))
        expect_same(got, b"404")


def test_upload():
    data = some_bytes(8 * 1024 * 1024)
    with Driver("http_server") as server:
        got = curl("--upload-file", "-", "--header", "Expect:", "--header",
                   f"Content-Length: {len(data)}", "--header", "Transfer-Encoding:",
                   url(server.port), given=data)
        expect_same(got, b"%d bytes, sum %d\n" % (len(data), sum(data) & 0xFFFFFFFF))


def test_parallel():
    with Driver("http_server") as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for got in pool.map(curl, [url(server.port, "/large")] * 16):
                expect_same(got, LARGE)


def test_aborted_download():
    """curl goes away in the middle of a body; the server serves the next one."""
    with Driver("http_server") as server:
        for _ in range(5):
            got = client("sh", "-c", f"curl --silent {url(server.port, '/large')} | head -c 100000")
            expect_same(got, LARGE[:100000])
        expect_same(curl(url(server.port)), PAGE)


def test_through_relay():
    with Driver("http_server") as server, Driver("relay", Target=server.port) as relay:
        expect_same(curl(url(relay.port)), PAGE)
        expect_same(curl(url(relay.port, "/large")), LARGE)


def test_relay_without_target():
    with Driver("relay", Target=support.free_port()) as relay:
        got = client("sh", "-c", f"curl --silent {url(relay.port)}; echo $?").split()[-1]
        if got not in (b"7", b"52", b"56"):  # a reset at once, an empty reply, a reset
            raise AssertionError(f"curl ended with {got}")


support.main("curl", globals())
