/* --param NAME=VALUE. */
#ifndef PARAMETER_H
#define PARAMETER_H

#include "command.h"

/* Notes one; misuse of command if it has no such form. */
void parameter_add(const struct command *command, const char *text);

/* Writes all of them to a driver's Parameters key; false after a complaint. */
bool parameters_apply(const char *driver);

#endif
