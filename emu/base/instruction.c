#include "base/instruction.h"

/* The prefix that widens both operands' numbers to four bits: 0100WRXB. */
#define REX 0x40
#define REX_MASK 0xF0
#define REX_B 0x01 /* fourth bit of the general register's number */
#define REX_R 0x04 /* and of the control register's */

#define TWO_BYTES 0x0F
#define READ_CONTROL 0x20
#define WRITE_CONTROL 0x22

/* The last byte: two bits without a meaning here, the control register's and the general's. */
#define CONTROL(operands) (((operands) >> 3) & 7)
#define GENERAL(operands) ((operands)&7)

/* Byte by byte: the next one is there only because no shorter instruction begins so. */
bool base_decode_cr8(uintptr_t pc, struct base_cr8_move *move)
{
    const uint8_t *code = (const uint8_t *)pc;
    if ((code[0] & REX_MASK) != REX || (code[0] & REX_R) == 0 || code[1] != TWO_BYTES) {
        return false;
    }
    if ((code[2] != READ_CONTROL && code[2] != WRITE_CONTROL) || CONTROL(code[3]) != 0) {
        return false;
    }
    move->is_write = code[2] == WRITE_CONTROL;
    move->general = GENERAL(code[3]) + ((code[0] & REX_B) != 0 ? 8 : 0);
    move->bytes = 4;
    return true;
}
