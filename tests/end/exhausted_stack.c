/* A driver that recurses without an end: the program must end, and say why. See check.cmake. */
#include <wskemu/wskemu.h>

#define WILD __attribute__((noinline, no_sanitize("undefined", "address", "thread")))

static volatile int depth_max = 0x7FFFFFFF;

/* NOLINTNEXTLINE(misc-no-recursion) */
WILD static int go_deeper(int depth)
{
    volatile char local[1024];
    local[0] = (char)depth;
    return depth == depth_max ? 0 : go_deeper(depth + 1) + local[0];
}

int main(void)
{
    if (!NT_SUCCESS(wskemu_boot(NULL))) {
        return 1;
    }
    go_deeper(0);
    return 0; /* never reached */
}
