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

/* ---- privileged ones ---- */

bool base_decode_is_privileged(uintptr_t pc)
{
    const uint8_t *code = (const uint8_t *)pc;
    switch (code[0]) {
    case 0xF4: /* hlt */
    case 0xFA: /* cli */
    case 0xFB: /* sti */
    case 0xE4: /* in and out */
    case 0xE5:
    case 0xE6:
    case 0xE7:
    case 0xEC:
    case 0xED:
    case 0xEE:
    case 0xEF:
        return true;
    case TWO_BYTES:
        break;
    default:
        return false;
    }
    return code[1] == 0x06 || code[1] == 0x08 || code[1] == 0x09 || /* clts, invd, wbinvd */
           (code[1] >= 0x20 && code[1] <= 0x23) ||                  /* control, debug registers */
           code[1] == 0x30 || code[1] == 0x32 || code[1] == 0x33;   /* wrmsr, rdmsr, rdpmc */
}

/* ---- operands in memory ---- */

/* REX, which a VEX prefix holds inverted. */
#define REX_X 0x02 /* fourth bit of the index register's number */

#define MODE(modrm) ((modrm) >> 6)
#define MODE_REGISTER 3
#define REGISTER_FIELD(modrm) (((modrm) >> 3) & 7)
#define BASE_FIELD(byte) ((byte)&7)
#define HAS_SIB 4       /* as base: another byte follows */
#define NO_INDEX 4      /* as index */
#define NO_BASE_FOR_0 5 /* as base in mode 0: a displacement only, or one from the next address */

#define VEX_3 0xC4
#define VEX_2 0xC5

/* An instruction, byte by byte. */
struct decoder {
    const uint8_t *next;
    const uint64_t *registers;
    unsigned rex;
    unsigned map; /* 1: one byte, 2: behind 0F, 3: behind 0F 38 or 0F 3A */
    uint8_t opcode;
    bool is_segment_based; /* on fs or gs, whose bases are not known here */
};

static void take_prefixes(struct decoder *decoder)
{
    for (;; decoder->next++) {
        switch (*decoder->next) {
        case 0x64:
        case 0x65:
            decoder->is_segment_based = true;
            break;
        case 0x2E:
        case 0x36:
        case 0x3E:
        case 0x26:
        case 0x66:
        case 0xF0:
        case 0xF2:
        case 0xF3:
            break;
        default:
            return;
        }
    }
}

static void take_vex(struct decoder *decoder, uint8_t first)
{
    uint8_t bits = *decoder->next++;
    decoder->map = 2;
    if (first == VEX_3) {
        decoder->rex = (unsigned)(~bits >> 5) & (REX_B | REX_X | REX_R);
        decoder->map = (bits & 0x1F) == 1 ? 2 : 3;
        decoder->next++;
    }
    decoder->opcode = *decoder->next++;
}

static void take_opcode(struct decoder *decoder)
{
    decoder->map = 1;
    if ((*decoder->next & REX_MASK) == REX) {
        decoder->rex = *decoder->next++;
    }
    decoder->opcode = *decoder->next++;
    if (decoder->opcode == VEX_2 || decoder->opcode == VEX_3) {
        take_vex(decoder, decoder->opcode);
    } else if (decoder->opcode == TWO_BYTES) {
        decoder->map = 2;
        decoder->opcode = *decoder->next++;
        if (decoder->opcode == 0x38 || decoder->opcode == 0x3A) {
            decoder->map = 3;
            decoder->opcode = *decoder->next++;
        }
    }
}

/* Those without an immediate value behind the operand are known, and those relative to the next
 * instruction, whose address needs its length, are not. */
