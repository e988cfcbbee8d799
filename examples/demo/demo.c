/* `./dev demo`: a WSK driver, a client in another process, and all that happens in between. */
#include "narrator.h"
#include "run_client.h"

#include <wskemu/peer.h>
#include <wskemu/registry.h>
#include <wskemu/wskemu.h>

#include <ntddk.h>

#include <stdio.h>

#define PARAMETERS L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tcp_echo\\Parameters"

static bool serve(const char *client)
{
    PDRIVER_OBJECT driver;
    ULONG port = wskemu_free_port(AF_INET, SOCK_STREAM);
    if (!NT_SUCCESS(wskemu_registry_set(PARAMETERS, L"Port", REG_DWORD, &port, sizeof(port)))) {
        return false;
    }
    puts("demo      loads the driver tcp_echo");
    NTSTATUS status = wskemu_load_driver(WSKEMU_DRIVER(tcp_echo), &driver);
    if (!NT_SUCCESS(status)) {
        printf("demo      DriverEntry returned 0x%08X\n", (unsigned)status);
        return false;
    }
    puts("demo      starts a client, a process with the host's sockets");
    bool is_good = run_client(client, port);
    puts("demo      unloads the driver");
    return wskemu_unload_driver(driver) == STATUS_SUCCESS && is_good;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0); /* the client writes there too */
    if (argc != 2) {
        fputs("usage: demo CLIENT\n", stderr);
        return 2;
    }
    narrator_start();
    if (!NT_SUCCESS(wskemu_boot(NULL))) {
        return 1;
    }
    puts("demo      has booted a kernel");
    bool is_good = serve(argv[1]);
    unsigned left = wskemu_shutdown();
    printf("demo      %s\n", left == 0 ? "nothing left" : "something was left");
    return is_good && left == 0 ? 0 : 1;
}
