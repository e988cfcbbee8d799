/* What a socket was told by options and others act on. See option.c. */
#ifndef WSK_OPTION_H
#define WSK_OPTION_H

/* Bits of wsk_socket.options; guarded by the socket's lock. The first five may change only before
 * the socket is bound or, the fifth, connected. */
enum wsk_socket_options {
    WSK_OPTION_REUSE_ADDRESS = 0x1,     /* SO_REUSEADDR */
    WSK_OPTION_EXCLUSIVE_ADDRESS = 0x2, /* SO_EXCLUSIVEADDRUSE */
    WSK_OPTION_IPV6_ONLY = 0x4,         /* IPV6_V6ONLY; a socket of IPv6 begins with it */
    WSK_OPTION_CONDITIONAL = 0x8,       /* SO_CONDITIONAL_ACCEPT, also in wsk_listener */
    WSK_OPTION_FAST_LOOPBACK = 0x10,    /* SIO_LOOPBACK_FAST_PATH */
    WSK_OPTION_IPV4_ERRORS = 0x20,      /* IP_RECVERR */
    WSK_OPTION_IPV6_ERRORS = 0x40,      /* IPV6_RECVERR */
    WSK_OPTION_FAST_OPEN = 0x80,        /* TCP_FASTOPEN: data may, but need not, go in the SYN */
};

#endif
