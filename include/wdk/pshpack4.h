/*
 * pshpack4.h - packs structures to 4 bytes, up to the matching poppack.h. They nest: no guard.
 */
#pragma pack(push, 4)
