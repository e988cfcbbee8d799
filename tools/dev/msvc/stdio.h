#pragma once
#include <stddef.h>
#include <stdarg.h>
typedef struct FILE FILE;
int snprintf(char *, size_t, const char *, ...);
int vsnprintf(char *, size_t, const char *, va_list);
int sprintf(char *, const char *, ...);
int vsprintf(char *, const char *, va_list);
int printf(const char *, ...);
int puts(const char *);
int sscanf(const char *, const char *, ...);
int _snprintf(char *, size_t, const char *, ...);
int _vsnprintf(char *, size_t, const char *, va_list);
int fprintf(FILE *, const char *, ...);
extern FILE *stderr;
FILE *fopen(const char *, const char *);
char *fgets(char *, int, FILE *);
int ferror(FILE *);
int fclose(FILE *);
int remove(const char *);
