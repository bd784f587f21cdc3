/* notation_internal: what the halves of notation share, and nobody else uses. */
#pragma once

/* Patterns travel as this ext type, which no test uses for anything else. */
enum { PATTERN_EXT = 127 };
