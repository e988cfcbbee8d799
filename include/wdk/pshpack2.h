/*
 * pshpack2.h - packs structures to 2 bytes, up to the matching poppack.h. They nest: no guard.
 */
#pragma pack(push, 2)
