/* The test plays the server, and fills the table of names. */
#include <wskemu/cmocka.h>
#include <wskemu/network.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <ntifs.h>

#include <ntstrsafe.h>

#include "http_client_codes.h"

#define PARAMETERS                                                                                 \
    L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\http_client\\Parameters"
#define HOST "www.example.test"
#define BODY_MAX 256
#define FETCHES 8

WSKEMU_USE_DRIVER(http_client);

/* An application's fetch, which pends. Static in each test: one that fails leaves it behind, and it
 * is answered all the same. */
struct fetch {
    HTTP_CLIENT_GET get;
    HANDLE file;
    HANDLE event;
    IO_STATUS_BLOCK block;
    union {
        HTTP_CLIENT_PAGE page;
        UCHAR bytes[FIELD_OFFSET(HTTP_CLIENT_PAGE, Body) + BODY_MAX];
    } out;
};

static struct wskemu_peer *server;
static USHORT port;

static void start_server(void)
{
    SOCKADDR_STORAGE address;
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &server), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(server, &address), STATUS_SUCCESS);
    port = wskemu_port((PSOCKADDR)&address);
    assert_int_equal(wskemu_name_add(HOST, WSKEMU_LOOPBACK(AF_INET, 0)), STATUS_SUCCESS);
}

/* The same, with a driver that loses its patience soon. */
static void start_server_of_hasty_client(void)
{
    ULONG milliseconds = 300;
    assert_int_equal(wskemu_registry_set(PARAMETERS, L"TimeoutMs", REG_DWORD, &milliseconds,
                                         sizeof(milliseconds)),
                     STATUS_SUCCESS);
    start_server();
}

static HANDLE open_device(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\??\\HttpClientExample");
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    HANDLE file = NULL;
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    assert_int_equal(ZwOpenFile(&file, GENERIC_READ | SYNCHRONIZE, &attributes, &block, 0, 0),
                     STATUS_SUCCESS);
    return file;
}

static void ask_for(HTTP_CLIENT_GET *get, PCWSTR host)
{
    RtlZeroMemory(get, sizeof(*get));
    RtlStringCbCopyW(get->Host, sizeof(get->Host), host);
    RtlStringCbPrintfW(get->Port, sizeof(get->Port), L"%u", port);
    RtlStringCbCopyA(get->Path, sizeof(get->Path), "/hello.txt");
}

static void send_fetch(struct fetch *fetch)
{
    fetch->file = open_device();
    assert_int_equal(ZwCreateEvent(&fetch->event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE),
                     STATUS_SUCCESS);
    assert_int_equal(ZwDeviceIoControlFile(fetch->file, fetch->event, NULL, NULL, &fetch->block,
                                           IOCTL_HTTP_CLIENT_GET, &fetch->get, sizeof(fetch->get),
                                           &fetch->out, sizeof(fetch->out)),
                     STATUS_PENDING);
}

static void begin_fetch(struct fetch *fetch, PCWSTR host)
{
    ask_for(&fetch->get, host);
    send_fetch(fetch);
}

static BOOLEAN has_ended(void *context)
{
    const struct fetch *fetch = context;
    LARGE_INTEGER none = {.QuadPart = 0};
    return ZwWaitForSingleObject(fetch->event, FALSE, &none) == STATUS_SUCCESS;
}

static NTSTATUS end_fetch(struct fetch *fetch)
{
    assert_wait_until(has_ended, fetch, 10000);
    ZwClose(fetch->event);
    ZwClose(fetch->file);
    return fetch->block.Status;
}

/* The server's half. */

static struct wskemu_peer *accept_request(void)
{
    static const char request[] = "GET /hello.txt HTTP/1.0\r\nHost: " HOST "\r\n\r\n";
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_accept(server, &peer), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, request, sizeof(request) - 1), STATUS_SUCCESS);
    return peer;
}

