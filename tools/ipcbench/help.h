/*
 * help: what ipcbench says of itself.
 */
#pragma once

/* Prints the whole text to stdout. */
void help_print(void);
