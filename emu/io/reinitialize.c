#include "io/io.h"
#include "ke/callback.h"
#include "ke/limit.h"

#include <ntddk.h>

#include <stdlib.h>

/* Routines that a driver asks to be called again in, once its DriverEntry has succeeded. */

struct reinitialization {
    LIST_ENTRY link; /* in io_driver.reinitializations */
    PDRIVER_REINITIALIZE routine;
    PVOID context;
};

static void register_routine(PDRIVER_OBJECT object, PDRIVER_REINITIALIZE routine, PVOID context)
{
    struct reinitialization *entry = malloc(sizeof(*entry));
    if (entry == NULL) {
        return;
    }
    *entry = (struct reinitialization){.routine = routine, .context = context};
    io_drivers_lock();
    InsertTailList(&io_driver_of(object)->reinitializations, &entry->link);
    io_drivers_unlock();
}

/* Has the routine called after DriverEntry, and again if it registers itself again. PASSIVE_LEVEL.
 * (DEV-11) */
VOID IoRegisterDriverReinitialization(PDRIVER_OBJECT DriverObject,
                                      PDRIVER_REINITIALIZE DriverReinitializationRoutine,
                                      PVOID Context)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    register_routine(DriverObject, DriverReinitializationRoutine, Context);
}

/* As IoRegisterDriverReinitialization: every driver here is loaded after boot. */
VOID IoRegisterBootDriverReinitialization(PDRIVER_OBJECT DriverObject,
                                          PDRIVER_REINITIALIZE DriverReinitializationRoutine,
                                          PVOID Context)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    register_routine(DriverObject, DriverReinitializationRoutine, Context);
}

static struct reinitialization *take(struct io_driver *driver)
{
    struct reinitialization *entry = NULL;
    io_drivers_lock();
    if (!IsListEmpty(&driver->reinitializations)) {
        entry = CONTAINING_RECORD(RemoveHeadList(&driver->reinitializations),
                                  struct reinitialization, link);
        driver->extension.Count++;
    }
    io_drivers_unlock();
    return entry;
}

static void call(struct io_driver *driver, const struct reinitialization *entry)
{
    struct ke_callback callback;
    ke_callback_enter(&callback, "a reinitialization routine", (void *)(ULONG_PTR)entry->routine);
    entry->routine(&driver->object, entry->context, driver->extension.Count);
    ke_callback_leave(&callback);
}

void io_reinitialize(struct io_driver *driver)
{
    for (struct reinitialization *entry = take(driver); entry != NULL; entry = take(driver)) {
        call(driver, entry);
        free(entry);
    }
}

void io_reinitialize_forget(struct io_driver *driver)
{
    while (!IsListEmpty(&driver->reinitializations)) {
        free(CONTAINING_RECORD(RemoveHeadList(&driver->reinitializations), struct reinitialization,
                               link));
    }
}
