/*
 * pshpack8.h - packs structures to 8 bytes, up to the matching poppack.h. They nest: no guard.
 */
#pragma pack(push, 8)
