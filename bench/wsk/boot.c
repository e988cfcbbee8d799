/* 7: a whole life of the kernel, with a driver. */
#include "sides.h"
#include "wsk/end.h"

#include <wskemu/registry.h>
#include <wskemu/wskemu.h>

#define PARAMETERS L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tcp_echo\\Parameters"

/* What the driver says about itself. */
static void drop(void *context, const char *text, size_t length)
{
    (void)context, (void)text, (void)length;
}

static void start(const struct bench_load *load)
{
    (void)load;
    wskemu_log_redirect(drop, NULL);
}

static void stop(void)
{
    wskemu_log_redirect(NULL, NULL);
}

static void run(uint64_t operations)
{
    for (; operations != 0; operations--) {
        PDRIVER_OBJECT driver;
        ULONG port = 0; /* any */
        kernel_start();
        wskemu_registry_set(PARAMETERS, L"Port", REG_DWORD, &port, sizeof(port));
        BENCH_REQUIRE(NT_SUCCESS(wskemu_load_driver(WSKEMU_DRIVER(tcp_echo), &driver)));
        BENCH_REQUIRE(NT_SUCCESS(wskemu_unload_driver(driver)));
        kernel_stop();
    }
}

const struct bench_side emu_boot = {"wskemu", start, run, stop, NULL};
