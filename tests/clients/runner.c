/*
 * Runs a driver for clients that are programs of their own:
 *
 *     clients_runner DRIVER [PARAMETER=NUMBER...]
 *
 * sets the values in the driver's Parameters key, gives it a free port, loads it, prints
 * "PORT number", and runs until its standard input ends. It fails if the driver left anything.
 */
#include <wskemu/peer.h>
#include <wskemu/registry.h>
#include <wskemu/wskemu.h>

#include <ntstrsafe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 5

WSKEMU_USE_DRIVER(http_server);
WSKEMU_USE_DRIVER(relay);
WSKEMU_USE_DRIVER(tcp_echo);
WSKEMU_USE_DRIVER(event_echo);
WSKEMU_USE_DRIVER(udp_echo);
WSKEMU_USE_DRIVER(udp_echo_event);

static const struct {
    const struct wskemu_driver_image *image;
    USHORT type; /* of the port */
} drivers[] = {
    {&wskemu_image_http_server, SOCK_STREAM}, {&wskemu_image_relay, SOCK_STREAM},
    {&wskemu_image_tcp_echo, SOCK_STREAM},    {&wskemu_image_event_echo, SOCK_STREAM},
    {&wskemu_image_udp_echo, SOCK_DGRAM},     {&wskemu_image_udp_echo_event, SOCK_DGRAM},
};

static void set_parameter(const char *driver, const char *name, ULONG value)
{
    WCHAR key[128];
    WCHAR wide_name[32];
    RtlStringCbPrintfW(key, sizeof(key),
                       L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\%hs\\Parameters",
                       driver);
    RtlStringCbPrintfW(wide_name, sizeof(wide_name), L"%hs", name);
    wskemu_registry_set(key, wide_name, REG_DWORD, &value, sizeof(value));
}

/* Another process may take the port before the driver does: then it is given another. */
static NTSTATUS load(const struct wskemu_driver_image *image, USHORT type, USHORT *port,
                     PDRIVER_OBJECT *driver)
{
    NTSTATUS status = STATUS_ADDRESS_ALREADY_EXISTS;
    for (int i = 0; i < TRIES && status == STATUS_ADDRESS_ALREADY_EXISTS; i++) {
        *port = wskemu_free_port(AF_INET, type);
        set_parameter(image->name, "Port", *port);
        status = wskemu_load_driver(image, driver);
    }
    return status;
}

static int run(const struct wskemu_driver_image *image, USHORT type)
{
    PDRIVER_OBJECT driver;
    USHORT port;
    NTSTATUS status = load(image, type, &port, &driver);
    if (!NT_SUCCESS(status)) {
        fprintf(stderr, "DriverEntry of %s returned 0x%08X\n", image->name, (unsigned)status);
        return 1;
    }
    printf("PORT %u\n", port);
    fflush(stdout);
    while (getchar() != EOF) {
        continue;
    }
    return wskemu_unload_driver(driver) == STATUS_SUCCESS ? 0 : 1;
}

static int find_and_run(const char *name)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strcmp(drivers[i].image->name, name) == 0) {
            return run(drivers[i].image, drivers[i].type);
        }
    }
    fprintf(stderr, "no driver named %s\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2 || wskemu_boot(NULL) != STATUS_SUCCESS) {
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL) {
            return 2;
        }
        *value = '\0';
        set_parameter(argv[1], argv[i], (ULONG)strtoul(value + 1, NULL, 10));
    }
    int result = find_and_run(argv[1]);
    return wskemu_shutdown() == 0 ? result : 1;
}
