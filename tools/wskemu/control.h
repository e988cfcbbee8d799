/*
 * The socket between `wskemu run` and the commands that ask it. It is local and the user's own: a
 * socket in a folder that only the user may enter, on Windows a named pipe.
 *
 * A question is one line of words; the answer is a line with an exit status, and then text.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_LINE_BYTES (4 * 1024 * 1024)

struct kernel_request;

/* Answers a question on a thread of its own: text from malloc, or NULL, and an exit status. It ends
 * soon after the request was cancelled: the asker went away, or the program ends. */
typedef int control_handler(struct kernel_request *request, char *question, char **answer);

/* Called on a thread of its own after control_ask_to_stop(). */
typedef void control_stopper(void);

/* Begins to answer; false after a complaint. on_tick comes ten times a
 * second. */
bool control_start(control_handler *handler, control_stopper *stopper, void (*on_tick)(void));

/* Has the stopper called; from any thread, which need not enter the kernel. */
void control_ask_to_stop(void);

/* Takes the socket's file away, for a program that ends at once. */
void control_remove_place(void);

/* Cancels what is asked, waits for its end, in the kernel, and closes. */
void control_stop(void);

/* Asks the program with that number, or the only one if it is 0, and prints the answer: to the
 * standard output if the status is 0, else as a complaint. Returns the exit status. */
int control_ask(unsigned process, const char *question);

#endif
