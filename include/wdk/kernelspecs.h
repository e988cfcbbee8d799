/* The newer name of driverspecs.h. */
#ifndef WDK_KERNELSPECS_H
#define WDK_KERNELSPECS_H

#include "driverspecs.h"

#endif
