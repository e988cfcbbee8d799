/*
 * The mistakes that are planted into echo.c: number, group of docs/rules/groups.csv, what the
 * driver does, the rule that has to be named, a word for the object that has to be named with it.
 */
#define PLANTS(X)                                                                                  \
    X(1, 1, "sends with an IRP of its own that has no completion routine", "WSK-IRP-09", "IRP")    \
    X(2, 1, "a completion routine of its own IRP lets completion go on", "WSK-IRP-11", "IRP")      \
    X(3, 1, "a completion routine that is not called for errors", "WSK-IRP-10", "IRP")             \
    X(4, 2, "completes a request twice", "IRP-93", "IRP")                                          \
    X(5, 2, "uses an IRP again while the send has it", "IRP-15", "IRP")                            \
    X(6, 2, "completes a request with STATUS_PENDING", "IRP-89", "IRP")                            \
    X(7, 3, "completes a request with its cancel routine still set", "IRP-91", "IRP")              \
    X(8, 4, "deregisters while its listening socket is open", "WSK-REG-46", "socket")              \
    X(9, 4, "does not free what it sent", "POOL-38", "bytes")                                      \
    X(10, 4, "does not free the IRP of a send", "WSK-IRP-15", "IRP")                               \
    X(11, 4, "does not free the MDL of a send", "WSK-BUF-12", "MDL")                               \
    X(12, 3, "returns STATUS_PENDING for a request that it did not mark", "IRP-80", "IRP")         \
    X(13, 12, "reads its memory after it was freed", "POOL-35", "bytes")                           \
    X(14, 5, "sends on a socket that it has closed", "WSK-CLOSE-10", "socket")                     \
    X(15, 5, "releases the provider twice", "WSK-REG-22", "registration")                          \
    X(16, 5, "uses the provider after it was released", "WSK-REG-25", "client")                    \
    X(17, 7, "waits for a request inside an event callback", "WSK-EVT-10", "thread")               \
    X(18, 6, "returns with a spin lock held", "SPIN-23", "spin lock")                              \
    X(19, 6, "acquires a spin lock that it holds", "SPIN-14", "spin lock")                         \
    X(20, 6, "looks at a paged string at DISPATCH_LEVEL", "RTL-41", "bytes")                       \
    X(21, 7, "waits for the close of a socket inside its event callback", "WSK-CLOSE-21",          \
      "thread")                                                                                    \
    X(22, 8, "sends more than its MDL describes", "WSK-BUF-08", "MDL")                             \
    X(23, 2, "frees an IRP while the send has it", "IRP-18", "IRP")                                \
    X(24, 8, "sends from an MDL that was not built", "WSK-BUF-05", "MDL")                          \
    X(25, 9, "keeps an indication and closes the socket", "WSK-IND-13", "socket")                  \
    X(26, 9, "accepts more bytes than were indicated", "WSK-EVT-26", "socket")                     \
    X(27, 9, "returns from its receive event what that may not return", "WSK-EVT-34", "socket")    \
    X(28, 11, "frees pool with another tag", "POOL-31", "pool block")                              \
    X(29, 11, "frees pool twice", "POOL-33", "pool block")                                         \
    X(30, 11, "writes behind the end of its pool", "POOL-36", "pool block")                        \
    X(31, 13, "is unloaded with its timer set", "TIMER-12", "timer")                               \
    X(32, 13, "is unloaded without WskDeregister", "WSK-REG-44", "registration")
