/* Runs the heartbeat driver for half a second and says what it left: `./dev demo`. */
#include <wskemu/wskemu.h>

#include <ntddk.h>

#include <stdio.h>

int main(void)
{
    PDRIVER_OBJECT driver;
    LARGE_INTEGER half_a_second = {.QuadPart = -5000000};
    if (!NT_SUCCESS(wskemu_boot(NULL))) {
        return 1;
    }
    DbgPrint("demo: booted\n");
    NTSTATUS status = wskemu_load_driver(WSKEMU_DRIVER(heartbeat), &driver);
    if (!NT_SUCCESS(status)) {
        DbgPrint("demo: DriverEntry returned 0x%08X\n", status);
        wskemu_shutdown();
        return 1;
    }
    KeDelayExecutionThread(KernelMode, FALSE, &half_a_second);
    wskemu_unload_driver(driver);
    DbgPrint("demo: shutting down\n");
    unsigned left = wskemu_shutdown();
    puts(left == 0 ? "demo: nothing left" : "demo: something was left");
    return left == 0 ? 0 : 1;
}
