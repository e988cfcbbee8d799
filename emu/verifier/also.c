#include "verifier/also.h"

#include "ke/callback.h"

#include <stddef.h>
#include <string.h>

/* Who breaks a rule breaks the other one too: everywhere, or inside that kind of routine. */
static const struct {
    const char *rule;
    const char *also;
    const char *inside;
} pairs[] = {
    /* Driver Verifier's own names. */
    {"POOL-27", "DV-36", NULL},
    {"SPIN-09", "DV-35", NULL},
    {"SPIN-14", "DV-52", NULL},
    {"SPIN-15", "DV-52", NULL},
    {"SPIN-23", "DV-52", NULL},
    {"FAST-18", "DV-54", NULL},
    {"IRP-04", "DV-59", NULL},
    {"IRP-93", "DV-59", NULL},
    {"IRP-102", "DV-59", NULL},
    {"IRP-55", "DV-60", NULL},
    {"IRP-79", "DV-61", NULL},
    {"IRP-80", "DV-61", NULL},
    {"IRP-81", "DV-62", NULL},
    {"IRP-103", "DV-63", NULL},
    {"IRP-60", "DV-65", NULL},
    {"CANCEL-10", "DV-67", NULL},
    {"IRQL-17", "DV-53", NULL},
    /* A rule for one case, and that for all. */
    {"POOL-29", "POOL-28", NULL},
    {"EVT-08", "DV-34", NULL},
    {"CANCEL-14", "IRP-91", NULL},
    {"IRP-44", "IRP-41", NULL},
    {"IRP-70", "IRP-79", NULL},
    {"IRP-70", "DV-61", NULL},
    {"IRP-72", "IRP-82", NULL},
    {"DEV-68", "IRP-90", NULL},
    {"DEV-54", "IRP-82", NULL},
    {"DEV-74", "POOL-36", NULL},
    {"DEV-58", "POOL-35", NULL},
    {"MDL-56", "POOL-36", NULL},
    {"DEV-75", "POOL-40", NULL},
    {"CANCEL-17", "CANCEL-16", NULL},
    {"FAST-47", "POOL-29", NULL},
    {"FAST-47", "POOL-28", NULL},
    {"IRP-16", "IRP-12", NULL},
    {"IRP-109", "IRP-04", NULL},
    {"IRP-109", "DV-59", NULL},
    {"IRP-31", "IRP-69", NULL},
    {"WSK-IRP-09", "IRP-55", NULL},
    {"WSK-IRP-10", "IRP-55", NULL},
    {"WSK-IRP-11", "IRP-04", NULL},
    {"WSK-IRP-13", "IRP-12", NULL},
    {"WSK-IRP-15", "IRP-21", NULL},
    {"WSK-IRP-16", "IRP-102", NULL},
    {"WSK-IRP-21", "IRP-68", NULL},
    {"WSK-IRP-22", "IRP-69", NULL},
    {"WAIT-09", "IRQL-12", NULL},
    {"WAIT-09", "WAIT-08", NULL},
    {"WAIT-27", "WAIT-08", NULL},
    {"WAIT-27", "WAIT-09", NULL},
    {"WAIT-27", "IRQL-12", NULL},
    {"DPC-17", "WAIT-09", NULL},
    {"MUTEX-11", "THREAD-34", NULL},
    {"THREAD-34", "IRQL-18", NULL},
    {"SPIN-14", "SPIN-17", NULL},
    {"SPIN-15", "SPIN-17", NULL},
    {"SESS-43", "SESS-42", NULL},
    {"IRP-42", "CANCEL-13", NULL},
    {"IRP-91", "CANCEL-11", NULL},
    {"IRP-91", "CANCEL-13", NULL},
    /* What Unload must have undone. */
    {"POOL-38", "DEV-19", NULL},
    {"POOL-38", "DEV-20", NULL},
    {"MDL-12", "DEV-19", NULL},
    {"MDL-36", "MDL-12", NULL},
    {"MDL-36", "DEV-19", NULL},
    {"WSK-BUF-12", "WSK-IRP-33", NULL},
    {"WSK-BUF-12", "MDL-12", NULL},
    {"WSK-BUF-12", "DEV-19", NULL},
    {"WORK-25", "DEV-19", NULL},
    {"TIMER-12", "DEV-19", NULL},
    {"THREAD-14", "DEV-19", NULL},
    {"DEV-44", "DEV-19", NULL},
    {"DEV-48", "DEV-19", NULL},
    {"SESS-74", "DEV-21", NULL},
    /* Options of sockets. */
    {"WSK-OPT-07", "WSK-INSP-02", NULL},
    {"WSK-OPT-11", "WSK-SHR-46", NULL},
    {"WSK-OPT-15", "WSK-SHR-46", NULL},
    {"WSK-OPT-02", "WSK-SKO-08", NULL},
    {"WSK-OPT-05", "WSK-SKO-08", NULL},
    {"WSK-OPT-09", "WSK-SKO-08", NULL},
    {"WSK-OPT-13", "WSK-SKO-08", NULL},
    {"WSK-OPT-17", "WSK-SKO-08", NULL},
    {"WSK-OPT-22", "WSK-SKO-08", NULL},
    {"WSK-OPT-28", "WSK-SKO-08", NULL},
    {"WSK-IOC-04", "WSK-SKO-08", NULL},
    {"WSK-IOC-07", "WSK-SKO-08", NULL},
    {"WSK-IOC-25", "WSK-SKO-08", NULL},
    {"WSK-EXT-02", "WSK-SKO-08", NULL},
    /* MDLs that pending requests hold. */
    {"WSK-RECV-21", "WSK-BUF-09", NULL},
    {"WSK-CONN-24", "WSK-BUF-09", NULL},
    {"WSK-DGRM-15", "WSK-BUF-09", NULL},
    /* Clients of WSK. */
    {"WSK-IND-13", "WSK-CLOSE-11", NULL},
    {"WSK-CLOSE-05", "WSK-HDR-30", NULL},
    {"WSK-SOCK-20", "WSK-SEC-04", NULL},
    {"WSK-OPT-29", "WSK-SEC-04", NULL},
    {"WSK-CTL-31", "WSK-CBE-29", NULL},
    {"WSK-CLOSE-18", "WSK-CTL-24", NULL},
    {"WSK-REG-23", "WSK-REG-22", NULL},
    {"WSK-NAME-21", "WSK-REG-25", NULL},
    {"WSK-IRP-17", "IRP-67", NULL},
    {"WSK-IRP-18", "DEV-18", NULL},
    {"WSK-IRP-02", "IRP-19", NULL},
    {"WSK-IRP-28", "IRP-94", NULL},
    {"WSK-IRP-36", "WAIT-09", NULL},
    {"WSK-IRP-25", "WAIT-09", NULL},
    {"WSK-EVT-10", "WAIT-09", NULL},
    {"WSK-EVT-07", "WSK-IRP-25", NULL},
    {"WSK-EVT-07", "WSK-EVT-10", NULL},
    {"WSK-EVT-07", "WAIT-09", NULL},
    {"WSK-ACC-35", "WSK-EVT-07", NULL},
    {"WSK-ACC-35", "WAIT-09", NULL},
    {"WSK-INSP-35", "WSK-EVT-07", NULL},
    {"WSK-INSP-35", "WAIT-09", NULL},
    {"WSK-CLOSE-21", "WSK-EVT-07", NULL},
    {"WSK-CLOSE-21", "WAIT-09", NULL},
    {"WSK-CBE-15", "WSK-EVT-07", NULL},
    {"WSK-CBE-15", "WAIT-09", NULL},
    /* What holds in one kind of routine. */
    {"SPIN-09", "IRP-64", "a completion routine"},
    {"WAIT-09", "CANCEL-41", "routines of a cancel-safe queue"},
    {"IRQL-12", "CANCEL-41", "routines of a cancel-safe queue"},
    {"IRQL-13", "CANCEL-41", "routines of a cancel-safe queue"},
    {"FAST-04", "CANCEL-41", "routines of a cancel-safe queue"},
    {"IRQL-14", "SESS-54", "a session callback"},
    {"SPIN-23", "SESS-54", "a session callback"},
};

static bool is_inside(const char *what)
{
    const struct ke_callback *innermost = ke_callback_innermost();
    return what == NULL || (innermost != NULL && strcmp(innermost->what, what) == 0);
}

const char *verifier_rule_also(const char *rule, unsigned *next)
{
    while (rule != NULL && *next < sizeof(pairs) / sizeof(pairs[0])) {
        unsigned i = (*next)++;
        if (strcmp(pairs[i].rule, rule) == 0 && is_inside(pairs[i].inside)) {
            return pairs[i].also;
        }
    }
    return NULL;
}
