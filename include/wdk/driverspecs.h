/* The annotations of drivers (__drv_..., _IRQL_..., locks) stand with all others. */
#ifndef WDK_DRIVERSPECS_H
#define WDK_DRIVERSPECS_H
#ifndef DRIVERSPECS_H
#define DRIVERSPECS_H
#endif

#include "sal.h"

/* Marks what kind of code a file holds; written as statements at file scope. */
#define __user_code
#define __kernel_code
#define __kernel_driver
#define __user_driver
#define _Kernel_driver_
#define _User_driver_

#endif
