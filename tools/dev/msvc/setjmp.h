#pragma once
typedef struct {
    unsigned long long part[2];
} _JBTYPE;
typedef _JBTYPE jmp_buf[16];
int _setjmp(jmp_buf);
__declspec(noreturn) void longjmp(jmp_buf, int);
#define setjmp _setjmp
typedef struct _JUMP_BUFFER {
    unsigned long long Frame;
} _JUMP_BUFFER;
