/*
 * spare: how much room a buffer keeps that has nothing in it.
 */
#pragma once

enum { KEEP_CAPACITY = 1024 * 1024 }; /* bytes; one with more is freed */
