/*
 * pshpack1.h - packs structures to 1 byte, up to the matching poppack.h. They nest: no guard.
 */
#pragma pack(push, 1)
