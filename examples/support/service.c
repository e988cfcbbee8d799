#include "service.h"

#include <wskemu/registry.h>

static USHORT port;

static void set_port(USHORT value)
{
    ULONG number = value;
    port = value;
    assert_int_equal(
        wskemu_registry_set(service.parameters, L"Port", REG_DWORD, &number, sizeof(number)),
        STATUS_SUCCESS);
}

void choose_port(void)
{
    set_port(wskemu_free_port(AF_INET, service.socket_type));
}

struct wskemu_peer *choose_taken_port(void)
{
    SOCKADDR_STORAGE address;
    struct wskemu_peer *owner;
    NTSTATUS status = service.socket_type == SOCK_STREAM
                          ? wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &owner)
                          : wskemu_peer_open_datagram(WSKEMU_LOOPBACK(AF_INET, 0), &owner);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(owner, &address), STATUS_SUCCESS);
    set_port(wskemu_port((PSOCKADDR)&address));
    return owner;
}

USHORT service_port(void)
{
    return port;
}

void a_second_load_serves_again(void **state)
{
    PDRIVER_OBJECT again;
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    assert_int_equal(wskemu_load_driver(service.image, &again), STATUS_SUCCESS);
    service.use(state);
}

void a_taken_port_fails_the_load_and_leaves_nothing(void **state)
{
    PDRIVER_OBJECT driver;
    (void)state;
    struct wskemu_peer *owner = choose_taken_port();
    assert_int_equal(wskemu_load_driver(service.image, &driver), STATUS_ADDRESS_ALREADY_EXISTS);
    wskemu_peer_close(owner);
}
