/* tls: see tls.h. Tests: tests/unit/engine/test_redis.c. */
#include "daemon/engine/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "proto/error.h"

/* The last error of OpenSSL, about a file. */
static int refuse(char **error, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (asprintf(error, "%s %s cannot be used: %s", what, file,
                 reason == NULL ? "it is not in PEM" : reason) < 0) {
        *error = NULL;
    }
    ERR_clear_error();
    return *error == NULL ? ERR_MEMORY : ERR_VALUE;
}

static int set_up(SSL_CTX *tls, const struct tls_options *options, char **error)
{
    const char *key = options->key_file != NULL ? options->key_file : options->certificate_file;
    if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1) {
        return ERR_MEMORY;
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (options->ca_file == NULL && SSL_CTX_set_default_verify_paths(tls) != 1) {
        return refuse(error, "the system's certificates", "");
    }
    if (options->ca_file != NULL &&
        SSL_CTX_load_verify_locations(tls, options->ca_file, NULL) != 1) {
        return refuse(error, "the file of trusted certificates", options->ca_file);
    }
    if (options->certificate_file != NULL &&
        SSL_CTX_use_certificate_chain_file(tls, options->certificate_file) != 1) {
        return refuse(error, "the certificate", options->certificate_file);
    }
    if (key != NULL && (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 ||
                        SSL_CTX_check_private_key(tls) != 1)) {
        return refuse(error, "the key", key);
    }
    return 0;
}

int tls_new(const struct tls_options *options, SSL_CTX **out, char **error)
{
    *error = NULL;
    ERR_clear_error();
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    int status = tls == NULL ? ERR_MEMORY : set_up(tls, options, error);
    if (status < 0) {
        SSL_CTX_free(tls);
        return status;
    }
    *out = tls;
    return 0;
}

void tls_free(SSL_CTX *tls)
{
    SSL_CTX_free(tls);
}

SSL *tls_session(SSL_CTX *tls, const char *host)
{
    SSL *session = SSL_new(tls);
    if (session == NULL) {
        return NULL;
    }
    uint8_t address[16];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    bool set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1
                          : SSL_set1_host(session, host) == 1 &&
                                SSL_set_tlsext_host_name(session, host) == 1;
    if (!set) {
        SSL_free(session);
        return NULL;
    }
    return session;
}

const char *tls_reason(const SSL *session, unsigned long code, const char *otherwise)
{
    long verified = SSL_get_verify_result(session);
    if (verified != X509_V_OK) {
        return X509_verify_cert_error_string(verified);
    }
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    return reason == NULL ? otherwise : reason;
}
