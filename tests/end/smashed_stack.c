/* A driver that wrote over its own stack: the program must end, and say why. See check.cmake. */
#include <wskemu/wskemu.h>

#define WILD __attribute__((noinline, no_sanitize("undefined", "address", "thread")))

/* Not on the stack, which is written over. */
static volatile char *volatile start;
static volatile int i;

WILD static void write_behind_a_local(void)
{
    volatile char local[8];
    start = local;
    for (i = 0; i < 64; i++) {
        start[i] = 1;
    }
}

int main(void)
{
    if (!NT_SUCCESS(wskemu_boot(NULL))) {
        return 1;
    }
    write_behind_a_local();
    return 0; /* never reached */
}
