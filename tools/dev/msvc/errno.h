#pragma once
typedef int errno_t;
