#pragma once
#include "Third.h"
#define SECOND 2
