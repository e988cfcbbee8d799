/* Raw sockets: datagram sockets of a protocol of the driver's own. */
#include "wsk_datagram.h"

#define PROTOCOL 253 /* for experiments */
#define IPV4_HEADER_BYTES 20

/* NULL, with a word on it, where the host does not let this process have raw sockets. */
static PWSK_SOCKET open_raw(struct wsk_end *end, ADDRESS_FAMILY family)
{
    PWSK_SOCKET socket;
    NTSTATUS status =
        try_socket(end, family, SOCK_RAW, PROTOCOL, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, &socket);
    if (status == STATUS_ACCESS_DENIED) {
        print_message("skipped: raw sockets need a privilege that this process has not\n");
        return NULL;
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(bind_loopback(end, socket, family, NULL), STATUS_SUCCESS);
    return socket;
}

static void exchange(ADDRESS_FAMILY family, SIZE_T header_bytes)
{
    struct wsk_end end;
    struct receipt receipt;
    SOCKADDR_INET to = loopback_address(family, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = open_raw(&end, family);
    if (socket == NULL) {
        close_wsk(&end);
        skip();
    }
    receipt_init(&receipt);
    assert_int_equal(send_datagram(&end, socket, "raw", 3, &to, NULL), STATUS_SUCCESS);
    assert_int_equal(receive_datagram(&receipt, socket), STATUS_SUCCESS);
    assert_int_equal(call_information(&receipt.call), header_bytes + 3);
    assert_memory_equal(receipt.bytes + header_bytes, "raw", 3);
    assert_int_equal(receipt.from.si_family, family);
    receipt_free(&receipt);
    close_socket(&end, socket);
    close_wsk(&end);
}

static void a_raw_socket_of_ipv4_gets_header_and_data(void **state)
{
    PROVES("WSK-DGRM-31", "WSK-DGRM-08");
    exchange(AF_INET, IPV4_HEADER_BYTES);
}

static void a_raw_socket_of_ipv6_gets_data(void **state)
{
    PROVES("WSK-DGRM-31", "WSK-DGRM-08");
    exchange(AF_INET6, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_raw_socket_of_ipv4_gets_header_and_data),
    kernel_test(a_raw_socket_of_ipv6_gets_data),
};

TEST_MAIN(tests)
