/* The walking skeleton: TCP echo by WskReceive and WskSend, server and client in one process. */
#include "wsk_end.h"

#define ROUNDS 200
#define MESSAGE_BYTES 64

struct server {
    struct wsk_end end;
    KEVENT listening;
    SOCKADDR_INET address;
    NTSTATUS status;
    UCHAR bytes[MESSAGE_BYTES];
};

static VOID serve(PVOID context)
{
    struct server *server = context;
    struct wsk_end *end = &server->end;
    PWSK_SOCKET accepted;
    SIZE_T moved;
    open_wsk(end);
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, &server->address);
    KeSetEvent(&server->listening, IO_NO_INCREMENT, FALSE);
    server->status = accept_socket(end, listener, NULL, NULL, &accepted);
    while (NT_SUCCESS(receive_bytes(end, accepted, server->bytes, MESSAGE_BYTES, 0, &moved)) &&
           moved != 0) {
        send_bytes(end, accepted, server->bytes, moved, 0, NULL);
    }
    close_socket(end, accepted);
    close_socket(end, listener);
    close_wsk(end);
}

static void exchange(struct wsk_end *end, PWSK_SOCKET socket, unsigned round)
{
    UCHAR bytes[MESSAGE_BYTES];
    SIZE_T moved;
    RtlFillMemory(bytes, MESSAGE_BYTES, (UCHAR)round);
    assert_int_equal(send_bytes(end, socket, bytes, MESSAGE_BYTES, 0, &moved), STATUS_SUCCESS);
    assert_int_equal(moved, MESSAGE_BYTES);
    RtlZeroMemory(bytes, MESSAGE_BYTES);
    for (SIZE_T received = 0; received < MESSAGE_BYTES; received += moved) {
        assert_int_equal(
            receive_bytes(end, socket, bytes + received, MESSAGE_BYTES - received, 0, &moved),
            STATUS_SUCCESS);
        assert_int_not_equal(moved, 0);
    }
    for (unsigned i = 0; i < MESSAGE_BYTES; i++) {
        assert_int_equal(bytes[i], (UCHAR)round);
    }
}

static void a_thread_echoes_what_another_sends(void **state)
{
    struct server server = {.status = STATUS_UNSUCCESSFUL};
    struct wsk_end end;
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&server.listening, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(serve, &server);
    await(&server.listening);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = connect_to(&end, &server.address, NULL, NULL);
    assert_non_null(socket);
    for (unsigned round = 0; round < ROUNDS; round++) {
        exchange(&end, socket, round);
    }
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
    join_thread(thread);
    assert_int_equal(server.status, STATUS_SUCCESS);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_thread_echoes_what_another_sends),
};

TEST_MAIN(tests)
