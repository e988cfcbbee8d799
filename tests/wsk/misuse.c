/* Calls that a socket's state does not allow: each is refused, and told which rule forbids it. */
#include "log.h"
#include "wsk_pair.h"

#include <stdio.h>
#include <string.h>

enum state { UNBOUND, IDLE, LISTENING, CONNECTED, SHUT };
enum function { ACCEPT, LISTEN, CONNECT, CONNECT_EX, SEND, RECEIVE, DISCONNECT, LOCAL, REMOTE };

static const char *const names[] = {
    [ACCEPT] = "WskAccept",
    [LISTEN] = "WskListen",
    [CONNECT] = "WskConnect",
    [CONNECT_EX] = "WskConnectEx",
    [SEND] = "WskSend",
    [RECEIVE] = "WskReceive",
    [DISCONNECT] = "WskDisconnect",
    [LOCAL] = "WskGetLocalAddress",
    [REMOTE] = "WskGetRemoteAddress",
};

struct misuse {
    ULONG category;
    enum state state;
    enum function function;
    const char *rule;
};

#define LISTENER WSK_FLAG_LISTEN_SOCKET
#define CONNECTION WSK_FLAG_CONNECTION_SOCKET
#define STREAM WSK_FLAG_STREAM_SOCKET

static const struct misuse misuses[] = {
    {LISTENER, UNBOUND, ACCEPT, "WSK-BIND-09"},
    {LISTENER, UNBOUND, LOCAL, "WSK-ADDR-09"},
    {CONNECTION, UNBOUND, CONNECT, "WSK-CONN-03"},
    {CONNECTION, UNBOUND, CONNECT_EX, "WSK-BIND-11"},
    {CONNECTION, UNBOUND, SEND, "WSK-CONN-11"},
    {CONNECTION, UNBOUND, DISCONNECT, "WSK-DISC-02"},
    {CONNECTION, UNBOUND, LOCAL, "WSK-ADDR-09"},
    {CONNECTION, IDLE, SEND, "WSK-CONN-11"},
    {CONNECTION, IDLE, RECEIVE, "WSK-CONN-11"},
    {CONNECTION, IDLE, DISCONNECT, "WSK-DISC-02"},
    {CONNECTION, IDLE, REMOTE, "WSK-ADDR-10"},
    {CONNECTION, SHUT, SEND, "WSK-DISC-20"},
    {STREAM, UNBOUND, ACCEPT, "WSK-ACC-02"},
    {STREAM, UNBOUND, LISTEN, "WSK-LSTN-02"},
    {STREAM, UNBOUND, CONNECT, "WSK-BIND-12"},
    {STREAM, UNBOUND, CONNECT_EX, "WSK-STRM-04"},
    {STREAM, IDLE, ACCEPT, "WSK-STRM-06"},
    {STREAM, IDLE, SEND, "WSK-SEND-02"},
    {STREAM, IDLE, RECEIVE, "WSK-RECV-02"},
    {STREAM, LISTENING, CONNECT, "WSK-LSTN-07"},
    {STREAM, LISTENING, CONNECT_EX, "WSK-LSTN-07"},
    {STREAM, LISTENING, SEND, "WSK-LSTN-07"},
    {STREAM, LISTENING, RECEIVE, "WSK-LSTN-07"},
    {STREAM, LISTENING, DISCONNECT, "WSK-LSTN-07"},
    {STREAM, LISTENING, REMOTE, "WSK-LSTN-07"},
    {STREAM, CONNECTED, LISTEN, "WSK-CONN-10"},
    {STREAM, CONNECTED, ACCEPT, "WSK-CONN-10"},
    {STREAM, SHUT, SEND, "WSK-DISC-20"},
};

static struct wsk_end *const end = &test_end;
static SOCKADDR_INET server;
static char byte = 'x';

static const WSK_PROVIDER_STREAM_DISPATCH *stream_of(PWSK_SOCKET socket)
{
    return socket->Dispatch;
}

static PFN_WSK_CONNECT_EX connect_ex_of(PWSK_SOCKET socket, ULONG category)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *connection = socket->Dispatch;
    return category == STREAM ? stream_of(socket)->WskConnectEx : connection->WskConnectEx;
}

