/*
 * What drivers may call by the headers and what is not there yet: a driver links, and a call is a
 * bug check that names the function.
 */
#include "ke/bugcheck.h"

#define MISSING(type, name, parameters)                                                            \
    type name parameters                                                                           \
    {                                                                                              \
        ke_not_implemented(#name);                                                                 \
    }

/* ---- callback objects ---- */

MISSING(NTSTATUS, ExCreateCallback,
        (PCALLBACK_OBJECT * CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN Create,
         BOOLEAN AllowMultipleCallbacks))
MISSING(PVOID, ExRegisterCallback,
        (PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
         PVOID CallbackContext))
MISSING(VOID, ExUnregisterCallback, (PVOID CallbackRegistration))
MISSING(VOID, ExNotifyCallback, (PVOID CallbackObject, PVOID Argument1, PVOID Argument2))
