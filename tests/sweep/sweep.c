/*
 * Sweeps a test program of faults: sweep PROGRAM [TEST...]. By call stacks, each once for all
 * tests; with WSKEMU_LONG by calls. A program without tests by name is run as it is.
 */
#include <wskemu/fault.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const char *is_long = getenv("WSKEMU_LONG");
    ULONG found = 0;
    ULONG trials = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: sweep PROGRAM [TEST...]\n");
        return 2;
    }
    for (int i = argc > 2 ? 2 : 1; i < argc; i++) {
        struct wskemu_sweep sweep = {.program = argv[1],
                                     .test = i == 1 ? NULL : argv[i],
                                     .is_each = is_long != NULL && is_long[0] != '\0',
                                     .spares_done = TRUE};
        struct wskemu_sweep_result result = {0};
        wskemu_fault_sweep_with(&sweep, &result);
        found += result.found;
        trials += result.trials;
    }
    printf("%u trials, %u found\n", (unsigned)trials, (unsigned)found);
    return found == 0 ? 0 : 1;
}
