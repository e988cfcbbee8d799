#include "base/stack.h"

#include "base/attempt.h"

#include <stdio.h>

_Thread_local struct base_attempt *base_attempt;

struct visit {
    base_stack_visitor *visitor;
    void *context;
    bool is_begun; /* the frame of base_stack_walk itself is not visited */
    struct base_attempt attempt;
};

/* Who is visited may take locks, which a jump would leave locked. */
static bool visit_one(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct visit *visit = context;
    if (!visit->is_begun) {
        visit->is_begun = true;
        return false;
    }
    base_attempt_end();
    bool is_last = visit->visitor(visit->context, pc, frame_pointer);
    base_attempt_begin(&visit->attempt);
    return is_last;
}

/* A driver may have written over the stack, so that what looks like a frame is none. */
bool base_stack_walk(base_stack_visitor *visitor, void *context)
{
    struct visit visit = {.visitor = visitor, .context = context};
    if (BASE_ATTEMPT(&visit.attempt)) {
        base_stack_walk_host(visit_one, &visit);
        base_attempt_end();
        return true;
    }
    return false;
}

struct base_site base_stack_site(const void *return_address)
{
    struct base_site site;
    struct base_stack_frame frame = {0};
    /* A call returns behind itself, which may be the next line. */
    base_stack_name((uintptr_t)return_address - 1, &frame);
    if (frame.function == NULL) {
        snprintf(site.text, sizeof(site.text), "%p", return_address);
    } else if (frame.file == NULL) {
        snprintf(site.text, sizeof(site.text), "%s", frame.function);
    } else {
        snprintf(site.text, sizeof(site.text), "%s at %s:%u", frame.function, frame.file,
                 frame.line);
    }
    return site;
}

struct base_site base_stack_site_of(const void *function)
{
    return base_stack_site((const char *)function + 1);
}
