/*
 * screen: the terminal while a command has the whole of it: the other screen, no cursor, keys as
 * they are pressed. screen_end restores everything, and so do the signals that end or stop a
 * program, which come as events meanwhile.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <termios.h>

struct screen {
    bool active;
    int signals;          /* a signalfd */
    sigset_t mask;        /* as it was before */
    struct termios modes; /* as they were before */
};

enum screen_event {
    SCREEN_TIME,   /* the time is up */
    SCREEN_REDRAW, /* the size has changed, or the program goes on after a stop */
    SCREEN_QUIT,   /* q, Ctrl-C, or a signal that ends programs */
};

/* Takes the terminal. 0, or -1 with errno; then nothing has changed. */
int screen_begin(struct screen *screen);
void screen_end(struct screen *screen);

/* Shows a text of lines from the top left corner on; what it does not cover is blank. Lines beyond
 * the last row of the terminal are to be left out by the caller (screen_rows). 0, or -1 with
 * errno. */
int screen_draw(const char *text, size_t len);
size_t screen_rows(void);

/* Waits for an event until `deadline` (clock_ms). */
enum screen_event screen_wait(struct screen *screen, int64_t deadline);
