/* Variables of which each thread has one. */
#ifndef BASE_LOCAL_H
#define BASE_LOCAL_H

/*
 * For the few that every entry reads: they are found at a fixed distance from the thread pointer
 * even in a shared library, where the compiler would otherwise call a function of the host.
 */
#if defined(_WIN32)
#define BASE_THREAD_LOCAL _Thread_local
#else
#if defined(__GNUC__)
#define BASE_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#endif
#endif

#endif
