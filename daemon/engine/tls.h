/*
 * tls: what all TLS connections to an engine share: whom to trust, and who we are.
 *
 * A node's certificate must be signed by somebody who is trusted and be made out to the name, or
 * the address, that we connect to. TLS 1.2 at least.
 */
#pragma once

#include <openssl/ssl.h>

struct tls_options {
    const char *ca_file;          /* PEM; NULL: whom the system trusts */
    const char *certificate_file; /* PEM; NULL: we have none */
    const char *key_file;         /* PEM; NULL: in certificate_file */
};

/* 0 with *out to be given to tls_free; or ERR_VALUE with a sentence in *error, the caller's to
 * free; or ERR_MEMORY with *error NULL. Reads files. */
int tls_new(const struct tls_options *options, SSL_CTX **out, char **error);

/* NULL is allowed. */
void tls_free(SSL_CTX *tls);

/* For a connection to `host`, a name or an address. The caller's; NULL: no memory. */
SSL *tls_session(SSL_CTX *tls, const char *host);

/* Why a handshake has failed, in words; the last resort if nothing is known is `otherwise`. Static,
 * or OpenSSL's own. `code` is the error that libevent has kept, or 0. */
const char *tls_reason(const SSL *session, unsigned long code, const char *otherwise);