static bool has_modrm(const struct decoder *decoder)
{
    uint8_t opcode = decoder->opcode;
    if (decoder->map == 2) {
        return (opcode >= 0x10 && opcode <= 0x17) || (opcode >= 0x28 && opcode <= 0x2F) ||
               (opcode >= 0x40 && opcode <= 0x7F && opcode != 0x77) ||
               (opcode >= 0x90 && opcode <= 0x9F) || (opcode >= 0xA3 && opcode <= 0xA5) ||
               (opcode >= 0xAB && opcode <= 0xC7) || opcode >= 0xD0;
    }
    if (decoder->map == 3) {
        return true;
    }
    return (opcode < 0x40 && (opcode & 7) < 4) || opcode == 0x63 || opcode == 0x69 ||
           opcode == 0x6B || (opcode >= 0x80 && opcode <= 0x8B) || opcode == 0xC0 ||
           opcode == 0xC1 || opcode == 0xC6 || opcode == 0xC7 ||
           (opcode >= 0xD0 && opcode <= 0xD3) || opcode == 0xF6 || opcode == 0xF7 ||
           opcode == 0xFE || opcode == 0xFF;
}

static uint64_t extended(const struct decoder *decoder, unsigned number, unsigned bit)
{
    return decoder->registers[number + ((decoder->rex & bit) != 0 ? 8 : 0)];
}

static int32_t take_displacement(struct decoder *decoder, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint32_t)*decoder->next++ << (8 * i);
    }
    return bytes == 1 ? (int8_t)value : (int32_t)value;
}

static bool compute(struct decoder *decoder, uint8_t modrm, uintptr_t *address)
{
    static const unsigned displacement_bytes[] = {0, 1, 4};
    unsigned bytes = displacement_bytes[MODE(modrm)];
    unsigned base = BASE_FIELD(modrm);
    bool is_scaled = base == HAS_SIB;
    *address = 0;
    if (is_scaled) {
        uint8_t sib = *decoder->next++;
        unsigned index = REGISTER_FIELD(sib);
        base = BASE_FIELD(sib);
        if (index != NO_INDEX || (decoder->rex & REX_X) != 0) {
            *address = extended(decoder, index, REX_X) << MODE(sib);
        }
    }
    if (base == NO_BASE_FOR_0 && MODE(modrm) == 0) {
        *address += (uintptr_t)take_displacement(decoder, 4);
        return is_scaled;
    }
    *address += extended(decoder, base, REX_B) + (uintptr_t)take_displacement(decoder, bytes);
    return true;
}

/* As far as it is sure; arithmetic that reads and writes counts as a write. */
static void tell_access(const struct decoder *decoder, struct base_operand *operand)
{
    uint8_t opcode = decoder->opcode;
    bool is_write = false;
    bool is_read = false;
    if (decoder->map == 1) {
        is_write = opcode == 0x88 || opcode == 0x89 || opcode == 0xC6 || opcode == 0xC7 ||
                   (opcode < 0x38 && (opcode & 7) < 2);
        is_read = opcode == 0x8A || opcode == 0x8B || opcode == 0x63 ||
                  (opcode < 0x40 && (opcode & 7) >= 2) || opcode == 0x84 || opcode == 0x85 ||
                  opcode == 0x38 || opcode == 0x39;
    } else if (decoder->map == 2) {
        is_write = opcode == 0x11 || opcode == 0x29 || opcode == 0x7F || opcode == 0xD6 ||
                   opcode == 0xE7 || opcode == 0x2B || opcode == 0xB0 || opcode == 0xB1 ||
                   opcode == 0xC0 || opcode == 0xC1;
        is_read = opcode == 0x10 || opcode == 0x28 || opcode == 0x6F || opcode == 0xB6 ||
                  opcode == 0xB7 || opcode == 0xBE || opcode == 0xBF;
    }
    operand->is_access_known = is_write || is_read;
    operand->access = is_write ? BASE_FAULT_WRITE : BASE_FAULT_READ;
}

static void set_operand(struct base_operand *operand, uintptr_t address,
                        enum base_fault_access access)
{
    operand->address = address;
    operand->access = access;
    operand->is_access_known = true;
}

