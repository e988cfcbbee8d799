/* timeline.html as bytes; see embed.cmake. */
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stddef.h>

extern const unsigned char timeline_page[];
extern const size_t timeline_page_bytes;

#endif