static void respond(struct wskemu_peer *peer, const char *response)
{
    assert_int_equal(wskemu_peer_send_all(peer, response, strlen(response)), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_shutdown_send(peer), STATUS_SUCCESS);
}

static void serve(const char *response)
{
    struct wskemu_peer *peer = accept_request();
    respond(peer, response);
    wskemu_peer_expect_end(peer);
    wskemu_peer_close(peer);
}

static void expect_page(const struct fetch *fetch, ULONG code, const char *body)
{
    assert_int_equal(fetch->out.page.StatusCode, code);
    assert_int_equal(fetch->out.page.BodyBytes, strlen(body));
    assert_int_equal(fetch->block.Information, FIELD_OFFSET(HTTP_CLIENT_PAGE, Body) + strlen(body));
    assert_memory_equal(fetch->out.page.Body, body, strlen(body));
}

/* Fetches from a server that gives this response. */
static NTSTATUS fetch_response(struct fetch *fetch, const char *response)
{
    begin_fetch(fetch, L"" HOST);
    serve(response);
    NTSTATUS status = end_fetch(fetch);
    wskemu_peer_close(server);
    return status;
}

/* ---- pages ---- */

static void a_page_is_fetched_by_the_name_of_its_server(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(fetch_response(&fetch, "HTTP/1.0 200 OK\r\nServer: test\r\n"
                                            "content-length: 13\r\n\r\nHello, world!"),
                     STATUS_SUCCESS);
    expect_page(&fetch, 200, "Hello, world!");
}

static void a_page_that_comes_byte_by_byte_is_whole(void **state)
{
    static const char response[] = "HTTP/1.1 404 Not Found\r\n\r\nno such page\r\n\r\n";
    static struct fetch fetch;
    (void)state;
    begin_fetch(&fetch, L"" HOST);
    struct wskemu_peer *peer = accept_request();
    for (SIZE_T i = 0; i < sizeof(response) - 1; i++) {
        assert_int_equal(wskemu_peer_send_all(peer, &response[i], 1), STATUS_SUCCESS);
    }
    respond(peer, "");
    assert_int_equal(wskemu_peer_expect_end(peer), STATUS_SUCCESS);
    assert_int_equal(end_fetch(&fetch), STATUS_SUCCESS);
    expect_page(&fetch, 404, "no such page\r\n\r\n");
    wskemu_peer_close(peer);
    wskemu_peer_close(server);
}

