/* Where a running program can be asked: one file in one folder a user. */
#ifndef CONTROL_PLACE_H
#define CONTROL_PLACE_H

#include <stdbool.h>

#define CONTROL_PLACE_BYTES 512

/* The calling program's place; its folder is made. On Windows the file only marks the pipe. */
bool control_place_choose(char place[CONTROL_PLACE_BYTES]);

/* The place of the program of that number. */
bool control_place_of(unsigned process, char place[CONTROL_PLACE_BYTES]);

/* The numbers of programs that have a place, which may be dead; returns how many, at most count. */
int control_place_list(unsigned *processes, int count);

/* What to connect to. */
const char *control_place_pipe(const char *place);

void control_place_remove(const char *place);

#endif
