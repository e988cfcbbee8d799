/* What a driver should not do but may: said, and gone on. */
#ifndef KE_WARNING_H
#define KE_WARNING_H

/* Writes one line with the rule's id, formatted with the host's printf. rule may be NULL. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void ke_warning(const char *rule, const char *sentence, ...);

#endif
