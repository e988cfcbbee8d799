/* What a driver learns of a peer that resets while nobody reads. */
#include "wsk_end.h"

#include "wsk/wsk.h"

#include <wskemu/peer.h>

static struct wsk_end *const end = &test_end;

static struct {
    ULONG flags;
    volatile LONG disconnects;
    KEVENT disconnected;
} driver;

static NTSTATUS WSKAPI note_disconnect(PVOID SocketContext, ULONG Flags)
{
    driver.flags = Flags;
    InterlockedIncrement(&driver.disconnects);
    KeSetEvent(&driver.disconnected, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH dispatch = {NULL, note_disconnect, NULL};

static PWSK_SOCKET listen_here(SOCKADDR_INET *address)
{
    KeInitializeEvent(&driver.disconnected, NotificationEvent, FALSE);
    driver.disconnects = 0;
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, address);
    assert_non_null(listener);
    return listener;
}

static struct wskemu_peer *connect_peer(const SOCKADDR_INET *address)
{
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_connect((PSOCKADDR)address, &peer), STATUS_SUCCESS);
    return peer;
}

/* The data stays unread: there is no receive, and no receive event. */
static void a_reset_is_told_though_data_before_it_is_unread(void **state)
{
    PROVES("WSK-EVT-55", "WSK-EVT-56");
    SOCKADDR_INET address;
    PWSK_SOCKET accepted;
    PWSK_SOCKET listener = listen_here(&address);
    struct wskemu_peer *peer = connect_peer(&address);
    assert_int_equal(accept_socket(end, listener, NULL, &dispatch, &accepted), STATUS_SUCCESS);
    assert_int_equal(enable_events(accepted, WSK_EVENT_DISCONNECT), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "unread", 6), STATUS_SUCCESS);
    wskemu_peer_reset(peer);
    await(&driver.disconnected);
    assert_true(driver.flags & WSK_FLAG_ABORTIVE);
    assert_int_equal(driver.disconnects, 1);
    close_socket(end, accepted);
    close_socket(end, listener);
}

/* After a graceful end the data is still there, and the event comes behind it. */
static void a_graceful_end_is_told_when_the_data_before_it_is_read(void **state)
{
    PROVES("WSK-EVT-57");
    SOCKADDR_INET address;
    PWSK_SOCKET accepted;
    UCHAR bytes[6];
    PWSK_SOCKET listener = listen_here(&address);
    struct wskemu_peer *peer = connect_peer(&address);
    assert_int_equal(accept_socket(end, listener, NULL, &dispatch, &accepted), STATUS_SUCCESS);
    assert_int_equal(enable_events(accepted, WSK_EVENT_DISCONNECT), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "unread", 6), STATUS_SUCCESS);
    wskemu_peer_close(peer);
    assert_int_equal(receive_bytes(end, accepted, bytes, sizeof(bytes), WSK_FLAG_WAITALL, NULL),
                     STATUS_SUCCESS);
    assert_memory_equal(bytes, "unread", 6);
    await(&driver.disconnected);
    assert_false(driver.flags & WSK_FLAG_ABORTIVE);
    close_socket(end, accepted);
    close_socket(end, listener);
}

/* The host has forgotten by then who it was. */
static void the_address_of_who_reset_before_the_accept_is_known(void **state)
{
    PROVES("WSK-ADDR-05");
    SOCKADDR_INET address;
    SOCKADDR_INET remote;
    SOCKADDR_STORAGE local;
    PWSK_SOCKET accepted;
    PWSK_SOCKET listener = listen_here(&address);
    struct wskemu_peer *peer = connect_peer(&address);
    assert_int_equal(wskemu_peer_local_address(peer, &local), STATUS_SUCCESS);
    wskemu_peer_reset(peer);
    assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(remote_address(end, accepted, &remote), STATUS_SUCCESS);
    assert_address_equal(&remote, (const SOCKADDR_INET *)&local);
    close_socket(end, accepted);
    close_socket(end, listener);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(a_reset_is_told_though_data_before_it_is_unread),
    kernel_test_wsk(a_graceful_end_is_told_when_the_data_before_it_is_read),
    kernel_test_wsk(the_address_of_who_reset_before_the_accept_is_known),
};

TEST_MAIN(tests)
