/*
 * embedded_find: the program ipcd, for a daemon of the program's own.
 */
#pragma once

/* The path of ipcd, to be freed: $IPCD_PATH, if that is set; else the first that is there: beside
 * this library, as installed or as built, where it was to be installed, in $PATH. NULL, with the
 * message saying where it was looked for; CONNECT or NO_MEMORY in *status. */
char *embedded_find(int *status);
