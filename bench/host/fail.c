#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

void bench_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    exit(2);
}
