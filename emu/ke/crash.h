/*
 * First parameters of bug check MANUALLY_INITIATED_CRASH where the emulator stops with it: they say
 * what the others are (verifier/data/bugchecks.csv). Letters, so that a driver that stops with this
 * code itself is hardly taken for the emulator.
 */
#ifndef KE_CRASH_H
#define KE_CRASH_H

#define KE_CRASH_HANG 0x48414E47    /* "HANG": a thread waits for ever */
#define KE_CRASH_WORKERS 0x574F524B /* "WORK": all worker threads do */
#define KE_CRASH_EXCEPTION 0x534548 /* "SEH": structured exceptions were misused */

#endif
