#include "wsk_pair.h"

void open_pair(struct wsk_pair *pair, PVOID context, const WSK_CLIENT_CONNECTION_DISPATCH *dispatch)
{
    SOCKADDR_INET bound;
    assert_int_equal(open_wsk(&pair->end), STATUS_SUCCESS);
    pair->listener = listen_loopback(&pair->end, AF_INET, NULL, NULL, &bound);
    assert_non_null(pair->listener);
    pair->near = connect_to(&pair->end, &bound, context, dispatch);
    assert_non_null(pair->near);
    assert_int_equal(accept_socket(&pair->end, pair->listener, NULL, NULL, &pair->far),
                     STATUS_SUCCESS);
}

static void close_end(struct wsk_pair *pair, PWSK_SOCKET *socket)
{
    if (*socket != NULL) {
        assert_int_equal(close_socket(&pair->end, *socket), STATUS_SUCCESS);
        *socket = NULL;
    }
}

void close_near(struct wsk_pair *pair)
{
    close_end(pair, &pair->near);
}

void close_far(struct wsk_pair *pair)
{
    close_end(pair, &pair->far);
}

void close_pair(struct wsk_pair *pair)
{
    close_near(pair);
    close_far(pair);
    close_end(pair, &pair->listener);
    close_wsk(&pair->end);
}

void send_all(struct wsk_pair *pair, PWSK_SOCKET socket, const void *bytes, SIZE_T length)
{
    SIZE_T moved = 0;
    assert_int_equal(send_bytes(&pair->end, socket, bytes, length, 0, &moved), STATUS_SUCCESS);
    assert_int_equal(moved, length);
}

SIZE_T receive_all(struct wsk_pair *pair, PWSK_SOCKET socket, void *bytes, SIZE_T length)
{
    SIZE_T received = 0;
    SIZE_T moved = 1;
    while (received < length && moved != 0) {
        NTSTATUS status = receive_bytes(&pair->end, socket, (UCHAR *)bytes + received,
                                        length - received, 0, &moved);
        assert_int_equal(status, STATUS_SUCCESS);
        received += moved;
    }
    return received;
}

NTSTATUS begin_receive(struct wsk_call *call, PWSK_SOCKET socket, void *bytes, SIZE_T length,
                       ULONG flags)
{
    WSK_BUF buffer = call_buffer(call, bytes, length);
    return receive_of(socket)(socket, &buffer, flags, call_irp(call));
}

NTSTATUS begin_send(struct wsk_call *call, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                    ULONG flags)
{
    WSK_BUF buffer = call_buffer(call, bytes, length);
    return send_of(socket)(socket, &buffer, flags, call_irp(call));
}

NTSTATUS fill_until_pending(struct wsk_pair *pair, struct wsk_call *call, PWSK_SOCKET socket,
                            const void *bytes, SIZE_T length, SIZE_T *sent)
{
    LARGE_INTEGER moment = interval_ms(20);
    NTSTATUS returned;
    UNREFERENCED_PARAMETER(pair);
    *sent = 0;
    while (TRUE) {
        returned = begin_send(call, socket, bytes, length, 0);
        /* The host takes what it can hold at once; what it cannot stays for longer than a moment.
         */
        if (KeWaitForSingleObject(&call->done, Executive, KernelMode, FALSE, &moment) ==
            STATUS_TIMEOUT) {
            return returned;
        }
        assert_int_equal(call->irp->IoStatus.Status, STATUS_SUCCESS);
        *sent += length;
    }
}
