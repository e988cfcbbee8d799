#pragma once

#define GUARDED(statement, status)                                                                 \
    __try {                                                                                        \
        statement;                                                                                 \
    } __except (EXCEPTION_EXECUTE_HANDLER) {                                                       \
        status = GetExceptionCode();                                                               \
    }

NTSTATUS ByMacro(void);
