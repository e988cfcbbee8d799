/* I/O controls of sockets. */
#include "wsk_datagram.h"
#include "wsk_pair.h"

#include <mstcpip.h>
#include <wskemu/network.h>

#include <stdlib.h>

static NTSTATUS ioctl(PWSK_SOCKET socket, ULONG code, const void *input, SIZE_T input_length,
                      void *output, SIZE_T output_length)
{
    SIZE_T stored;
    NTSTATUS status = control_socket(&test_end, socket, WskIoctl, code, 0, input, input_length,
                                     output, output_length, &stored);
    assert_int_equal(stored, NT_SUCCESS(status) ? output_length : 0);
    return status;
}

static NTSTATUS query(PWSK_SOCKET socket, ULONG code, void *output, SIZE_T length, SIZE_T *returned)
{
    return control_socket_now(socket, WskIoctl, code, 0, NULL, 0, output, length, returned);
}

/* A control that has to have an IRP. */
static void assert_needs_irp(PWSK_SOCKET socket, ULONG code, const void *input, SIZE_T length)
{
    static UCHAR output[64];
    SIZE_T stored;
    bool is_input = input != NULL;
    assert_int_equal(control_socket_now(socket, WskIoctl, code, 0, input, length,
                                        is_input ? NULL : output, is_input ? 0 : sizeof(output),
                                        &stored),
                     STATUS_INVALID_PARAMETER);
}

/* ---- lists of addresses ---- */

static const ULONG categories[] = {WSK_FLAG_BASIC_SOCKET, WSK_FLAG_LISTEN_SOCKET,
                                   WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                   WSK_FLAG_STREAM_SOCKET};

static bool is_loopback(const SOCKADDR *address)
{
    static const IN6_ADDR loopback = IN6ADDR_LOOPBACK_INIT;
    return address->sa_family == AF_INET
               ? ((const SOCKADDR_IN *)address)->sin_addr.s_addr == 0x0100007F
               : RtlEqualMemory(&((const SOCKADDR_IN6 *)address)->sin6_addr, &loopback,
                                sizeof(loopback));
}

static void check_list(const SOCKET_ADDRESS_LIST *list, SIZE_T length, ADDRESS_FAMILY family)
{
    INT each = family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
    const UCHAR *begin = (const UCHAR *)list;
    bool has_loopback = false;
    for (INT i = 0; i < list->iAddressCount; i++) {
        const SOCKET_ADDRESS *entry = &list->Address[i];
        const UCHAR *address = (const UCHAR *)entry->lpSockaddr;
        assert_int_equal(entry->iSockaddrLength, each);
        assert_true(address >= begin + SIZEOF_SOCKET_ADDRESS_LIST(list->iAddressCount));
        assert_true(address + each <= begin + length);
        assert_int_equal(entry->lpSockaddr->sa_family, family);
        has_loopback = has_loopback || is_loopback(entry->lpSockaddr);
    }
    assert_true(has_loopback);
}

static void a_socket_lists_the_addresses_of_its_family(void **state)
{
    static _Alignas(8) UCHAR buffer[8192];
    PROVES("WSK-IOC-01", "WSK-IOC-02", "WSK-IOC-03", "WSK-SKO-17");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < 2 * RTL_NUMBER_OF(categories); i++) {
        ADDRESS_FAMILY family = i % 2 == 0 ? AF_INET : AF_INET6;
        PWSK_SOCKET socket = make_socket(&test_end, family, categories[i / 2], NULL, NULL);
        SIZE_T needed = 0;
        SIZE_T stored = 0;
        assert_int_equal(query(socket, SIO_ADDRESS_LIST_QUERY, NULL, 0, &needed),
                         STATUS_BUFFER_OVERFLOW);
        assert_in_range(needed, 1, sizeof(buffer));
        assert_int_equal(query(socket, SIO_ADDRESS_LIST_QUERY, buffer, needed - 1, &stored),
                         STATUS_BUFFER_OVERFLOW);
        assert_int_equal(stored, needed);
        stored = 0;
        assert_int_equal(query(socket, SIO_ADDRESS_LIST_QUERY, buffer, needed, &stored),
                         STATUS_SUCCESS);
        assert_int_equal(stored, needed);
        check_list((const SOCKET_ADDRESS_LIST *)buffer, stored, family);
        assert_int_equal(query(socket, SIO_ADDRESS_LIST_QUERY, buffer, sizeof(buffer), NULL),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(control_socket(&test_end, socket, WskIoctl, SIO_ADDRESS_LIST_QUERY, 0,
                                        NULL, 0, buffer, sizeof(buffer), &stored),
                         STATUS_SUCCESS);
        assert_int_equal(stored, needed);
        close_socket(&test_end, socket);
    }
}

