#include "ke/left.h"

#include "ke/code.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_uint others;

void ke_left_note(const void *creator)
{
    if (creator == NULL || (ke_code_was_any_known() && !ke_code_was_drivers(creator))) {
        atomic_fetch_add(&others, 1);
    }
}

unsigned ke_left_take_others(void)
{
    return atomic_exchange(&others, 0);
}