static void a_page_longer_than_the_output_is_cut_with_a_warning(void **state)
{
    static char response[4096] = "HTTP/1.0 200 OK\r\n\r\n";
    SIZE_T header = strlen(response);
    static struct fetch fetch;
    (void)state;
    RtlFillMemory(response + header, sizeof(response) - header - 1, 'x');
    assert_int_equal(fetch_response(&fetch, response), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(fetch.out.page.BodyBytes, sizeof(response) - header - 1);
    assert_int_equal(fetch.block.Information, sizeof(fetch.out.bytes));
    assert_memory_equal(fetch.out.page.Body, response + header, BODY_MAX);
}

static void many_fetches_run_side_by_side(void **state)
{
    static struct fetch fetches[FETCHES];
    struct wskemu_peer *peers[FETCHES];
    (void)state;
    for (int i = 0; i < FETCHES; i++) {
        begin_fetch(&fetches[i], L"" HOST);
    }
    for (int i = 0; i < FETCHES; i++) {
        peers[i] = accept_request();
    }
    for (int i = FETCHES - 1; i >= 0; i--) {
        respond(peers[i], "HTTP/1.0 200 OK\r\n\r\nHello");
    }
    for (int i = 0; i < FETCHES; i++) {
        assert_int_equal(end_fetch(&fetches[i]), STATUS_SUCCESS);
        expect_page(&fetches[i], 200, "Hello");
        wskemu_peer_close(peers[i]);
    }
    wskemu_peer_close(server);
}

/* ---- names ---- */

static void the_next_address_is_tried_if_one_refuses(void **state)
{
    static struct fetch fetch;
    (void)state;
    wskemu_name_clear();
    assert_int_equal(wskemu_name_add(HOST, WSKEMU_LOOPBACK(AF_INET6, 0)), STATUS_SUCCESS);
    assert_int_equal(wskemu_name_add(HOST, WSKEMU_LOOPBACK(AF_INET, 0)), STATUS_SUCCESS);
    assert_int_equal(fetch_response(&fetch, "HTTP/1.0 200 OK\r\n\r\nHello"), STATUS_SUCCESS);
    expect_page(&fetch, 200, "Hello");
}

static void a_port_may_be_the_name_of_a_service(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(wskemu_service_add("web", port, FALSE), STATUS_SUCCESS);
    ask_for(&fetch.get, L"" HOST);
    RtlStringCbCopyW(fetch.get.Port, sizeof(fetch.get.Port), L"web");
    send_fetch(&fetch);
    serve("HTTP/1.0 200 OK\r\n\r\nHello");
    assert_int_equal(end_fetch(&fetch), STATUS_SUCCESS);
    expect_page(&fetch, 200, "Hello");
    wskemu_peer_close(server);
}

static void a_name_that_does_not_exist_is_an_error(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(wskemu_name_add("nobody.example.test", NULL), STATUS_SUCCESS);
    begin_fetch(&fetch, L"nobody.example.test");
    assert_int_equal(end_fetch(&fetch), STATUS_NOT_FOUND);
    assert_int_equal(fetch.block.Information, 0);
    wskemu_peer_close(server);
}

static void a_server_that_does_not_listen_refuses(void **state)
{
    static struct fetch fetch;
    (void)state;
    wskemu_peer_close(server);
    begin_fetch(&fetch, L"127.0.0.1");
    assert_int_equal(end_fetch(&fetch), STATUS_CONNECTION_REFUSED);
}

/* ---- bad servers ---- */

static void a_body_shorter_than_promised_is_an_error(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(fetch_response(&fetch, "HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nHello"),
                     STATUS_CONNECTION_DISCONNECTED);
}

static void what_is_not_http_is_an_error(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(fetch_response(&fetch, "220 mail.example.test ESMTP\r\n\r\n"),
                     STATUS_INVALID_NETWORK_RESPONSE);
}

static void an_empty_response_is_an_error(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(fetch_response(&fetch, ""), STATUS_INVALID_NETWORK_RESPONSE);
}

static void a_reset_ends_the_fetch(void **state)
{
    static struct fetch fetch;
    (void)state;
    begin_fetch(&fetch, L"" HOST);
    wskemu_peer_reset(accept_request());
    NTSTATUS status = end_fetch(&fetch); /* Wine knows no resets: there it is an empty response */
    assert_true(status == STATUS_CONNECTION_RESET || status == STATUS_INVALID_NETWORK_RESPONSE);
    wskemu_peer_close(server);
}

static void a_silent_server_is_waited_for_no_longer_than_the_limit(void **state)
{
    static struct fetch fetch;
    (void)state;
    begin_fetch(&fetch, L"" HOST);
    struct wskemu_peer *peer = accept_request();
    assert_int_equal(end_fetch(&fetch), STATUS_IO_TIMEOUT);
    wskemu_peer_close(peer);
    wskemu_peer_close(server);
}

static void a_silent_name_server_too(void **state)
{
    static struct fetch fetch;
    (void)state;
    assert_int_equal(wskemu_name_hold(HOST), STATUS_SUCCESS);
    begin_fetch(&fetch, L"" HOST);
    assert_int_equal(end_fetch(&fetch), STATUS_IO_TIMEOUT);
    wskemu_peer_close(server);
}

/* ---- applications that give up ---- */

/* As another driver, which has the IRP in its hands. The request is accepted by the server first
 * if await_request is set; else it waits for the name. */
static void cancel_fetch(BOOLEAN await_request)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(HTTP_CLIENT_DEVICE_NAME);
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    static struct fetch fetch;
    KEVENT done;
    struct wskemu_peer *peer = NULL;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    assert_int_equal(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device),
                     STATUS_SUCCESS);
    ask_for(&fetch.get, L"" HOST);
    PIRP irp =
        IoBuildDeviceIoControlRequest(IOCTL_HTTP_CLIENT_GET, device, &fetch.get, sizeof(fetch.get),
                                      &fetch.out, sizeof(fetch.out), FALSE, &done, &fetch.block);
    IoGetNextIrpStackLocation(irp)->FileObject = file;
    assert_int_equal(IoCallDriver(device, irp), STATUS_PENDING);
    if (await_request) {
        peer = accept_request();
    }
    assert_true(IoCancelIrp(irp));
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    assert_int_equal(fetch.block.Status, STATUS_CANCELLED);
    ObDereferenceObject(file);
    wskemu_peer_close(peer);
    wskemu_peer_close(server);
}