static void a_list_is_asked_for_without_an_irp(void **state)
{
    static _Alignas(8) UCHAR buffer[8192];
    SIZE_T stored = 0;
    STAYS_SILENT("WSK-IOC-02", "WSK-SKO-08", "WSK-SKO-09");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_int_equal(query(socket, SIO_ADDRESS_LIST_QUERY, NULL, 0, &stored),
                     STATUS_BUFFER_OVERFLOW);
    assert_int_equal(query(socket, SIO_ADDRESS_LIST_QUERY, buffer, sizeof(buffer), &stored),
                     STATUS_SUCCESS);
    check_list((const SOCKET_ADDRESS_LIST *)buffer, stored, AF_INET);
    close_socket(&test_end, socket);
}

static NTSTATUS await_change(struct wsk_call *call, PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    call_init(call);
    return basic->WskControlSocket(socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, NULL, 0, NULL,
                                   NULL, call_irp(call));
}

static void a_change_completes_all_that_wait_for_it(void **state)
{
    PROVES("WSK-IOC-04", "WSK-IOC-05", "WSK-SKO-04");
    STAYS_SILENT("WSK-IOC-04");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET sockets[RTL_NUMBER_OF(categories)];
    struct wsk_call calls[2 * RTL_NUMBER_OF(categories)];
    for (unsigned i = 0; i < RTL_NUMBER_OF(calls); i++) {
        unsigned place = i / 2;
        if (i % 2 == 0) {
            sockets[place] = make_socket(&test_end, AF_INET, categories[place], NULL, NULL);
        }
        assert_int_equal(await_change(&calls[i], sockets[place]), STATUS_PENDING);
        assert_false(call_is_done(&calls[i]));
    }
    wskemu_address_list_changed();
    for (unsigned i = 0; i < RTL_NUMBER_OF(calls); i++) {
        assert_int_equal(call_wait(&calls[i], STATUS_PENDING), STATUS_SUCCESS);
        assert_int_equal(call_information(&calls[i]), 0);
        call_free(&calls[i]);
    }
    for (unsigned i = 0; i < RTL_NUMBER_OF(sockets); i++) {
        close_socket(&test_end, sockets[i]);
    }
}

static void waiting_for_a_change_can_be_cancelled(void **state)
{
    struct wsk_call call;
    PROVES("WSK-IRP-32");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_int_equal(await_change(&call, socket), STATUS_PENDING);
    assert_true(IoCancelIrp(call.irp));
    assert_int_equal(call_wait(&call, STATUS_PENDING), STATUS_CANCELLED);
    wskemu_address_list_changed();
    call_free(&call);
    close_socket(&test_end, socket);
}

static void a_close_ends_waiting_for_a_change(void **state)
{
    struct wsk_call call;
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(await_change(&call, socket), STATUS_PENDING);
    assert_int_equal(close_socket(&test_end, socket), STATUS_SUCCESS);
    assert_true(call_is_done(&call));
    assert_int_equal(call_wait(&call, STATUS_PENDING), STATUS_CANCELLED);
    call_free(&call);
}

