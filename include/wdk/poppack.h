/*
 * poppack.h - ends what the last pshpack*.h or pshpck16.h began. They nest: no guard.
 */
#pragma pack(pop)
