/* Writing events to a file. See recorder.c. */
#ifndef TRACE_RECORDER_H
#define TRACE_RECORDER_H

#include "trace/trace.h"

/* The groups that are recorded; 0 while nothing is. */
extern _Atomic unsigned trace_recorded_groups;

void trace_record(const struct trace_event *event);

/* Works out anew who watches what. */
void trace_groups_update(void);

#endif
