/*
 * devpkey.h - keys of device properties: of the many, the one that the kernel here looks at.
 * Include <initguid.h> in front of it in one source of a driver.
 */
#ifndef WDK_DEVPKEY_H
#define WDK_DEVPKEY_H

#include "devpropdef.h"

/* The user session that a device belongs to: DEVPROP_TYPE_UINT32. */
DEFINE_DEVPROPKEY(DEVPKEY_Device_SessionId, 0x83da6326, 0x97a6, 0x4088, 0x94, 0x53, 0xa1, 0x92,
                  0x3f, 0x57, 0x3b, 0x29, 6);

#endif