static void a_fetch_is_cancelled_while_the_server_is_silent(void **state)
{
    (void)state;
    cancel_fetch(TRUE);
}

static void a_fetch_is_cancelled_while_the_name_server_is_silent(void **state)
{
    (void)state;
    assert_int_equal(wskemu_name_hold(HOST), STATUS_SUCCESS);
    cancel_fetch(FALSE);
}

static void a_text_without_end_is_refused(void **state)
{
    static struct fetch fetch;
    IO_STATUS_BLOCK block;
    (void)state;
    ask_for(&fetch.get, L"" HOST);
    RtlFillMemory(fetch.get.Path, sizeof(fetch.get.Path), 'a');
    fetch.file = open_device();
    assert_int_equal(ZwDeviceIoControlFile(fetch.file, NULL, NULL, NULL, &block,
                                           IOCTL_HTTP_CLIENT_GET, &fetch.get, sizeof(fetch.get),
                                           &fetch.out, sizeof(fetch.out)),
                     STATUS_INVALID_PARAMETER);
    ZwClose(fetch.file);
    wskemu_peer_close(server);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(a_page_is_fetched_by_the_name_of_its_server, http_client,
                                 start_server),
        wskemu_driver_test_setup(a_page_that_comes_byte_by_byte_is_whole, http_client,
                                 start_server),
        wskemu_driver_test_setup(a_page_longer_than_the_output_is_cut_with_a_warning, http_client,
                                 start_server),
        wskemu_driver_test_setup(many_fetches_run_side_by_side, http_client, start_server),
        wskemu_driver_test_setup(the_next_address_is_tried_if_one_refuses, http_client,
                                 start_server),
        wskemu_driver_test_setup(a_port_may_be_the_name_of_a_service, http_client, start_server),
        wskemu_driver_test_setup(a_name_that_does_not_exist_is_an_error, http_client, start_server),
        wskemu_driver_test_setup(a_server_that_does_not_listen_refuses, http_client, start_server),
        wskemu_driver_test_setup(a_body_shorter_than_promised_is_an_error, http_client,
                                 start_server),
        wskemu_driver_test_setup(what_is_not_http_is_an_error, http_client, start_server),
        wskemu_driver_test_setup(an_empty_response_is_an_error, http_client, start_server),
        wskemu_driver_test_setup(a_reset_ends_the_fetch, http_client, start_server),
        wskemu_driver_test_setup(a_silent_server_is_waited_for_no_longer_than_the_limit,
                                 http_client, start_server_of_hasty_client),
        wskemu_driver_test_setup(a_silent_name_server_too, http_client,
                                 start_server_of_hasty_client),
        wskemu_driver_test_setup(a_fetch_is_cancelled_while_the_server_is_silent, http_client,
                                 start_server),
        wskemu_driver_test_setup(a_fetch_is_cancelled_while_the_name_server_is_silent, http_client,
                                 start_server),
        wskemu_driver_test_setup(a_text_without_end_is_refused, http_client, start_server),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
