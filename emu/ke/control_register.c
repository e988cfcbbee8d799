/*
 * CR8, the processor's task priority register, for code that has it inlined: other headers than
 * ours make KeGetCurrentIrql, KeRaiseIrql and KeLowerIrql of a mov from and to it, which faults in
 * an ordinary process. The fault's handler comes here, and the move does what the routine does. A
 * write says only the new level, so that one below the current is a lowering, even if the source
 * says KeRaiseIrql.
 */
#include "ke/control_register.h"

#include "base/fault.h"
#include "base/instruction.h"
#include "ke/irql.h"
#include "ke/thread.h"

static void write_cr8(KIRQL new_irql)
{
    KIRQL old = ke_current()->irql;
    if (new_irql > old) {
        ke_raise_irql(new_irql);
    } else if (new_irql < old) {
        ke_lower_irql(new_irql);
    }
}

bool ke_emulate_instruction(struct base_fault *fault)
{
    struct base_cr8_move move;
    if (!base_decode_cr8(fault->pc, &move)) {
        return false;
    }
    uint64_t *general = &fault->registers[move.general];
    if (move.is_write && *general > HIGH_LEVEL) {
        return false; /* the processor has four bits there, and faults as well */
    }
    if (move.is_write) {
        write_cr8((KIRQL)*general);
    } else {
        *general = ke_current()->irql;
    }
    fault->pc += move.bytes;
    return true;
}
