/*
 * pshpck16.h - packs structures to 16 bytes, up to the matching poppack.h. They nest: no guard.
 */
#pragma pack(push, 16)