static void a_list_is_sorted_by_preference(void **state)
{
    SOCKADDR_IN6 addresses[4] = {{.sin6_family = AF_INET6},
                                 {.sin6_family = AF_INET6},
                                 {.sin6_family = AF_INET6},
                                 {.sin6_family = AF_INET6}};
    static _Alignas(8) UCHAR buffer[SIZEOF_SOCKET_ADDRESS_LIST(4)];
    SOCKET_ADDRESS_LIST *list = (SOCKET_ADDRESS_LIST *)buffer;
    UNREFERENCED_PARAMETER(state);
    addresses[0].sin6_addr.u.Byte[0] = 0xFC; /* a local one */
    addresses[1].sin6_addr.u.Byte[10] = 0xFF;
    addresses[1].sin6_addr.u.Byte[11] = 0xFF; /* IPv4 */
    addresses[2].sin6_addr.u.Byte[0] = 0x24;  /* a global one */
    addresses[3].sin6_addr.u.Byte[15] = 1;    /* loopback */
    list->iAddressCount = 4;
    for (unsigned i = 0; i < 4; i++) {
        list->Address[i] = (SOCKET_ADDRESS){(LPSOCKADDR)(PVOID)&addresses[i], sizeof(addresses[i])};
    }
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET6, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_int_equal(
        ioctl(socket, SIO_ADDRESS_LIST_SORT, list, sizeof(buffer), list, sizeof(buffer)),
        STATUS_SUCCESS);
    for (unsigned i = 0; i < 4; i++) {
        assert_ptr_equal(list->Address[i].lpSockaddr, &addresses[3 - i]);
    }
    list->iAddressCount = 5;
    assert_int_equal(
        ioctl(socket, SIO_ADDRESS_LIST_SORT, list, sizeof(buffer), list, sizeof(buffer)),
        STATUS_INVALID_PARAMETER);
    close_socket(&test_end, socket);
}

/* ---- fixed addresses of datagram sockets ---- */

struct trio {
    PWSK_SOCKET socket; /* whose remote address is fixed */
    PWSK_SOCKET chosen;
    PWSK_SOCKET other;
    SOCKADDR_INET at_socket;
    SOCKADDR_INET at_chosen;
    SOCKADDR_INET at_other;
};

static void open_trio(struct trio *trio)
{
    trio->socket = open_datagram(&test_end, AF_INET, NULL, NULL, &trio->at_socket);
    trio->chosen = open_datagram(&test_end, AF_INET, NULL, NULL, &trio->at_chosen);
    trio->other = open_datagram(&test_end, AF_INET, NULL, NULL, &trio->at_other);
}

static void close_trio(struct trio *trio)
{
    close_socket(&test_end, trio->socket);
    close_socket(&test_end, trio->chosen);
    close_socket(&test_end, trio->other);
}

/* Sends one byte; to may be NULL. */
static NTSTATUS send(PWSK_SOCKET socket, const char *byte, const SOCKADDR_INET *to)
{
    return send_datagram(&test_end, socket, byte, 1, to, NULL);
}

/* The next datagram's byte. */
static char receive(PWSK_SOCKET socket)
{
    struct receipt receipt;
    receipt_init(&receipt);
    assert_int_equal(receive_datagram(&receipt, socket), STATUS_SUCCESS);
    char byte = (char)receipt.bytes[0];
    receipt_free(&receipt);
    return byte;
}

static void a_fixed_remote_address_works_both_ways(void **state)
{
    struct trio trio;
    PROVES("WSK-IOC-06", "WSK-IOC-07", "WSK-IOC-10", "WSK-IOC-11");
    STAYS_SILENT("WSK-IOC-07", "WSK-IOC-08", "WSK-IOC-09");
    UNREFERENCED_PARAMETER(state);
    open_trio(&trio);
    assert_int_equal(ioctl(trio.socket, SIO_WSK_SET_REMOTE_ADDRESS, &trio.at_chosen,
                           sizeof(SOCKADDR_IN), NULL, 0),
                     STATUS_SUCCESS);
    assert_int_equal(send(trio.socket, "a", NULL), STATUS_SUCCESS);
    assert_int_equal(receive(trio.chosen), 'a');
    assert_int_equal(send(trio.socket, "b", &trio.at_other), STATUS_SUCCESS);
    assert_int_equal(receive(trio.other), 'b');
    assert_int_equal(send(trio.other, "c", &trio.at_socket), STATUS_SUCCESS);
    assert_int_equal(send(trio.chosen, "d", &trio.at_socket), STATUS_SUCCESS);
    assert_int_equal(receive(trio.socket), 'd');
    assert_int_equal(ioctl(trio.socket, SIO_WSK_SET_REMOTE_ADDRESS, NULL, 0, NULL, 0),
                     STATUS_SUCCESS);
    assert_false(NT_SUCCESS(send(trio.socket, "e", NULL)));
    assert_int_equal(send(trio.other, "f", &trio.at_socket), STATUS_SUCCESS);
    assert_int_equal(receive(trio.socket), 'f');
    close_trio(&trio);
}

