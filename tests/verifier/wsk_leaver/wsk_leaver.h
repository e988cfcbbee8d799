/* What the driver wsk_leaver leaves with WSK or NMR when it is unloaded. */
#ifndef TESTS_VERIFIER_WSK_LEAVER_H
#define TESTS_VERIFIER_WSK_LEAVER_H

enum leaver_act {
    LEAVER_NOTHING, /* the good twin: it registers with both, makes a socket, and ends all */
    LEAVER_REGISTRATION,
    LEAVER_SOCKET,
    LEAVER_NMR_CLIENT,
    LEAVER_NMR_WAIT, /* it deregisters, and does not wait */
    LEAVER_FAILS,    /* its DriverEntry fails, and has not deregistered */
    LEAVER_WAITS,    /* its capture in DriverEntry waits for ever */
};

#endif
