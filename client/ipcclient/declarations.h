/*
 * ipcclient/declarations: what stands around the declarations of each header of the library: C
 * linkage, and the functions are exported.
 */
#ifndef IPCCLIENT_DECLARATIONS_H
#define IPCCLIENT_DECLARATIONS_H

#ifdef __cplusplus
#define IPCC_DECLARATIONS_BEGIN                                                                    \
    extern "C" {                                                                                   \
    _Pragma("GCC visibility push(default)")
#define IPCC_DECLARATIONS_END                                                                      \
    _Pragma("GCC visibility pop")                                                                  \
    }
#else
#define IPCC_DECLARATIONS_BEGIN _Pragma("GCC visibility push(default)")
#define IPCC_DECLARATIONS_END _Pragma("GCC visibility pop")
#endif

#endif /* IPCCLIENT_DECLARATIONS_H */
