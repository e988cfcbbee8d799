/* What `wskemu run` answers to the commands that ask it. */
#ifndef ANSWER_H
#define ANSWER_H

struct kernel_request;

/* See control_handler. */
int answer_question(struct kernel_request *request, char *question, char **answer);

#endif