/* ret, and instructions on strings, which name no register. */
static bool decode_implied(const struct decoder *decoder, struct base_operand *operand)
{
    uintptr_t to = decoder->registers[BASE_RDI];
    uintptr_t from = decoder->registers[BASE_RSI];
    uintptr_t stack = decoder->registers[BASE_RSP];
    if (decoder->map != 1) {
        return false;
    }
    switch (decoder->opcode) {
    case 0xC2: /* ret */
    case 0xC3:
        operand->is_return = base_is_canonical(stack);
        set_operand(operand, operand->is_return ? *(const uintptr_t *)stack : stack,
                    operand->is_return ? BASE_FAULT_EXECUTE : BASE_FAULT_READ);
        return true;
    case 0xAA: /* stos */
    case 0xAB:
        set_operand(operand, to, BASE_FAULT_WRITE);
        return true;
    case 0xA4: /* movs */
    case 0xA5:
        set_operand(operand, base_is_canonical(to) ? from : to,
                    base_is_canonical(to) ? BASE_FAULT_READ : BASE_FAULT_WRITE);
        return true;
    case 0xA6: /* cmps */
    case 0xA7:
        set_operand(operand, base_is_canonical(to) ? from : to, BASE_FAULT_READ);
        return true;
    case 0xAC: /* lods */
    case 0xAD:
        set_operand(operand, from, BASE_FAULT_READ);
        return true;
    case 0xAE: /* scas */
    case 0xAF:
        set_operand(operand, to, BASE_FAULT_READ);
        return true;
    default:
        return false;
    }
}

/* call and jmp: by a register, or through a pointer in memory. */
static bool is_branch(const struct decoder *decoder, uint8_t modrm)
{
    return decoder->map == 1 && decoder->opcode == 0xFF &&
           (REGISTER_FIELD(modrm) == 2 || REGISTER_FIELD(modrm) == 4);
}

bool base_decode_operand(uintptr_t pc, const uint64_t *registers, struct base_operand *operand)
{
    struct decoder decoder = {.next = (const uint8_t *)pc, .registers = registers};
    *operand = (struct base_operand){0};
    take_prefixes(&decoder);
    take_opcode(&decoder);
    if (decoder.is_segment_based) {
        return false;
    }
    if (!has_modrm(&decoder)) {
        return decode_implied(&decoder, operand);
    }
    uint8_t modrm = *decoder.next++;
    bool is_call = is_branch(&decoder, modrm);
    if (MODE(modrm) == MODE_REGISTER) {
        set_operand(operand, extended(&decoder, BASE_FIELD(modrm), REX_B), BASE_FAULT_EXECUTE);
        return is_call;
    }
    if (!compute(&decoder, modrm, &operand->address)) {
        return false;
    }
    tell_access(&decoder, operand);
    if (is_call && base_is_canonical(operand->address)) {
        set_operand(operand, *(const uintptr_t *)operand->address, BASE_FAULT_EXECUTE);
    } else if (is_call) {
        set_operand(operand, operand->address, BASE_FAULT_READ);
    }
    return true;
}

void base_decode_refused(struct base_fault *fault)
{
    struct base_operand operand = {.address = fault->pc, .access = BASE_FAULT_EXECUTE};
    bool is_told = !base_is_canonical(fault->pc);
    operand.is_access_known = is_told;
    if (!is_told) {
        is_told = base_decode_operand(fault->pc, fault->registers, &operand);
    }
    fault->address = is_told ? operand.address : BASE_FAULT_NO_ADDRESS;
    fault->access = is_told ? operand.access : BASE_FAULT_READ;
    fault->is_access_known = is_told && operand.is_access_known;
    fault->is_return = is_told && operand.is_return;
    fault->reason = is_told && !base_is_canonical(operand.address) ? BASE_FAULT_NOT_CANONICAL
                                                                   : BASE_FAULT_UNTOLD;
}