static void a_fixed_destination_works_one_way(void **state)
{
    struct trio trio;
    PROVES("WSK-IOC-12", "WSK-IOC-13", "WSK-IOC-15");
    STAYS_SILENT("WSK-IOC-13", "WSK-IOC-14");
    UNREFERENCED_PARAMETER(state);
    open_trio(&trio);
    assert_int_equal(ioctl(trio.socket, SIO_WSK_SET_SENDTO_ADDRESS, &trio.at_chosen,
                           sizeof(SOCKADDR_IN), NULL, 0),
                     STATUS_SUCCESS);
    assert_int_equal(send(trio.socket, "a", NULL), STATUS_SUCCESS);
    assert_int_equal(receive(trio.chosen), 'a');
    assert_int_equal(send(trio.other, "b", &trio.at_socket), STATUS_SUCCESS);
    assert_int_equal(receive(trio.socket), 'b');
    assert_int_equal(ioctl(trio.socket, SIO_WSK_SET_SENDTO_ADDRESS, NULL, 0, NULL, 0),
                     STATUS_SUCCESS);
    assert_false(NT_SUCCESS(send(trio.socket, "c", NULL)));
    close_trio(&trio);
}

static void fixed_addresses_are_for_bound_datagram_sockets(void **state)
{
    static const ULONG codes[] = {SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS};
    SOCKADDR_INET four = loopback_address(AF_INET, 9);
    SOCKADDR_INET six = loopback_address(AF_INET6, 9);
    PROVES("WSK-IOC-06", "WSK-IOC-07", "WSK-IOC-08", "WSK-IOC-09", "WSK-IOC-12", "WSK-IOC-13",
           "WSK-IOC-14");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(codes); i++) {
        PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
        PWSK_SOCKET stream =
            make_socket(&test_end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
        assert_int_equal(ioctl(stream, codes[i], &four, sizeof(SOCKADDR_IN), NULL, 0),
                         STATUS_INVALID_DEVICE_REQUEST);
        assert_int_equal(ioctl(socket, codes[i], &four, sizeof(SOCKADDR_IN), NULL, 0),
                         STATUS_INVALID_DEVICE_STATE);
        assert_int_equal(bind_loopback(&test_end, socket, AF_INET, NULL), STATUS_SUCCESS);
        assert_int_equal(ioctl(socket, codes[i], &six, sizeof(SOCKADDR_IN6), NULL, 0),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(ioctl(socket, codes[i], &four, sizeof(SOCKADDR_IN) - 1, NULL, 0),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(control_socket_now(socket, WskIoctl, codes[i], 0, &four,
                                            sizeof(SOCKADDR_IN), NULL, 0, NULL),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(ioctl(socket, codes[i], &four, sizeof(SOCKADDR_IN), NULL, 0),
                         STATUS_SUCCESS);
        close_socket(&test_end, stream);
        close_socket(&test_end, socket);
    }
}

/* ---- connections ---- */

static NTSTATUS backlog(struct wsk_pair *pair, PWSK_SOCKET socket, ULONG code, SIZE_T *value)
{
    return control_socket(&pair->end, socket, WskIoctl, code, 0, NULL, 0, value, sizeof(*value),
                          NULL);
}

static void backlogs_can_be_asked_for(void **state)
{
    struct wsk_pair pair;
    SIZE_T value = 0;
    UCHAR bytes[10] = {0};
    SIZE_T stored;
    PROVES("WSK-IOC-17", "WSK-IOC-18", "WSK-IOC-19", "WSK-IOC-20", "WSK-EVT-66");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(backlog(&pair, pair.near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, &value),
                     STATUS_SUCCESS);
    assert_true(value != 0);
    assert_int_equal(backlog(&pair, pair.near, SIO_WSK_QUERY_RECEIVE_BACKLOG, &value),
                     STATUS_SUCCESS);
    assert_int_equal(value, 0);
    send_all(&pair, pair.far, bytes, sizeof(bytes));
    receive_all(&pair, pair.near, bytes, 3);
    while (value < 7) {
        assert_int_equal(backlog(&pair, pair.near, SIO_WSK_QUERY_RECEIVE_BACKLOG, &value),
                         STATUS_SUCCESS);
    }
    assert_int_equal(value, 7);
    assert_needs_irp(pair.near, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, NULL, 0);
    assert_needs_irp(pair.near, SIO_WSK_QUERY_RECEIVE_BACKLOG, NULL, 0);
    assert_int_equal(control_socket(&pair.end, pair.near, WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG,
                                    0, NULL, 0, &value, sizeof(value), &stored),
                     STATUS_SUCCESS);
    assert_int_equal(stored, sizeof(SIZE_T));
    assert_int_equal(control_socket(&pair.end, pair.near, WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG,
                                    0, NULL, 0, &value, sizeof(ULONG), NULL),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(backlog(&pair, pair.listener, SIO_WSK_QUERY_RECEIVE_BACKLOG, &value),
                     STATUS_INVALID_DEVICE_REQUEST);
    close_pair(&pair);
}

static void a_connection_is_asked_with_an_irp(void **state)
{
    struct wsk_pair pair;
    SIZE_T value = 0;
    STAYS_SILENT("WSK-IOC-18", "WSK-IOC-20", "WSK-IOC-25", "WSK-SKO-08", "WSK-SKO-09");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(backlog(&pair, pair.far, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, &value),
                     STATUS_SUCCESS);
    assert_int_equal(backlog(&pair, pair.far, SIO_WSK_QUERY_RECEIVE_BACKLOG, &value),
                     STATUS_SUCCESS);
    assert_int_equal(control_socket(&pair.end, pair.far, WskIoctl, SIO_WSK_SET_TCP_SILENT_MODE, 0,
                                    NULL, 0, NULL, 0, NULL),
                     STATUS_NOT_SUPPORTED);
    close_pair(&pair);
}

static void a_socket_that_is_not_connected_has_no_backlog(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    SIZE_T value;
    PROVES("WSK-IOC-18", "WSK-IOC-20");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(
        ioctl(socket, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, NULL, 0, &value, sizeof(value)),
        STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(ioctl(socket, SIO_WSK_QUERY_RECEIVE_BACKLOG, NULL, 0, &value, sizeof(value)),
                     STATUS_INVALID_DEVICE_STATE);
    close_socket(&test_end, socket);
}

static void only_inspected_connections_have_an_inspect_id(void **state)
{
    struct wsk_pair pair;
    WSK_INSPECT_ID id;
    SIZE_T stored;
    PROVES("WSK-IOC-23");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    PWSK_SOCKET datagram = make_socket(&pair.end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    PWSK_SOCKET sockets[] = {pair.near, pair.far, pair.listener, datagram};
    for (unsigned i = 0; i < RTL_NUMBER_OF(sockets); i++) {
        assert_int_equal(query(sockets[i], SIO_WSK_QUERY_INSPECT_ID, &id, sizeof(id), &stored),
                         STATUS_INVALID_DEVICE_REQUEST);
    }
    close_socket(&pair.end, datagram);
    close_pair(&pair);
}

/* ---- conditional accept ---- */

static WSK_INSPECT_ID inspected;

static WSK_INSPECT_ACTION WSKAPI on_inspect(PVOID context, PSOCKADDR local, PSOCKADDR remote,
                                            PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    inspected = *id;
    return WskInspectAccept;
}

static NTSTATUS WSKAPI on_abort(PVOID context, PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(id);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH inspecting = {.WskInspectEvent = on_inspect,
                                                      .WskAbortEvent = on_abort};

/* An accepted connection and all that belongs to it. */
struct inspected_connection {
    PWSK_SOCKET listener;
    PWSK_SOCKET socket;
    PWSK_SOCKET accepted;
};

static void open_inspected(struct inspected_connection *connection)
{
    SOCKADDR_INET address;
    connection->listener =
        make_socket(&test_end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, &inspecting);
    assert_int_equal(
        set_option(&test_end, connection->listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1),
        STATUS_SUCCESS);
    assert_int_equal(bind_loopback(&test_end, connection->listener, AF_INET, &address),
                     STATUS_SUCCESS);
    connection->socket = connect_to(&test_end, &address, NULL, NULL);
    assert_int_equal(
        accept_socket(&test_end, connection->listener, NULL, NULL, &connection->accepted),
        STATUS_SUCCESS);
}

static void close_inspected(struct inspected_connection *connection)
{
    close_socket(&test_end, connection->accepted);
    close_socket(&test_end, connection->socket);
    close_socket(&test_end, connection->listener);
}

static void an_inspected_connection_has_an_inspect_id(void **state)
{
    struct inspected_connection connection;
    WSK_INSPECT_ID id = {0, 0};
    SIZE_T stored = 0;
    PROVES("WSK-IOC-21", "WSK-OPT-06");
    STAYS_SILENT("WSK-IOC-22", "WSK-SKO-09");
    UNREFERENCED_PARAMETER(state);
    open_inspected(&connection);
    assert_int_equal(query(connection.accepted, SIO_WSK_QUERY_INSPECT_ID, &id, sizeof(id), &stored),
                     STATUS_SUCCESS);
    assert_int_equal(stored, sizeof(id));
    assert_int_equal(id.Key, inspected.Key);
    assert_int_equal(id.SerialNumber, inspected.SerialNumber);
    close_inspected(&connection);
}

static void an_inspect_id_is_asked_for_with_a_size(void **state)
{
    struct inspected_connection connection;
    WSK_INSPECT_ID id;
    PROVES("WSK-IOC-22");
    UNREFERENCED_PARAMETER(state);
    open_inspected(&connection);
    assert_int_equal(query(connection.accepted, SIO_WSK_QUERY_INSPECT_ID, &id, sizeof(id), NULL),
                     STATUS_INVALID_PARAMETER);
    close_inspected(&connection);
}

/* ---- what the host lacks ---- */

static void the_fast_path_of_loopback_is_taken_before_connecting(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    PWSK_SOCKET datagram = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    SOCKADDR_INET address;
    BOOLEAN on = TRUE;
    ULONG wide = 1;
    PROVES("WSK-IOC-32", "WSK-IOC-33", "WSK-IOC-34");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    assert_int_equal(ioctl(listener, SIO_LOOPBACK_FAST_PATH, &on, sizeof(on), NULL, 0),
                     STATUS_SUCCESS);
    assert_int_equal(ioctl(socket, SIO_LOOPBACK_FAST_PATH, &wide, sizeof(wide), NULL, 0),
                     STATUS_SUCCESS);
    assert_int_equal(ioctl(socket, SIO_LOOPBACK_FAST_PATH, &wide, 3, NULL, 0),
                     STATUS_INVALID_BUFFER_SIZE);
    assert_needs_irp(socket, SIO_LOOPBACK_FAST_PATH, &on, sizeof(on));
    assert_int_equal(ioctl(socket, SIO_LOOPBACK_FAST_PATH, NULL, 0, NULL, 0),
                     STATUS_INVALID_BUFFER_SIZE);
    assert_int_equal(ioctl(datagram, SIO_LOOPBACK_FAST_PATH, &on, sizeof(on), NULL, 0),
                     STATUS_NOT_SUPPORTED);
    close_socket(&test_end, socket);
    socket = connect_to(&test_end, &address, NULL, NULL);
    assert_int_equal(ioctl(socket, SIO_LOOPBACK_FAST_PATH, &on, sizeof(on), NULL, 0),
                     STATUS_NOT_SUPPORTED);
    close_socket(&test_end, socket);
    close_socket(&test_end, datagram);
    close_socket(&test_end, listener);
}

static NTSTATUS redirection(PWSK_SOCKET socket, ULONG code, SIZE_T *returned)
{
    static UCHAR bytes[64];
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    bool is_set = code == SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS;
    NTSTATUS status = basic->WskControlSocket(
        socket, WskIoctl, code, 0, is_set ? sizeof(bytes) : 0, is_set ? bytes : NULL,
        is_set ? 0 : sizeof(bytes), is_set ? NULL : bytes, returned, call_irp(&test_end.call));
    return call_wait(&test_end.call, status);
}

static void no_connection_was_redirected(void **state)
{
    SOCKADDR_INET address;
    SIZE_T returned = 0;
    PROVES("WSK-IOC-39", "WSK-IOC-41", "WSK-IOC-38");
    STAYS_SILENT("WSK-IOC-40");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    PWSK_SOCKET socket = connect_to(&test_end, &address, NULL, NULL);
    assert_int_equal(redirection(socket, SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS, &returned),
                     STATUS_NOT_FOUND);
    assert_int_equal(redirection(socket, SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT, &returned),
                     STATUS_NOT_FOUND);
    assert_int_equal(redirection(socket, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, NULL),
                     STATUS_ACCESS_DENIED);
    close_socket(&test_end, socket);
    close_socket(&test_end, listener);
}

static void redirections_need_an_irp(void **state)
{
    SOCKADDR_INET address;
    PROVES("WSK-IOC-40");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    PWSK_SOCKET socket = connect_to(&test_end, &address, NULL, NULL);
    assert_needs_irp(socket, SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS, NULL, 0);
    assert_needs_irp(socket, SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT, NULL, 0);
    assert_needs_irp(socket, SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS, &address, sizeof(address));
    close_socket(&test_end, socket);
    close_socket(&test_end, listener);
}

static void what_the_host_cannot_do_is_refused(void **state)
{
    SOCKADDR_INET address;
    PVOID routine = &address;
    PROVES("WSK-IOC-25");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    PWSK_SOCKET socket = connect_to(&test_end, &address, NULL, NULL);
    assert_int_equal(ioctl(socket, SIO_WSK_SET_TCP_SILENT_MODE, NULL, 0, NULL, 0),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(control_socket_now(socket, WskIoctl, SIO_WSK_SET_TCP_SILENT_MODE, 0, NULL, 0,
                                        NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        ioctl(socket, SIO_WSK_SET_RECEIVE_EX_CALLBACK, &routine, sizeof(routine), NULL, 0),
        STATUS_NOT_SUPPORTED);
    close_socket(&test_end, socket);
    close_socket(&test_end, listener);
}

static void the_fast_path_keeps_the_flow_controlled(void **state)
{
    enum { BYTES = 8 * 1024 * 1024 };
    SOCKADDR_INET address;
    PWSK_SOCKET accepted;
    struct wsk_call call;
    SIZE_T moved;
    PROVES("WSK-IOC-31", "WSK-IOC-35");
    STAYS_SILENT("WSK-IOC-33", "WSK-IOC-32");
    UNREFERENCED_PARAMETER(state);
    UCHAR *sent = calloc(1, BYTES);
    UCHAR *received = calloc(1, BYTES);
    assert_non_null(sent);
    assert_non_null(received);
    call_init(&call);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    for (BOOLEAN on = FALSE; on <= TRUE; on++) {
        assert_int_equal(ioctl(listener, SIO_LOOPBACK_FAST_PATH, &on, sizeof(on), NULL, 0),
                         STATUS_SUCCESS);
        assert_int_equal(ioctl(socket, SIO_LOOPBACK_FAST_PATH, &on, sizeof(on), NULL, 0),
                         STATUS_SUCCESS);
    }
    assert_int_equal(bind_loopback(&test_end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(connect_socket(&test_end, socket, &address), STATUS_SUCCESS);
    assert_int_equal(accept_socket(&test_end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    NTSTATUS returned = begin_send(&call, socket, sent, BYTES, 0);
    assert_false(call_is_done(&call));
    assert_int_equal(receive_bytes(&test_end, accepted, received, BYTES, WSK_FLAG_WAITALL, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, BYTES);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    call_free(&call);
    close_socket(&test_end, accepted);
    close_socket(&test_end, socket);
    close_socket(&test_end, listener);
    free(sent);
    free(received);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(a_socket_lists_the_addresses_of_its_family),
    kernel_test_wsk(a_list_is_asked_for_without_an_irp),
    kernel_test_wsk(a_change_completes_all_that_wait_for_it),
    kernel_test_wsk(waiting_for_a_change_can_be_cancelled),
    kernel_test_wsk(a_close_ends_waiting_for_a_change),
    kernel_test_wsk(a_list_is_sorted_by_preference),
    kernel_test_wsk(a_fixed_remote_address_works_both_ways),
    kernel_test_wsk(a_fixed_destination_works_one_way),
    kernel_test_wsk(fixed_addresses_are_for_bound_datagram_sockets),
    kernel_test(backlogs_can_be_asked_for),
    kernel_test(a_connection_is_asked_with_an_irp),
    kernel_test_wsk(a_socket_that_is_not_connected_has_no_backlog),
    kernel_test(only_inspected_connections_have_an_inspect_id),
    kernel_test_wsk(an_inspected_connection_has_an_inspect_id),
    kernel_test_wsk(an_inspect_id_is_asked_for_with_a_size),
    kernel_test_wsk(the_fast_path_of_loopback_is_taken_before_connecting),
    kernel_test_wsk(no_connection_was_redirected),
    kernel_test_wsk(redirections_need_an_irp),
    kernel_test_wsk(what_the_host_cannot_do_is_refused),
    kernel_test_wsk(the_fast_path_keeps_the_flow_controlled),
};

TEST_MAIN(tests)
