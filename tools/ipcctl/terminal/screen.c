/* screen: the terminal while a command has the whole of it; see screen.h. */
#include "tools/ipcctl/terminal/screen.h"
#include "proto/buffer.h"
#include "tools/ipcctl/clock.h"
#include "tools/ipcctl/terminal/text.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int write_all(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(STDOUT_FILENO, text, len);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        text += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* The other screen and no cursor; and everything back. */
static const char begin_text[] = "\033[?1049h\033[?25l";
static const char end_text[] = "\033[?25h\033[?1049l";

static int enter(const struct screen *screen)
{
    struct termios modes = screen->modes;
    modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &modes) < 0
               ? -1
               : write_all(begin_text, strlen(begin_text));
}

static void leave(const struct screen *screen)
{
    (void)write_all(end_text, strlen(end_text));
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->modes);
}

int screen_begin(struct screen *screen)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
    sigset_t mask;
    *screen = (struct screen){.signals = -1};
    (void)sigemptyset(&mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)sigaddset(&mask, signals[i]);
    }
    if (tcgetattr(STDIN_FILENO, &screen->modes) < 0) {
        return -1;
    }
    screen->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (screen->signals < 0) {
        return -1;
    }
    (void)sigprocmask(SIG_BLOCK, &mask, &screen->mask);
    screen->active = true;
    if (enter(screen) < 0) {
        int error = errno;
        screen_end(screen);
        errno = error;
        return -1;
    }
    return 0;
}

void screen_end(struct screen *screen)
{
    if (screen->active) {
        leave(screen);
        (void)close(screen->signals);
        (void)sigprocmask(SIG_SETMASK, &screen->mask, NULL);
        screen->active = false;
    }
}

size_t screen_rows(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 ? 24 : size.ws_row;
}

int screen_draw(const char *text, size_t len)
{
    struct buffer frame = {0};
    text_put(&frame, "\033[H");
    while (len > 0) {
        const char *newline = memchr(text, '\n', len);
        size_t line = newline != NULL ? (size_t)(newline - text) : len;
        (void)buffer_append(&frame, text, line);
        text_put(&frame, newline != NULL ? "\033[K\n" : "\033[K");
        line += newline != NULL;
        text += line;
        len -= line;
    }
    text_put(&frame, "\033[J");
    errno = ENOMEM;
    int status = frame.failed ? -1 : write_all((const char *)frame.data, frame.len);
    buffer_deinit(&frame);
    return status;
}

/* Ctrl-Z: the terminal is the shell's until the program goes on. */
static enum screen_event stop(struct screen *screen)
{
    leave(screen);
    (void)raise(SIGSTOP);
    return enter(screen) < 0 ? SCREEN_QUIT : SCREEN_REDRAW;
}

static enum screen_event take_signal(struct screen *screen)
{
    struct signalfd_siginfo signal;
    if (read(screen->signals, &signal, sizeof(signal)) != (ssize_t)sizeof(signal)) {
        return SCREEN_REDRAW;
    }
    if (signal.ssi_signo == SIGTSTP) {
        return stop(screen);
    }
    return signal.ssi_signo == SIGWINCH ? SCREEN_REDRAW : SCREEN_QUIT;
}

/* A key; the terminal's end is one that quits. */
static enum screen_event take_key(void)
{
    char key;
    ssize_t got = read(STDIN_FILENO, &key, 1);
    return got != 1 || key == 'q' || key == 'Q' ? SCREEN_QUIT : SCREEN_REDRAW;
}

enum screen_event screen_wait(struct screen *screen, int64_t deadline)
{
    struct pollfd fds[] = {{screen->signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        int64_t left = deadline - clock_ms();
        int ready = left <= 0 ? 0 : poll(fds, 2, left < 60000 ? (int)left : 60000);
        if (ready < 0 && errno != EINTR) {
            return SCREEN_QUIT;
        }
        if (ready > 0) {
            return fds[0].revents != 0 ? take_signal(screen) : take_key();
        }
        if (left <= 0) {
            return SCREEN_TIME;
        }
    }
}