/* A socket in that state. */
static PWSK_SOCKET make_in_state(ULONG category, enum state state)
{
    PWSK_SOCKET socket = make_socket(end, AF_INET, category, NULL, NULL);
    if (state == UNBOUND) {
        return socket;
    }
    assert_int_equal(bind_loopback(end, socket, AF_INET, NULL), STATUS_SUCCESS);
    if (state == LISTENING) {
        NTSTATUS returned = stream_of(socket)->WskListen(socket, call_irp(&end->call));
        assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    }
    if (state == CONNECTED || state == SHUT) {
        assert_int_equal(connect_socket(end, socket, &server), STATUS_SUCCESS);
    }
    if (state == SHUT) {
        assert_int_equal(disconnect_socket(end, socket, 0), STATUS_SUCCESS);
    }
    return socket;
}

static NTSTATUS call(PWSK_SOCKET socket, ULONG category, enum function function)
{
    SOCKADDR_INET address;
    WSK_BUF buffer = call_buffer(&end->call, &byte, 1);
    PIRP irp = call_irp(&end->call);
    switch (function) {
    case ACCEPT:
        return accept_of(socket)(socket, 0, NULL, NULL, NULL, NULL, irp);
    case LISTEN:
        return stream_of(socket)->WskListen(socket, irp);
    case CONNECT:
        return connect_of(socket)(socket, (PSOCKADDR)&server, 0, irp);
    case CONNECT_EX:
        return connect_ex_of(socket, category)(socket, (PSOCKADDR)&server, NULL, 0, irp);
    case SEND:
        return send_of(socket)(socket, &buffer, 0, irp);
    case RECEIVE:
        return receive_of(socket)(socket, &buffer, 0, irp);
    case DISCONNECT:
        return disconnect_of(socket)(socket, NULL, 0, irp);
    case LOCAL:
        return local_of(socket)(socket, (PSOCKADDR)&address, irp);
    default:
        return remote_of(socket)(socket, (PSOCKADDR)&address, irp);
    }
}

/* Calls, and says whether that was warned of with the rule. */
static bool is_told(PWSK_SOCKET socket, const struct misuse *misuse)
{
    char head[128];
    snprintf(head, sizeof(head), "warning %s: the driver called %s on the socket ", misuse->rule,
             names[misuse->function]);
    log_capture();
    NTSTATUS returned = call(socket, misuse->category, misuse->function);
    bool is_named = log_named(head);
    assert_int_equal(returned, STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_DEVICE_STATE);
    return is_named;
}

static void a_state_that_forbids_a_function_is_told_of(void **state)
{
    PROVES("WSK-BIND-09", "WSK-BIND-11", "WSK-BIND-12", "WSK-ADDR-09", "WSK-ADDR-10", "WSK-CONN-03",
           "WSK-CONN-10", "WSK-CONN-11", "WSK-DISC-02", "WSK-DISC-20", "WSK-ACC-02", "WSK-LSTN-02",
           "WSK-LSTN-07", "WSK-SEND-02", "WSK-RECV-02", "WSK-STRM-04", "WSK-STRM-06");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, &server);
    for (unsigned i = 0; i < RTL_NUMBER_OF(misuses); i++) {
        PWSK_SOCKET socket = make_in_state(misuses[i].category, misuses[i].state);
        if (!is_told(socket, &misuses[i])) {
            fail_msg("%s in state %d: no warning of %s", names[misuses[i].function],
                     (int)misuses[i].state, misuses[i].rule);
        }
        close_socket(end, socket);
    }
    close_socket(end, listener);
}

static void it_is_told_once_for_a_socket(void **state)
{
    static const struct misuse misuse = {CONNECTION, IDLE, SEND, "WSK-CONN-11"};
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET socket = make_in_state(CONNECTION, IDLE);
    PWSK_SOCKET other = make_in_state(CONNECTION, IDLE);
    assert_true(is_told(socket, &misuse));
    assert_false(is_told(socket, &misuse));
    assert_true(is_told(other, &misuse));
    close_socket(end, socket);
    close_socket(end, other);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(a_state_that_forbids_a_function_is_told_of),
    kernel_test_wsk(it_is_told_once_for_a_socket),
};

TEST_MAIN(tests)
