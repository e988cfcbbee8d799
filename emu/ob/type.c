/* Types of objects that nothing here makes; drivers name them to have a handle checked. (OB-09) */
#include "ob/object.h"

#include <ntifs.h>

static struct _OBJECT_TYPE semaphore_type = {.name = "Semaphore"};
static POBJECT_TYPE semaphore_type_pointer = &semaphore_type;
POBJECT_TYPE *ExSemaphoreObjectType = &semaphore_type_pointer;

static struct _OBJECT_TYPE token_type = {.name = "Token"};
static POBJECT_TYPE token_type_pointer = &token_type;
POBJECT_TYPE *SeTokenObjectType = &token_type_pointer;
