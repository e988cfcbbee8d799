/* What a run under faults tells the sweep that started it (harness/sweep.c): lines of the file that
 * WSKEMU_FAULT_LOG names. */
#ifndef VERIFIER_FAULT_LOG_H
#define VERIFIER_FAULT_LOG_H

/* Appends a line, which a crash right after it does not lose; nothing without such a file. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void verifier_fault_log(const char *format, ...);

#endif
