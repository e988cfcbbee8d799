#include "verifier/level.h"

_Atomic(int) verifier_level_now = VERIFIER_STANDARD;
