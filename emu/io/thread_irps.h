/* The requests of a thread. See thread_irps.c. */
#ifndef IO_THREAD_IRPS_H
#define IO_THREAD_IRPS_H

#include <wdm.h>

/* Queues an IRP to the calling thread, and takes it off again. */
void io_thread_irps_insert(PIRP irp);
void io_thread_irps_remove(PIRP irp);

/* Cancels the IRPs of the calling thread, which ends, and waits for them. PASSIVE_LEVEL. */
void io_thread_irps_cancel(PETHREAD thread);

/*
 * Bug checks if a request of the calling thread is pending whose event or status block lies where
 * a function that has returned had its variables. (IRP-103)
 */
void io_thread_irps_check_frames(void);

#endif
