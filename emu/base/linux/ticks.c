#include "base/ticks.h"

#include <stdio.h>
#include <string.h>

/* The kernel compares the processors' counters, and keeps its own time by them only if they agree.
 */
bool base_ticks_are_trusted(void)
{
    char name[16] = "";
    FILE *from = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
    if (from == NULL) {
        return false;
    }
    bool is_read = fgets(name, sizeof(name), from) != NULL;
    fclose(from);
    return is_read && strcmp(name, "tsc\n") == 0;
}
