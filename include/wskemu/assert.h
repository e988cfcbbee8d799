/*
 * Assertions for any thread, at any IRQL: in a DPC, a callback, a completion routine, a system
 * thread. One that fails is printed with its file and line and lets its thread go on; the test
 * fails at its next wait (wskemu/wait.h) or at its end. The assertions of a test framework jump
 * out of the test function instead, so they are for the test's own thread.
 *
 *     static NTSTATUS done(PDEVICE_OBJECT device, PIRP irp, PVOID context)
 *     {
 *         wskemu_assert_status(irp->IoStatus.Status, STATUS_SUCCESS);
 *         wskemu_assert_int_equal(irp->IoStatus.Information, 4);
 *         KeSetEvent(context, IO_NO_INCREMENT, FALSE);
 *         return STATUS_MORE_PROCESSING_REQUIRED;
 *     }
 */
#ifndef WSKEMU_ASSERT_H
#define WSKEMU_ASSERT_H

#include <wdm.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wskemu_failure {
    const char *file;
    int line;
    char text[256];
};

/* Records a failure, with the host's printf. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void wskemu_fail_at(const char *file, int line, const char *format, ...);

/* Takes the oldest failure that was recorded; FALSE if there is none. */
BOOLEAN wskemu_failure_take(struct wskemu_failure *failure);

/* Forgets all that were recorded. */
void wskemu_failures_forget(void);

/* "STATUS_SUCCESS", or "" for a status without a name. */
const char *wskemu_status_name(NTSTATUS status);

#define wskemu_fail(text) wskemu_fail_at(__FILE__, __LINE__, "%s", text)

#define wskemu_assert_true(condition)                                                              \
    ((condition) ? (void)0 : wskemu_fail_at(__FILE__, __LINE__, "%s is false", #condition))
#define wskemu_assert_false(condition)                                                             \
    ((condition) ? wskemu_fail_at(__FILE__, __LINE__, "%s is true", #condition) : (void)0)
#define wskemu_assert_null(pointer)                                                                \
    wskemu_check_null(__FILE__, __LINE__, #pointer, (const void *)(pointer), TRUE)
#define wskemu_assert_non_null(pointer)                                                            \
    wskemu_check_null(__FILE__, __LINE__, #pointer, (const void *)(pointer), FALSE)
#define wskemu_assert_int_equal(value, expected)                                                   \
    wskemu_check_equal(__FILE__, __LINE__, #value, (LONG64)(value), (LONG64)(expected), TRUE)
#define wskemu_assert_int_not_equal(value, unexpected)                                             \
    wskemu_check_equal(__FILE__, __LINE__, #value, (LONG64)(value), (LONG64)(unexpected), FALSE)
#define wskemu_assert_ptr_equal(value, expected)                                                   \
    wskemu_check_equal(__FILE__, __LINE__, #value, (LONG64)(ULONG_PTR)(value),                     \
                       (LONG64)(ULONG_PTR)(expected), TRUE)
#define wskemu_assert_string_equal(value, expected)                                                \
    wskemu_check_string(__FILE__, __LINE__, #value, value, expected)
#define wskemu_assert_memory_equal(value, expected, bytes)                                         \
    (memcmp(value, expected, bytes) == 0                                                           \
         ? (void)0                                                                                 \
         : wskemu_fail_at(__FILE__, __LINE__, "%s differs from %s", #value, #expected))
#define wskemu_assert_status(value, expected)                                                      \
    wskemu_check_status(__FILE__, __LINE__, #value, value, expected)
#define wskemu_assert_nt_success(value) wskemu_check_success(__FILE__, __LINE__, #value, value)

/* What the above call; each says whether it held. */
BOOLEAN wskemu_check_null(const char *file, int line, const char *expression, const void *pointer,
                          BOOLEAN is_null);
BOOLEAN wskemu_check_equal(const char *file, int line, const char *expression, LONG64 value,
                           LONG64 other, BOOLEAN is_equal);
BOOLEAN wskemu_check_string(const char *file, int line, const char *expression, const char *value,
                            const char *expected);
BOOLEAN wskemu_check_status(const char *file, int line, const char *expression, NTSTATUS value,
                            NTSTATUS expected);
BOOLEAN wskemu_check_success(const char *file, int line, const char *expression, NTSTATUS value);

#ifdef __cplusplus
}
#endif

#endif
