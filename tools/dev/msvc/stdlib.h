#pragma once
#include <stddef.h>
void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void free(void *);
__declspec(noreturn) void abort(void);
__declspec(noreturn) void exit(int);
void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
char *getenv(const char *);
int rand(void);
unsigned long strtoul(const char *, char **, int);
unsigned long long strtoull(const char *, char **, int);
double strtod(const char *, char **);
long strtol(const char *, char **, int);
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
