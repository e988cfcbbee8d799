/* Work items of drivers. See work_item.c. */
#ifndef IO_WORK_ITEM_H
#define IO_WORK_ITEM_H

#include <wdm.h>

#include "base/mutex.h"
#include "ke/code.h"

struct io_work_items {
    struct base_mutex lock; /* guards the list */
    LIST_ENTRY allocated;   /* by IoAllocateWorkItem, not freed yet */
};

void io_work_items_start(struct io_work_items *items);
void io_work_items_stop(struct io_work_items *items);

/* Prints the work items that were not freed and returns how many. */
unsigned io_work_items_report(struct io_work_items *items);

/* Warns of each item that code of the driver allocated and that is still there. (WORK-25) */
unsigned io_work_items_report_driver(const struct ke_code *code);

#endif
