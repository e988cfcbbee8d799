/* The network module registrar, for the rest of the emulator. */
#ifndef NMR_NMR_H
#define NMR_NMR_H

#include <wdm.h>
#include <netioddk.h>

#include "ke/kernel.h"

extern const struct ke_module nmr_module;

/*
 * Registers a provider of the emulator's own: it is not counted as left at shutdown, and goes with
 * the kernel. May be called while modules start; otherwise as NmrRegisterProvider.
 */
NTSTATUS nmr_register_own_provider(PNPI_PROVIDER_CHARACTERISTICS characteristics, PVOID context,
                                   PHANDLE handle);

#endif
